"""Untrusted words made fit for one line of a card, and small pieces of sentences."""

import re
import unicodedata
from collections.abc import Sequence

from bridges.splitting import shorten

TITLE = 80  #: UTF-16 units of a title on a card
NAME = 40

_BLANKS = re.compile(r"\s+")
#: letters that turn the writing direction or hide: a title must not rearrange the sentence it stands in
HIDDEN = frozenset(
    "\u061c\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)


def one_line(text: object, limit: int = TITLE) -> str:
    """Any text as a single bounded line without control characters."""
    raw = str(text)[: 8 * limit]
    visible = "".join(" " if _control(letter) else letter for letter in raw if letter not in HIDDEN)
    return shorten(_BLANKS.sub(" ", visible).strip(), limit)


def quoted(title: object, limit: int = TITLE) -> str:
    """A title in quotation marks it cannot close."""
    words = one_line(title, limit).replace('"', "'")
    return f'"{words or "untitled"}"'


def listed(words: Sequence[str], limit: int = 6) -> str:
    """`Ana, Ben` and `… and 3 more` when there are many."""
    shown = ", ".join(words[:limit])
    return shown if len(words) <= limit else f"{shown} and {len(words) - limit} more"


def count(number: int, noun: str) -> str:
    """`1 issue`, `4 issues`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def sentence(text: object, limit: int = 300) -> str:
    """One line that ends like a sentence."""
    line = one_line(text, limit)
    return line if not line or line[-1] in ".!?…" else f"{line}."


def _control(letter: str) -> bool:
    return unicodedata.category(letter) in ("Cc", "Cs", "Co", "Cn") or letter in "\t\n\r"
