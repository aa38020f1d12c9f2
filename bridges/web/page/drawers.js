// Rooms and side panel where there is no width for them: drawers, one at a time, closed by Esc or a tap beside them.

import { byId } from "./dom.js";

const DRAWERS = [
  { id: "rooms", opener: "open-rooms", narrow: matchMedia("(max-width: 759px)") },
  { id: "side", opener: "open-side", narrow: matchMedia("(max-width: 1159px)") },
];

let open = null;

export function setUpDrawers() {
  for (const drawer of DRAWERS) {
    byId(drawer.opener).addEventListener("click", () => (open === drawer ? closeDrawer() : show(drawer)));
    byId(drawer.id).querySelector("[data-close]").addEventListener("click", closeDrawer);
    drawer.narrow.addEventListener("change", closeDrawer);
  }
  byId("scrim").addEventListener("click", closeDrawer);
  document.addEventListener("keydown", (event) => event.key === "Escape" && open && closeDrawer());
  settle();
}

export function closeDrawer() {
  const was = open;
  open = null;
  settle();
  if (was && was.narrow.matches) byId(was.opener).focus({ preventScroll: true });
}

function show(drawer) {
  open = drawer.narrow.matches ? drawer : null;
  settle();
  (open ? byId(drawer.id).querySelector("[data-close]") : byId(drawer.id).querySelector("button"))?.focus();
}

/** A closed drawer is out of reach for keyboard and screen reader, an open one is all there is. */
function settle() {
  for (const drawer of DRAWERS) {
    const element = byId(drawer.id);
    element.classList.toggle("is-open", drawer === open);
    element.inert = drawer.narrow.matches && drawer !== open;
    byId(drawer.opener).setAttribute("aria-expanded", String(drawer === open));
  }
  document.querySelector(".main").inert = open !== null;
  byId("scrim").hidden = open === null;
}
