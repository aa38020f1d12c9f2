"""Cutting a long text where a reader would: at paragraphs, else lines, else words, else anywhere."""

import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Sequence

Range = tuple[int, int]  #: from, to (exclusive), in Python characters

_BREAKS = ("\n\n", "\n", " ")
_JOINERS = "\u200d\ufe0f\ufe0e"


def units(text: str) -> int:
    """The length as most chat networks count it: in UTF-16 units."""
    return len(text) + sum(character > "\uffff" for character in text)


def reach(text: str, start: int, limit: int) -> int:
    """How far a message of `limit` UTF-16 units gets when it begins at `start`."""
    end = min(start + limit, len(text))
    over = units(text[start:end]) - limit
    while over > 0:
        end -= 1
        over -= 2 if text[end] > "\uffff" else 1
    return end


def shorten(text: str, limit: int) -> str:
    """The text, or its beginning with an ellipsis, in at most `limit` UTF-16 units."""
    if units(text) <= limit:
        return text
    return text[: reach(text, 0, limit - 1)] + "…"


def split(text: str, furthest: Callable[[int], int], keep: Sequence[Range] = ()) -> list[Range]:
    """Cut the text into messages. Only whitespace is left out, and none of it inside a kept range.

    `furthest(start)` says where a message that begins at `start` must end at the latest.
    `keep` holds ranges (code blocks; in order, apart from each other) that are cut only when one of them
    alone is longer than a message, and then at a line.
    """
    pieces = []
    start = _skip(text, 0, keep)
    while start < len(text):
        end = furthest(start)
        end = len(text) if end >= len(text) else _cut(text, start, max(end, start + 1), keep)
        pieces.append((start, _trim(text, start, end, keep)))
        start = _skip(text, end, keep)
    return [(begin, end) for begin, end in pieces if text[begin:end].strip()]


def _cut(text: str, start: int, end: int, keep: Sequence[Range]) -> int:
    """Where to end a message that may reach from `start` to `end`."""
    block = _around(keep, end)
    if block is not None and block[0] > start:
        return block[0]  # the block begins the next message, cut there only if it is too long by itself
    if block is not None:
        line = text.rfind("\n", start + 1, end + 1)
        return line if line > start else _between_letters(text, start, end)
    for mark in _BREAKS:
        at = _last(text, mark, start, end, keep)
        if at > start + (end - start) // 3:
            return at
    for mark in _BREAKS:  # a short message beats a cut word
        at = _last(text, mark, start, end, keep)
        if at > start:
            return at
    return _between_letters(text, start, end)


def _last(text: str, mark: str, start: int, end: int, keep: Sequence[Range]) -> int:
    """The last break that is not inside a kept range, or -1."""
    stop = end + len(mark)
    while (at := text.rfind(mark, start + 1, stop)) >= 0:
        block = _around(keep, at)
        if block is None:
            return at
        stop = block[0] + len(mark)
    return -1


def _between_letters(text: str, start: int, end: int) -> int:
    """A place for a hard cut that does not part an emoji or an accent from its letter."""
    for at in range(end, max(start, end - 16), -1):
        joined = text[at] in _JOINERS or text[at - 1] == "\u200d" or unicodedata.combining(text[at])
        if not joined:
            return at
    return end


def _around(keep: Sequence[Range], at: int) -> Range | None:
    """The kept range that a cut at `at` would go through."""
    index = bisect_right(keep, at, key=lambda block: block[0]) - 1
    if index >= 0 and keep[index][0] < at < keep[index][1]:
        return keep[index]
    return None


def _skip(text: str, at: int, keep: Sequence[Range]) -> int:
    """Where the next message begins: behind the whitespace of the cut, or one newline inside a block."""
    if _around(keep, at) is not None:
        return at + (text[at] == "\n")
    index = bisect_right(keep, at - 1, key=lambda block: block[0])
    stop = keep[index][0] if index < len(keep) else len(text)
    while at < stop and text[at].isspace():
        at += 1
    return at


def _trim(text: str, start: int, end: int, keep: Sequence[Range]) -> int:
    index = bisect_right(keep, end - 1, key=lambda block: block[0]) - 1
    stop = max(start, keep[index][1] if index >= 0 else start)
    while end > stop and text[end - 1].isspace():
        end -= 1
    return end
