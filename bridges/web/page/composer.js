// The message box: keeps what is not sent yet, per room, until the tab is closed.

import { byId, el } from "./dom.js";
import { Basket } from "./files.js";
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
  #baskets = new Map(); // folder -> files of the message that is written there
  #waiting = false; // sent while a file was still on its way

  /** `onSend(text, files)` */
  constructor({ onSend }) {
    this.onSend = onSend;
    this.#takeFiles();
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
        el("button", { type: "button", class: "chip", onclick: () => (it.send ? this.onSend(it.text, []) : this.fill(it.text)) }, it.label)),
    );
  }

  open(room) {
    const moved = this.#room?.folder !== room.folder;
    this.#room = room;
    this.#form.hidden = room.address === null;
    this.#text.placeholder = `Write to ${room.agent}`;
    if (moved) {
      this.#waiting = false;
      this.#basket().show();
      this.#text.value = recall(sessionStorage, draft(room)) ?? "";
      if (matchMedia("(pointer: fine)").matches) this.focus();
    }
    this.#changed();
  }

  suggest(on) {
    this.#suggestions.hidden = !on || this.#room?.address === null;
  }

  /** Back into the box: words, and files the host has already. */
  fill(text, kept = []) {
    this.#text.value = text;
    if (kept.length) this.#basket().restore(kept);
    this.#changed();
    this.focus();
    this.#text.setSelectionRange(text.length, text.length);
  }

  focus() {
    this.#text.focus({ preventScroll: true });
  }

  #send(text) {
    const basket = this.#basket();
    if ((!text.trim() && basket.empty) || text.length > LONGEST) return;
    if (basket.busy) {
      this.#waiting = true;
      this.#changed();
      return;
    }
    const ready = basket.ready.map(({ id, name, mime, size }) => ({ id, name, mime, size }));
    if (!text.trim() && !ready.length) return;
    this.#waiting = false;
    this.#text.value = "";
    basket.clear();
    this.#changed();
    this.onSend(text, ready);
  }

  #basket() {
    const folder = this.#room.folder;
    let basket = this.#baskets.get(folder);
    if (!basket) {
      basket = new Basket(byId("basket"), () => folder === this.#room.folder, () => folder === this.#room.folder && this.#filesChanged());
      this.#baskets.set(folder, basket);
    }
    return basket;
  }

  #filesChanged() {
    this.#changed();
    if (this.#waiting && !this.#basket().busy) this.#send(this.#text.value);
  }

  /** By the button, by dropping them anywhere, by pasting. */
  #takeFiles() {
    const chosen = byId("files");
    byId("attach").addEventListener("click", () => chosen.click());
    chosen.addEventListener("change", () => {
      this.#add(chosen.files);
      chosen.value = "";
    });
    this.#text.addEventListener("paste", (event) => {
      if (!event.clipboardData?.files.length) return;
      event.preventDefault();
      this.#add(event.clipboardData.files);
    });
    const brings = (event) => this.#room?.address && event.dataTransfer?.types.includes("Files");
    window.addEventListener("dragover", (event) => {
      if (!brings(event)) return;
      event.preventDefault();
      byId("drop").hidden = false;
    });
    window.addEventListener("dragleave", (event) => { if (!event.relatedTarget) byId("drop").hidden = true; });
    window.addEventListener("drop", (event) => {
      byId("drop").hidden = true;
      if (!brings(event)) return;
      event.preventDefault();
      this.#add(event.dataTransfer.files);
    });
  }

  #add(chosen) {
    if (!chosen.length || !this.#room || this.#room.address === null) return;
    this.#basket().add(this.#room.folder, [...chosen]);
    this.focus();
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
    if (this.#waiting) return "Goes out as soon as its files are there.";
    return text.includes("\n") || text.length > 80 ? "Enter sends, Shift+Enter starts a new line." : "";
  }
}

const draft = (room) => `intercom.draft.${room.folder}`;
