// The left of the page: rooms with their open decisions and what is unread.

import { byId, el } from "./dom.js";

export function drawRooms(store, onOpen) {
  const list = byId("room-list");
  const focused = list.contains(document.activeElement) ? document.activeElement.dataset.folder : null;
  list.replaceChildren(...[...store.rooms.values()].map((room) => el("li", {}, button(store, room, onOpen))));
  if (focused) list.querySelector(`[data-folder="${CSS.escape(focused)}"]`)?.focus();
}

function button(store, room, onOpen) {
  const current = room.folder === store.current;
  const unread = !current && store.unread(room);
  return el(
    "button",
    {
      type: "button", class: `room${unread ? " unread" : ""}`, "data-folder": room.folder,
      "aria-current": current ? "page" : null, onclick: () => onOpen(room.folder),
    },
    el("span", { class: "initial", "aria-hidden": "true" }, initial(room.title)),
    el(
      "span", { class: "room-text" },
      el("span", { class: "room-title" }, room.title),
      room.address ? null : el("span", { class: "room-note" }, "read only here"),
    ),
    unread ? el("span", { class: "dot" }, el("span", { class: "hidden" }, "unread")) : null,
    room.decisions ? el("span", { class: "count", title: decisions(room.decisions) },
      String(room.decisions), el("span", { class: "hidden" }, " open decisions")) : null,
  );
}

export const decisions = (count) => (count === 1 ? "1 open decision" : `${count} open decisions`);

const initial = (title) => [...title.trim()][0]?.toUpperCase() ?? "·";
