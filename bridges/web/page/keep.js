// What a browser remembers for the page. A full or forbidden store loses comfort, never a message.

export function recall(store, name) {
  try {
    return store.getItem(name);
  } catch {
    return null;
  }
}

export function keep(store, name, value) {
  try {
    if (value) store.setItem(name, value);
    else store.removeItem(name);
  } catch { /* the page goes on without */ }
}

/** An id nobody else has. `crypto.randomUUID` is missing where the page is opened over a plain network address. */
export function newId() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
