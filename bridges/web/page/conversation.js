// The middle of the page: the list of items, kept in order, and where the reader stands in it.

import { byId, el } from "./dom.js";
import { item as element } from "./item.js";
import { day } from "./times.js";

const NEAR = 120; // pixels from the end that still count as "at the end"
const TOGETHER = 5 * 60_000; // milliseconds within which items of one author share a head

export class ConversationView {
  #log = byId("log");
  #scroll = byId("scroll");
  #newest = byId("newest");
  #drawn = new Map(); // id -> what is shown, as text: equal means nothing to do
  #atEnd = true;
  #top = 0;

  constructor({ actions, onOlder }) {
    this.actions = actions;
    this.#scroll.addEventListener("scroll", () => {
      // Only who scrolls up leaves the end: a picture that arrives and grows the list does not.
      if (this.#distance() < NEAR) this.#atEnd = true;
      else if (this.#scroll.scrollTop < this.#top) this.#atEnd = false;
      this.#top = this.#scroll.scrollTop;
      if (this.#atEnd) this.#newest.hidden = true;
      if (this.#scroll.scrollTop < 200) onOlder();
    }, { passive: true });
    this.#newest.addEventListener("click", () => this.toEnd());
    byId("older").addEventListener("click", onOlder);
    const resized = new ResizeObserver(() => this.#atEnd && this.toEnd());
    resized.observe(this.#scroll);
    resized.observe(this.#log);
  }

  /** Another room: start over. */
  clear() {
    this.#log.replaceChildren();
    this.#drawn.clear();
    this.#atEnd = true;
    this.#newest.hidden = true;
  }

  /** Show these items, in this order, touching only what differs. `working(id)`: the data of a tapped button. */
  draw(items, working) {
    const wasAtEnd = this.#atEnd;
    const height = this.#scroll.scrollHeight;
    const first = this.#log.firstElementChild;
    const had = this.#drawn.size;
    const refs = new Set([...this.#log.children].map((child) => child.dataset.ref).filter(Boolean));
    this.#remove(new Set(items.map((it) => it.id)));
    let before = null;
    let grown = false;
    const latest = items.findLast((it) => it.mine)?.id;
    for (const it of items) {
      const place = before ? before.nextElementSibling : this.#log.firstElementChild;
      const shown = this.#draw(it, working(it.id), it.id === latest, place, refs);
      grown ||= shown !== place && shown.nextElementSibling === null;
      before = shown;
    }
    this.#decorate(items);
    if (wasAtEnd) this.toEnd();
    else if (first && first.isConnected && this.#log.firstElementChild !== first) {
      this.#scroll.scrollTop += this.#scroll.scrollHeight - height; // older ones came in above
    } else if (grown && had) this.#newest.hidden = false;
  }

  toEnd() {
    this.#atEnd = true;
    this.#newest.hidden = true;
    this.#scroll.scrollTop = this.#scroll.scrollHeight;
  }

  #distance() {
    return this.#scroll.scrollHeight - this.#scroll.scrollTop - this.#scroll.clientHeight;
  }

  #remove(ids) {
    for (const child of [...this.#log.children]) {
      if (ids.has(child.dataset.id)) continue;
      this.#drawn.delete(child.dataset.id);
      child.remove();
    }
  }

  /** The element of this item, standing at `place`. What was shown under the same ref makes no entrance again. */
  #draw(it, working, latest, place, refs) {
    const look = JSON.stringify([it, working, latest]);
    if (place?.dataset.id === it.id && this.#drawn.get(it.id) === look) return place;
    const fresh = element(it, { ...this.actions, working, latest });
    this.#drawn.set(it.id, look);
    if (place?.dataset.id !== it.id) {
      fresh.classList.toggle("known", refs.has(it.ref));
      this.#log.insertBefore(fresh, place);
      return fresh;
    }
    const focused = place.contains(document.activeElement);
    fresh.classList.add("known"); // no entrance for what was there already
    place.replaceWith(fresh);
    if (focused) fresh.focus({ preventScroll: true });
    return fresh;
  }

  /** Days between items, and no second head where the same author goes on. */
  #decorate(items) {
    let previous = null;
    let shown = this.#log.firstElementChild;
    for (const it of items) {
      const words = day(it.at);
      const newDay = previous === null || day(previous.at) !== words;
      const label = shown.querySelector(":scope > .day");
      if (newDay && label?.textContent !== words) {
        label?.remove();
        shown.prepend(el("p", { class: "day" }, words));
      } else if (!newDay) label?.remove();
      shown.classList.toggle("goes-on", !newDay && sameAuthor(previous, it));
      previous = it;
      shown = shown.nextElementSibling;
    }
  }
}

function sameAuthor(a, b) {
  return (
    a.kind === b.kind && a.mine === b.mine && a.author === b.author && a.network === b.network &&
    a.kind !== "decision" && new Date(b.at) - new Date(a.at) < TOGETHER
  );
}
