// The message box: keeps what is not sent yet, per room, until the tab is closed.

import { byId, el } from "./dom.js";
import { keep, recall } from "./keep.js";

export const LONGEST = 100_000;
const SUGGESTIONS = [
  { label: "What should I work on?", text: "What should I work on?", send: true },
  { label: "Start a run to …", text: "Start a run to ", send: false },
  { label: "Show open decisions", text: "/approvals", send: true },
];

export class Composer {
  #form = byId("composer");
  #text = byId("text");
  #hint = byId("hint");
  #suggestions = byId("suggestions");
  #room = null;

  /** `onSend(text)` */
  constructor({ onSend }) {
    this.onSend = onSend;
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send(this.#text.value);
    });
    this.#text.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send(this.#text.value);
    });
    this.#text.addEventListener("input", () => this.#changed());
    this.#suggestions.replaceChildren(
      ...SUGGESTIONS.map((it) =>
        el("button", { type: "button", class: "chip", onclick: () => (it.send ? this.onSend(it.text) : this.fill(it.text)) }, it.label)),
    );
  }

  open(room) {
    const moved = this.#room?.folder !== room.folder;
    this.#room = room;
    this.#form.hidden = room.address === null;
    this.#text.placeholder = `Write to ${room.agent}`;
    if (moved) {
      this.#text.value = recall(sessionStorage, draft(room)) ?? "";
      if (matchMedia("(pointer: fine)").matches) this.focus();
    }
    this.#changed();
  }

  suggest(on) {
    this.#suggestions.hidden = !on || this.#room?.address === null;
  }

  fill(text) {
    this.#text.value = text;
    this.#changed();
    this.focus();
    this.#text.setSelectionRange(text.length, text.length);
  }

  focus() {
    this.#text.focus({ preventScroll: true });
  }

  #send(text) {
    if (!text.trim() || text.length > LONGEST) return;
    this.#text.value = "";
    this.#changed();
    this.onSend(text);
  }

  #changed() {
    const text = this.#text.value;
    keep(sessionStorage, draft(this.#room), text);
    this.#text.style.height = "auto";
    this.#text.style.height = `${this.#text.scrollHeight + 2}px`;
    this.#hint.textContent = this.#words(text);
    this.#hint.classList.toggle("warning", text.length > LONGEST);
    byId("send").disabled = text.length > LONGEST;
  }

  #words(text) {
    if (this.#room.address === null) return "You can read this room and decide its cards here. To write, use its own chat.";
    if (text.length > LONGEST) return `${text.length.toLocaleString()} characters; one message holds ${LONGEST.toLocaleString()}. Send it in parts.`;
    return text.includes("\n") || text.length > 80 ? "Enter sends, Shift+Enter starts a new line." : "";
  }
}

const draft = (room) => `intercom.draft.${room.folder}`;
