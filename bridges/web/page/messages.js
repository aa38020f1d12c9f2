// What is said to the reader outside the conversation: the bar on top, short notes, alerts, the locked door.

import { byId, el } from "./dom.js";

const SHOWN = 6_000; // milliseconds

export function drawNotes(notes, connected) {
  const words = connected !== false ? notes : ["The connection to the host is lost. What you write is kept and sent when it is back.", ...notes];
  const bar = byId("notes");
  const shown = words.join("\n");
  if (bar.dataset.shown === shown) return;
  bar.dataset.shown = shown;
  bar.replaceChildren(...words.map((note) => el("p", {}, note)));
}

export function toast(text) {
  const note = el("p", { class: "toast" }, text);
  byId("toasts").append(note);
  setTimeout(() => note.remove(), SHOWN);
}

export function alertPerson(text) {
  const dialog = byId("alert");
  byId("alert-text").textContent = text;
  if (!dialog.open) dialog.showModal();
}

/** Covers the page while the cookie is not good; what is under it stays. */
export function lock() {
  if (byId("locked")) return;
  document.body.classList.add("door");
  document.body.prepend(
    el(
      "main", { class: "door-card", id: "locked" },
      el("h1", {}, "This browser is signed out"),
      el("p", {}, "Get a new link in the terminal on the machine where Intercom runs, and open it:"),
      el("pre", {}, el("code", {}, "intercom link")),
      el("p", { class: "muted" }, "What you had not sent yet is kept in this tab."),
    ),
  );
}

export function unlock() {
  document.body.classList.remove("door");
  byId("locked")?.remove();
}
