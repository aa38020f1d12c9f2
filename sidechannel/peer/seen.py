"""Which messages were seen: bounded in number and time."""

import hashlib
from collections import OrderedDict

_LONGEST = 256


class Seen:
    """Remembers keys for a while; the oldest go when there are too many."""

    def __init__(self, limit: int, keep_for: int) -> None:
        self._limit = limit
        self._keep_for = keep_for
        self._at: OrderedDict[str, int] = OrderedDict()

    def __len__(self) -> int:
        return len(self._at)

    def has(self, key: str, now: int) -> bool:
        at = self._at.get(_short(key))
        return at is not None and now - at < self._keep_for

    def add(self, key: str, now: int) -> None:
        key = _short(key)
        self._at[key] = now
        self._at.move_to_end(key)
        while len(self._at) > 1 and self._oldest_goes(now):
            self._at.popitem(last=False)

    def _oldest_goes(self, now: int) -> bool:
        return len(self._at) > self._limit or now - next(iter(self._at.values())) >= self._keep_for


def known_as(sender: str, identifier: str) -> str:
    """The key of a message that its sender proved: nobody else can make it seen."""
    return f"{sender}|{identifier}"


def claimed_as(identifier: str) -> str:
    """The key of a message that nobody proved: it never hides the true one of the same id."""
    return f"?{identifier}"


def _short(key: str) -> str:
    """An id is somebody else's text: a long one is remembered by its hash."""
    if len(key) <= _LONGEST:
        return key
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
