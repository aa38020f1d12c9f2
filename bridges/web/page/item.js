// One entry of a conversation: a message, an answer, a notice or a card.

import { el } from "./dom.js";
import { files } from "./files.js";
import { nodes } from "./text.js";
import { time } from "./times.js";

const DELIVERY = { sending: "sending…", taken: "sent", queued: "waiting to be sent", sent: "", failed: "not delivered" };

/** `working`: data of the button that was tapped, until the host has answered; `latest`: the reader's last one. */
export function item(it, { working, latest, onTap, onRetry, onDiscard }) {
  if (it.kind === "notice" && !it.files?.length && !it.buttons.length && !it.title.length) return notice(it);
  const isCard = it.kind === "decision" || it.buttons.length > 0 || it.title.length > 0;
  const classes = ["item", it.kind, it.mine ? "mine" : "theirs", isCard ? "card" : "talk"];
  if (isCard && it.buttons.length) classes.push("open");
  if (it.streaming) classes.push("streaming");
  if (it.delivery === "failed" || it.delivery === "refused") classes.push("failed");
  return el(
    "li", { class: classes.join(" "), "data-id": it.id, "data-ref": it.ref || null, "aria-busy": it.streaming ? "true" : null, tabindex: "-1" },
    head(it),
    el(
      "div", { class: "bubble" },
      it.title.length ? el("h3", { class: "card-title" }, nodes(it.title)) : null,
      picture(it),
      it.body.length ? el("div", { class: "text" }, nodes(it.body)) : null,
      files(it),
      it.activity ? el("p", { class: "activity" }, withCode(it.activity)) : null,
      buttons(it, working, onTap),
    ),
    state(it, latest, onRetry, onDiscard),
  );
}

/** How the agent stands to a message: that it waits is always said, that it was read only of the last one. */
function reading(it, latest) {
  if (it.reading === "queued") return "queued: read after this answer";
  return it.reading === "read" && latest ? "read" : "";
}

function notice(it) {
  return el(
    "li", { class: "item notice", "data-id": it.id, tabindex: "-1" },
    el("div", { class: "notice-text" }, nodes(it.body), " ", time(it.at)),
    picture(it),
  );
}

function head(it) {
  return el(
    "p", { class: "head" },
    el("span", { class: "author" }, it.mine ? "You" : it.author),
    it.network ? el("span", { class: "network" }, `in ${it.network}`) : null,
    time(it.at),
    it.edited && it.kind === "message" ? el("span", {}, "edited") : null,
  );
}

function picture(it) {
  if (!it.picture) return null;
  const source = `/api/pictures/${encodeURIComponent(it.picture)}`;
  const alt = "Chart that belongs to this message";
  return el(
    "a", { class: "picture", href: source, target: "_blank", rel: "noopener" },
    el("img", { src: source, alt }),
  );
}

function buttons(it, working, onTap) {
  if (!it.buttons.length) return null;
  return el(
    "div", { class: "buttons", role: "group", "aria-label": "Decide", "aria-busy": working ? "true" : null },
    it.buttons.flat().map((button) =>
      el(
        "button",
        {
          type: "button", class: working === button.data ? `${button.tone} pressed` : button.tone, "data-data": button.data,
          disabled: Boolean(working) || !it.tappable,
          onclick: () => onTap(it, button.data),
        },
        working === button.data ? "working…" : button.label,
      ),
    ),
  );
}

function state(it, latest, onRetry, onDiscard) {
  const words = it.delivery === "refused" ? it.reason : [DELIVERY[it.delivery], it.reason].filter(Boolean).join(": ") || reading(it, latest);
  if (!words) return null;
  const again = it.delivery === "refused" && it.local;
  return el(
    "p", { class: "state", role: it.delivery === "refused" ? "alert" : null },
    words, " ",
    again ? el("button", { type: "button", class: "link", onclick: () => onRetry(it) }, "Try again") : null,
    again ? " " : null,
    again ? el("button", { type: "button", class: "link", onclick: () => onDiscard(it) }, "Put back into the box") : null,
  );
}

/** What agents at work put between backticks, a command, looks like one; all of it stays text. */
function withCode(words) {
  return words.split(/`([^`\n]+)`/).map((part, at) => (at % 2 ? el("code", {}, part) : part));
}
