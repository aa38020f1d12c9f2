// What the page knows: rooms, and per room the items in order. The host's rows are the truth, this is a copy.

import { keep, recall } from "./keep.js";

/** One room's conversation: items by id, and what was written here and has no row yet. */
export class Conversation {
  items = new Map();
  locals = new Map(); // client_id -> item
  more = true; // older ones may exist
  fresh = false; // read since the connection is up
  #written = 0;
  #reads = new Set(); // of pages under way: what the host said since each began, id -> item or null

  /** In order. Ids sort by creation; a local one stands behind what it was written after. */
  ordered() {
    return [...this.items.values(), ...this.locals.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  newest() {
    let newest = "";
    for (const id of this.items.keys()) if (id > newest) newest = id;
    return newest;
  }

  oldest() {
    let oldest = null;
    for (const id of this.items.keys()) if (oldest === null || id < oldest) oldest = id;
    return oldest;
  }

  put(item) {
    this.items.set(item.id, item);
    if (item.mine) this.locals.delete(item.ref);
  }

  /** What the host says now: newer than any page of rows that was asked for before. */
  hear(id, item) {
    if (item) this.put(item);
    else this.items.delete(id);
    for (const heard of this.#reads) heard.set(id, item);
  }

  /** Read rows and take them in, without forgetting what was heard while they were on their way. */
  async take(reading, how) {
    const heard = new Map();
    this.#reads.add(heard);
    try {
      how(await reading);
      for (const [id, item] of heard) this.hear(id, item);
    } finally {
      this.#reads.delete(heard);
    }
  }

  /** The newest page as the host has it now. Forget what vanished, and what lies behind a gap. */
  refresh({ items, more }) {
    const first = items[0]?.id ?? "";
    const overlaps = items.some((item) => this.items.has(item.id));
    for (const id of this.items.keys()) if (id >= first || !overlaps) this.items.delete(id);
    if (!overlaps || this.items.size === 0) this.more = more;
    items.forEach((item) => this.put(item));
    this.fresh = true;
  }

  older({ items, more }) {
    items.forEach((item) => this.put(item));
    this.more = more;
  }

  addLocal(clientId, text, words, files = []) {
    const newest = this.newest() || "!"; // "!" sorts before every id
    this.#written += 1;
    this.locals.set(clientId, {
      id: `${newest}~${String(this.#written).padStart(6, "0")}`,
      local: clientId, kind: "message", author: "", mine: true, ref: clientId, network: "",
      at: new Date().toISOString(), title: [], body: text ? [["lines", {}, [text]]] : [], text, files, reading: "", buttons: [], tappable: false,
      picture: null, delivery: "sending", reason: words, edited: false, streaming: false, activity: "",
    });
  }
}

export class Store {
  rooms = new Map();
  current = null;
  notes = [];
  #conversations = new Map();

  conversation(folder) {
    let it = this.#conversations.get(folder);
    if (!it) this.#conversations.set(folder, (it = new Conversation()));
    return it;
  }

  conversations() {
    return this.#conversations.values();
  }

  setRooms(rooms) {
    this.rooms = new Map(rooms.map((room) => [room.folder, room]));
    for (const room of rooms) {
      if (recall(localStorage, readMark(room.folder)) === null) this.markRead(room.folder, room.last_item ?? "");
    }
  }

  room() {
    return this.rooms.get(this.current);
  }

  markRead(folder, id) {
    if (id > (recall(localStorage, readMark(folder)) ?? "")) keep(localStorage, readMark(folder), id);
  }

  unread(room) {
    return (room.last_item ?? "") > (recall(localStorage, readMark(room.folder)) ?? "");
  }
}

const readMark = (folder) => `intercom.read.${folder}`;

/** JSON of the host. Throws `Locked` when the cookie is gone, `Error` with words otherwise. */
export async function read(path) {
  const response = await fetch(path, { headers: { Accept: "application/json" } });
  if (response.status === 401) throw new Locked();
  if (!response.ok) throw new Error(await response.text());
  return response.json();
}

export class Locked extends Error {}
