// Times in the reader's own zone: relative when near, exact on hover.

import { el } from "./dom.js";

const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const DAY_AND_YEAR = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "long", year: "numeric" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

export function time(iso) {
  const at = new Date(iso);
  return el("time", { datetime: iso, title: EXACT.format(at) }, near(at, new Date()));
}

/** Keeps "3 min ago" true. */
export function keepTimes() {
  setInterval(() => {
    const now = new Date();
    for (const element of document.querySelectorAll("time")) {
      const words = near(new Date(element.dateTime), now);
      if (element.textContent !== words) element.textContent = words;
    }
  }, 20_000);
}

function near(at, now) {
  const seconds = (now - at) / 1000;
  if (seconds < 45) return "now";
  if (seconds < 3600) return `${Math.max(1, Math.round(seconds / 60))} min ago`;
  return CLOCK.format(at);
}

/** The words of a day separator. */
export function day(iso) {
  const at = new Date(iso);
  const now = new Date();
  const days = Math.round((midnight(now) - midnight(at)) / 86_400_000);
  if (days === 0) return "Today";
  if (days === 1) return "Yesterday";
  return (at.getFullYear() === now.getFullYear() ? DAY : DAY_AND_YEAR).format(at);
}

const midnight = (at) => new Date(at.getFullYear(), at.getMonth(), at.getDate());
