// The connection to the host: keeps itself up, and sends again what was not acknowledged.

import { keep, newId, recall } from "./keep.js";

const SHORTEST_WAIT = 250; // milliseconds before the first new try, doubled up to ...
const LONGEST_WAIT = 8_000;
const PATIENCE = 8_000; // without an acknowledgement for so long, the connection counts as dead
const KEPT = "intercom.unsent";
const PAGE = "intercom.page";

/** `onFrame(frame)` for everything the host says; `onState("open" | "lost" | "locked")`. */
export class Live {
  #socket = null;
  #unsent = new Map(); // client_id -> request, in the order they were made
  #awaited = new Set(); // client_ids sent over this connection and not acknowledged yet
  #tries = 0;
  #timer = null;
  #watch = null;

  constructor({ onFrame, onState }) {
    this.onFrame = onFrame;
    this.onState = onState;
    this.page = recall(sessionStorage, PAGE) ?? newId();
    keep(sessionStorage, PAGE, this.page);
    for (const request of JSON.parse(recall(sessionStorage, KEPT) ?? "[]")) this.#unsent.set(request.client_id, request);
    window.addEventListener("online", () => this.#hurry());
    document.addEventListener("visibilitychange", () => document.hidden || this.#hurry());
  }

  /** Messages of an earlier life of this tab that the host has not taken yet. */
  unsent() {
    return [...this.#unsent.values()].filter((request) => request.type === "say");
  }

  start() {
    clearTimeout(this.#timer);
    this.#timer = null;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/api/live?page=${this.page}`);
    this.#socket = socket;
    socket.onmessage = (event) => this.#socket === socket && this.#receive(JSON.parse(event.data));
    socket.onclose = () => this.#socket === socket && this.#lost();
  }

  /** Send, and keep until acknowledged: a second delivery of the same id counts once. */
  request(request) {
    this.#unsent.set(request.client_id, request);
    this.#keep();
    this.#send(request);
  }

  forget(clientId) {
    this.#unsent.delete(clientId);
    this.#keep();
  }

  #receive(frame) {
    if (frame.type === "hello") {
      this.#tries = 0;
      this.onState("open");
      for (const request of this.#unsent.values()) this.#send(request);
    }
    this.#settled(frame.client_id);
    if (frame.type === "taken") this.forget(frame.client_id);
    if (frame.type === "refused" && frame.client_id) {
      if (frame.retry === null) this.forget(frame.client_id);
      else setTimeout(() => this.#again(frame.client_id), frame.retry * 1000 + 200);
    }
    this.onFrame(frame);
  }

  #again(clientId) {
    const request = this.#unsent.get(clientId);
    if (request) this.#send(request);
  }

  #send(request) {
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    this.#socket.send(JSON.stringify(request));
    this.#awaited.add(request.client_id);
    this.#watch ??= setTimeout(() => this.#reconnect(), PATIENCE);
  }

  /** Acknowledged: the connection is alive, and is given as long again for what is still open. */
  #settled(clientId) {
    if (!this.#awaited.delete(clientId)) return;
    this.#rest();
    if (this.#awaited.size) this.#watch = setTimeout(() => this.#reconnect(), PATIENCE);
  }

  #rest() {
    clearTimeout(this.#watch);
    this.#watch = null;
  }

  #reconnect() {
    this.#rest();
    const socket = this.#socket;
    this.#socket = null;
    socket?.close();
    this.#lost();
  }

  async #lost() {
    this.#rest();
    this.#awaited.clear();
    this.#socket = null;
    this.onState("lost");
    if (this.#timer !== null) return;
    const wait = Math.min(LONGEST_WAIT, SHORTEST_WAIT * 2 ** this.#tries) * (0.75 + Math.random() / 2);
    this.#tries += 1;
    this.#timer = setTimeout(() => this.start(), wait);
    if (await refused()) {
      clearTimeout(this.#timer);
      this.#timer = null;
      this.onState("locked");
    }
  }

  /** The machine woke up or the tab is looked at again: do not wait for the timer. */
  #hurry() {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#send({ type: "ping", client_id: newId() });
    else if (this.#socket === null) this.start();
  }

  #keep() {
    const unsent = this.unsent();
    keep(sessionStorage, KEPT, unsent.length ? JSON.stringify(unsent) : "");
  }
}

/** A socket that is refused does not say why; a plain request does. */
async function refused() {
  try {
    return (await fetch("/api/rooms", { method: "HEAD" })).status === 401;
  } catch {
    return false;
  }
}
