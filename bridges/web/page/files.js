// Files: what a person adds to a message before it is sent, and how files look in the conversation.

import { el } from "./dom.js";

export const MOST = 10;
export const LARGEST = 20_000_000;
const SHOWN = new Set(["image/png", "image/jpeg", "image/gif", "image/webp"]);
const SHOWN_UP_TO = 8_000_000; // bytes; larger pictures are for saving

/** The files of an item: pictures as pictures, everything as a link that saves. */
export function files(it) {
  if (!it.files?.length) return null;
  return el("ul", { class: "files", "aria-label": "Files" }, it.files.map(file));
}

function file(it) {
  const picture = it.id && SHOWN.has(it.mime) && it.size <= SHOWN_UP_TO;
  const words = [
    picture ? el("img", { src: address(it.id), alt: "", loading: "lazy" }) : null,
    el("span", { class: "file-name" }, it.name),
    el("span", { class: "file-note" }, it.refused ? `not read: ${it.refused}` : it.size === null ? "" : size(it.size)),
  ];
  const look = picture ? "file pictured" : "file";
  if (!it.id) return el("li", {}, el("span", { class: look }, words));
  return el("li", {}, el("a", { class: look, href: address(it.id), download: it.name, "aria-label": `Save ${it.name}` }, words));
}

/** The files of the message that is being written. Each is handed over at once; sending names them. */
export class Basket {
  #list;
  #entries = []; // {name, size, mime, id, progress, error, request}

  /** `shown()`: whether the reader looks at it; `onChange()`: something came, went or is ready. */
  constructor(list, shown, onChange) {
    this.#list = list;
    this.shown = shown;
    this.onChange = onChange;
  }

  show() {
    this.#draw();
  }

  get busy() {
    return this.#entries.some((it) => !it.id && !it.error);
  }

  get ready() {
    return this.#entries.filter((it) => it.id);
  }

  get empty() {
    return this.#entries.length === 0;
  }

  add(folder, chosen) {
    for (const each of chosen) {
      const entry = { folder, file: each, name: each.name || "picture.png", size: each.size, mime: each.type, progress: 0 };
      this.#entries.push(entry);
      if (this.#entries.length > MOST) entry.error = `one message carries ${MOST} files`;
      else if (each.size > LARGEST) entry.error = `larger than ${size(LARGEST)}`;
      else if (each.size === 0) entry.error = "empty";
      else this.#handOver(entry);
    }
    this.#changed();
  }

  /** Files that are with the host already, from a message that was taken back. */
  restore(kept) {
    this.#entries.push(...kept.map((it) => ({ ...it, progress: 1 })));
    this.#changed();
  }

  clear() {
    for (const it of this.#entries) it.request?.abort();
    this.#entries = [];
    this.#changed();
  }

  #remove(entry) {
    const place = this.#entries.indexOf(entry);
    entry.request?.abort();
    this.#entries.splice(place, 1);
    this.#changed();
    const next = this.#list.children[Math.min(place, this.#entries.length - 1)];
    (next?.querySelector("button") ?? document.getElementById("attach")).focus();
  }

  #handOver(entry) {
    const form = new FormData();
    form.append("file", entry.file, entry.name);
    const request = (entry.request = new XMLHttpRequest()); // fetch does not tell how far an upload is
    request.open("POST", `/api/rooms/${encodeURIComponent(entry.folder)}/files`);
    request.upload.onprogress = (event) => {
      entry.progress = event.lengthComputable ? event.loaded / event.total : 0;
      this.#draw();
    };
    request.onload = () => {
      if (request.status === 201) Object.assign(entry, JSON.parse(request.responseText), { progress: 1 });
      else entry.error = request.responseText || "the host did not take it";
      this.#changed();
    };
    request.onerror = () => {
      entry.error = "the connection to the host is lost";
      this.#changed();
    };
    request.send(form);
  }

  #again(entry) {
    entry.error = "";
    entry.progress = 0;
    this.#handOver(entry);
    this.#changed();
  }

  #changed() {
    this.#draw();
    this.onChange();
  }

  #draw() {
    if (!this.shown()) return;
    const focused = document.activeElement?.dataset?.entry;
    this.#list.hidden = this.empty;
    this.#list.replaceChildren(...this.#entries.map((it, place) => this.#entry(it, place)));
    if (focused) this.#list.querySelector(`[data-entry="${focused}"]`)?.focus();
  }

  #entry(it, place) {
    const words = it.error ? `not added: ${it.error}` : it.id ? size(it.size) : `${Math.round(it.progress * 100)} % of ${size(it.size)}`;
    const again = it.error && it.file && it.size <= LARGEST && it.size > 0 && place < MOST;
    return el(
      "li", { class: it.error ? "entry failed" : "entry" },
      el("span", { class: "file-name" }, it.name),
      el("span", { class: "file-note", role: it.error ? "alert" : null }, words),
      it.id || it.error ? null : el("progress", { max: "1", value: String(it.progress), "aria-label": `${it.name} is being added` }),
      again ? el("button", { type: "button", class: "link", "data-entry": `again-${place}`, onclick: () => this.#again(it) }, "Try again") : null,
      el("button", { type: "button", class: "quiet remove", "data-entry": `remove-${place}`, "aria-label": `Remove ${it.name}`, onclick: () => this.#remove(it) }, "✕"),
    );
  }
}

export function size(bytes) {
  if (bytes < 1000) return `${bytes} bytes`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

const address = (id) => `/api/files/${encodeURIComponent(id)}`;
