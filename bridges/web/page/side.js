// The right of the page: what waits, what runs, and who may do what.

import { byId, el } from "./dom.js";
import { item } from "./item.js";

const ROLES = {
  owner: "decides, writes, and gives out roles",
  approver: "decides and writes",
  member: "writes and asks",
  viewer: "reads",
};

export function drawSide(side, room, actions, working) {
  const body = byId("side-body");
  if (!side) return body.replaceChildren();
  const focused = body.contains(document.activeElement) ? document.activeElement.dataset.data : null;
  body.replaceChildren(
    section("Open decisions", decisions(side, actions, working)),
    section("Running work", side.work.length ? side.work.map(work) : quiet("Nothing runs.")),
    section("Who may do what", people(side, room)),
  );
  if (focused) body.querySelector(`[data-data="${CSS.escape(focused)}"]`)?.focus();
}

const section = (title, ...children) => el("section", {}, el("h3", {}, title), ...children);
const quiet = (words) => el("p", { class: "muted" }, words);

function decisions(side, actions, working) {
  if (!side.decisions.length) return quiet("Nothing waits for a decision.");
  return el("ol", { class: "log open-cards" }, side.decisions.map((it) => item(it, { ...actions, working: working(it.id) })));
}

function work(run) {
  const done = Math.min(Math.max(run.done, 0), run.phases);
  return el(
    "div", { class: "work" },
    el("p", { class: "work-title" }, run.title),
    el(
      "p", { class: "phase" },
      el("span", { class: "dots", "aria-hidden": "true" }, "●".repeat(done), "○".repeat(Math.max(0, run.phases - done))),
      el("span", { class: "hidden" }, `phase ${done} of ${run.phases}: `), " ", run.phase,
    ),
    run.budget === null ? null : budget(run.budget),
    run.note ? el("p", { class: "muted" }, run.note) : null,
  );
}

function budget(percent) {
  const filled = el("span", { class: percent >= 100 ? "filled over" : "filled" });
  filled.style.width = `${Math.min(100, Math.max(0, percent))}%`;
  return el(
    "p", { class: "budget" },
    el("span", { class: "bar", "aria-hidden": "true" }, filled),
    el("span", {}, `${percent} % of budget`),
  );
}

function people(side, room) {
  const rules = [...room.notes, ...side.rules];
  return [
    side.people.length
      ? el("ul", { class: "people" }, side.people.map(member))
      : quiet("Nobody has a role here yet, so nobody may decide."),
    rules.length ? el("ul", { class: "rules" }, rules.map((rule) => el("li", {}, rule))) : null,
  ];
}

function member(person) {
  return el(
    "li", {},
    el("p", { class: "person" }, el("span", { class: "name" }, person.name, person.me ? " (you)" : ""), el("span", { class: "role" }, person.role)),
    el("p", { class: "muted" }, [ROLES[person.role], person.network ? `from ${person.network}` : ""].filter(Boolean).join(" · ")),
  );
}
