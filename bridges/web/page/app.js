// Wires the page: what the host says goes into the store, the store is drawn, what a person does goes to the host.

import { Composer } from "./composer.js";
import { ConversationView } from "./conversation.js";
import { byId, el, later } from "./dom.js";
import { closeDrawer, setUpDrawers } from "./drawers.js";
import { newId } from "./keep.js";
import { Live } from "./live.js";
import { alertPerson, drawNotes, lock, toast, unlock } from "./messages.js";
import { decisions, drawRooms } from "./rooms.js";
import { drawSide } from "./side.js";
import { Locked, Store, read } from "./store.js";
import { keepTimes } from "./times.js";

const TYPING_LASTS = 7_000; // milliseconds; the host says it again while it lasts
const TAP_PATIENCE = 30_000;
const DOUBLE = 500; // milliseconds in which two clicks are one

const store = new Store();
const taps = new Map(); // item id -> {clientId, data, timer}
let connected = null; // not known yet
const sides = new Map(); // folder -> what stands beside its conversation
let readingOlder = false;
let lastTap = { item: null, at: -Infinity };
let typingTimer = null;

const actions = { onTap: tap, onRetry: retry, onDiscard: discard };
const live = new Live({ onFrame: receive, onState: connection });
const view = new ConversationView({ actions, onOlder: readOlder });
const composer = new Composer({ onSend: say });

// ---- reading from the host

async function readRooms() {
  const answer = await read("/api/rooms");
  store.notes = answer.notes;
  store.setRooms(answer.rooms);
  if (!store.rooms.has(store.current)) await open(wanted());
  else drawAround();
}

async function readHistory(folder) {
  const conversation = store.conversation(folder);
  const page = read(`/api/rooms/${encodeURIComponent(folder)}/history`);
  await conversation.take(page, (rows) => conversation.refresh(rows));
  if (folder === store.current) draw();
}

async function readSide(folder) {
  const answer = await read(`/api/rooms/${encodeURIComponent(folder)}/side`);
  sides.set(folder, answer);
  if (folder === store.current) drawPanel();
}

async function readOlder() {
  const folder = store.current;
  const conversation = store.conversation(folder);
  if (readingOlder || !conversation.more || !conversation.fresh) return;
  readingOlder = true;
  const path = `/api/rooms/${encodeURIComponent(folder)}/history?before=${encodeURIComponent(conversation.oldest())}`;
  await attempt(() => conversation.take(read(path), (rows) => conversation.older(rows)));
  readingOlder = false;
  if (folder === store.current) draw();
}

/** Everything the reader looks at, again. */
async function readAll() {
  for (const conversation of store.conversations()) conversation.fresh = false;
  await attempt(async () => {
    await readRooms();
    if (store.current) await Promise.all([readHistory(store.current), readSide(store.current)]);
  });
}

const roomsSoon = later(() => attempt(readRooms), 60);
const sideSoon = later(() => store.current && attempt(() => readSide(store.current)), 60);

/** A failed read is said once the connection is up; without one, the bar on top says it already. */
async function attempt(action) {
  try {
    await action();
  } catch (error) {
    if (error instanceof Locked) lock();
    else if (!(error instanceof TypeError)) toast(error.message);
  }
}

// ---- what the host says

const FRAMES = {
  hello: (frame) => { store.notes = frame.notes; drawBar(); readAll(); },
  reload: () => readAll(),
  health: (frame) => { store.notes = frame.notes; drawBar(); },
  rooms: () => { roomsSoon(); sideSoon(); },
  side: (frame) => frame.room === store.current && sideSoon(),
  item: (frame) => itemChanged(frame.item),
  gone: (frame) => { store.conversation(frame.room).hear(frame.id, null); if (frame.room === store.current) draw(); },
  typing: (frame) => typing(frame),
  taken: (frame) => mark(frame.client_id, "taken", ""),
  refused: (frame) => refused(frame),
  answer: (frame) => answered(frame),
};

function receive(frame) {
  FRAMES[frame.type]?.(frame);
}

function itemChanged(it) {
  const conversation = store.conversation(it.room);
  const before = conversation.items.get(it.id);
  if (before && looks(before) !== looks(it)) release(it.id);
  conversation.hear(it.id, it);
  const room = store.rooms.get(it.room);
  if (room && it.id > (room.last_item ?? "")) {
    room.last_item = it.id;
    if (it.mine) store.markRead(it.room, it.id);
  }
  if (it.room !== store.current) return drawList();
  if (!it.mine) showTyping(false);
  if (it.kind === "decision") { sideSoon(); roomsSoon(); }
  draw();
}

const looks = (it) => JSON.stringify([it.title, it.body, it.buttons]);

function typing({ room, address, on }) {
  const current = store.room();
  if (!current || (room !== current.folder && address !== current.address)) return;
  showTyping(on);
}

function refused({ client_id: clientId, text, retry: wait }) {
  const tapped = [...taps].find(([, it]) => it.clientId === clientId);
  if (tapped && wait === null) release(tapped[0]);
  if (tapped || !clientId) toast(text);
  else mark(clientId, wait === null ? "refused" : "sending", text);
}

function answered({ client_id: clientId, text, alert }) {
  const tapped = [...taps].find(([, it]) => it.clientId === clientId);
  if (alert) alertPerson(text);
  else if (text && !text.endsWith("…")) toast(text);
  if (tapped && (alert || !text.endsWith("…"))) release(tapped[0]);
}

function connection(state) {
  if (state === "locked") return lock();
  connected = state === "open";
  if (connected) unlock();
  drawBar();
}

// ---- what the person does

function say(text, files) {
  const folder = store.current;
  const request = { type: "say", client_id: newId(), room: folder, text, files: files.map((it) => it.id), shown: files };
  store.conversation(folder).addLocal(request.client_id, text, "", files);
  live.request(request);
  draw();
  view.toEnd();
}

function tap(it, data) {
  // The next card may stand where the tapped one stood: the second half of a double click decides nothing.
  if (taps.has(it.id) || (lastTap.item !== it.id && performance.now() - lastTap.at < DOUBLE)) return;
  lastTap = { item: it.id, at: performance.now() };
  const request = { type: "tap", client_id: newId(), room: it.room, item: it.id, data };
  const timer = setTimeout(() => {
    release(it.id);
    toast("No answer to your tap yet. The card shows what holds; tap again if it is still open.");
  }, TAP_PATIENCE);
  taps.set(it.id, { clientId: request.client_id, data, timer });
  live.request(request);
  draw();
  drawPanel();
}

function retry(it) {
  store.conversation(store.current).locals.delete(it.local);
  say(it.text, it.files);
}

function discard(it) {
  store.conversation(store.current).locals.delete(it.local);
  composer.fill(it.text, it.files);
  draw();
}

async function open(folder) {
  if (!store.rooms.has(folder)) return drawAround();
  store.current = folder;
  history.replaceState(null, "", `#${encodeURIComponent(folder)}`);
  view.clear();
  showTyping(false);
  closeDrawer();
  composer.open(store.room());
  draw();
  drawPanel();
  view.toEnd();
  await attempt(() => Promise.all([readHistory(folder), readSide(folder)]));
}

/** The room of the address bar, or the first one. */
function wanted() {
  let folder = "";
  try {
    folder = decodeURIComponent(location.hash.slice(1));
  } catch { /* a broken address leads to the first room */ }
  return store.rooms.has(folder) ? folder : store.rooms.keys().next().value;
}

// ---- drawing

function mark(clientId, delivery, reason) {
  for (const conversation of store.conversations()) {
    const it = conversation.locals.get(clientId);
    if (it) conversation.locals.set(clientId, { ...it, delivery, reason });
  }
  draw();
}

function release(id) {
  clearTimeout(taps.get(id)?.timer);
  if (taps.delete(id)) { draw(); drawPanel(); }
}

const working = (id) => taps.get(id)?.data;

function draw() {
  if (!store.current) return;
  const conversation = store.conversation(store.current);
  const items = conversation.ordered();
  view.draw(items, working);
  if (!document.hidden) store.markRead(store.current, conversation.newest());
  const first = conversation.fresh && !conversation.more && !items.some((it) => it.mine);
  byId("welcome").hidden = !(first && items.length === 0);
  byId("older").hidden = !conversation.more || !conversation.fresh;
  composer.suggest(first);
  drawAround();
}

function drawAround() {
  drawList();
  drawBar();
  const room = store.room();
  if (!room) return;
  byId("title").textContent = room.title;
  byId("subtitle").textContent = room.role ? `Your role: ${room.role}` : "";
  byId("open-count").textContent = String(room.decisions);
  byId("open-count").classList.toggle("none", room.decisions === 0);
  byId("open-side").setAttribute("aria-label", `About this room: ${decisions(room.decisions)}`);
  byId("welcome").replaceChildren(...welcome(room));
  const waiting = [...store.rooms.values()].reduce((sum, it) => sum + it.decisions, 0);
  document.title = `${waiting ? `(${waiting}) ` : ""}${room.title} · Intercom`;
}

const drawList = () => drawRooms(store, open);
const drawBar = () => {
  drawNotes(store.notes, connected);
  byId("connection").textContent = connected ? "Connected to this machine" : connected === null ? "Connecting…" : "Connecting again…";
  byId("connection").classList.toggle("lost", connected === false);
};
const drawPanel = () => store.room() && drawSide(sides.get(store.current), store.room(), actions, working);

function welcome(room) {
  return [
    el("h2", {}, `Write to ${room.agent}`),
    el("p", {}, "It looks things up at once and does harmless things right away. What is grave comes back to you as a card, and waits for your tap."),
  ];
}

function showTyping(on) {
  clearTimeout(typingTimer);
  const room = store.room();
  byId("typing").replaceChildren(
    ...(on ? [el("span", { class: "wave", "aria-hidden": "true" }, el("i"), el("i"), el("i")), `${room.agent} is writing…`] : []),
  );
  if (on) typingTimer = setTimeout(() => showTyping(false), TYPING_LASTS);
}

// ---- start

for (const request of live.unsent()) store.conversation(request.room).addLocal(request.client_id, request.text, "", request.shown ?? []);
setUpDrawers();
keepTimes();
window.addEventListener("hashchange", () => wanted() !== store.current && open(wanted()));
document.addEventListener("visibilitychange", () => !document.hidden && draw());
live.start();
readAll();
