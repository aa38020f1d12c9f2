"""Small pieces of human language: numbers, times, bars, and foreign text made safe for one line."""

import unicodedata
from collections.abc import Sequence
from datetime import datetime

#: Marks that reorder what stands around them; a title must not be able to rewrite the line it is in.
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def one_line(text: str, limit: int | None = None) -> str:
    """Foreign text as one printable line: white space folded, control and reordering marks dropped."""
    line = " ".join((text if text.isascii() and text.isprintable() else _kept(text)).split())
    if limit is None or len(line) <= limit:
        return line
    return line[: limit - 1].rstrip() + "…"


def _kept(text: str) -> str:
    return "".join(" " if character.isspace() else character for character in text if _printable(character))


def _printable(character: str) -> bool:
    if character in _REORDERING:
        return False
    return character.isspace() or unicodedata.category(character) not in {"Cc", "Cs"}


def quoted(title: str) -> str:
    """A title inside a sentence, short enough to leave room for the sentence."""
    return f"“{one_line(title, 120)}”"


def tokens(count: int) -> str:
    """A number of tokens as people say it: 850, 1.5 k, 200 k, 1.2 M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if count >= size:
            value = count / size
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f}".removesuffix(".0") + f" {unit}"
    return str(count)


def plural(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def listing(items: Sequence[str]) -> str:
    """a, b and c."""
    return " and ".join([", ".join(items[:-1]), items[-1]] if len(items) > 1 else items)


def ago(now: datetime, then: datetime) -> str:
    """How long since, in the largest unit that is honest."""
    seconds = max(0, int((now - then).total_seconds()))
    for size, unit in ((86_400, "day"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            count = seconds // size
            return f"{plural(count, 'day')} ago" if unit == "day" else f"{count} {unit} ago"
    return "just now"


def duration(seconds: float) -> str:
    """A length of time: 3 h 12 min, 40 s."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{plural(days, 'day')} {hours} h" if hours else plural(days, "day")
    if hours:
        return f"{hours} h {minutes} min" if minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{rest} s"


def dots(done: int, total: int) -> str:
    """Progress over a short chain: ●●●○○○."""
    return "●" * done + "○" * (total - done)


def bar(used: int, budget: int) -> str:
    """Ten cells and the percentage, which may pass 100."""
    percent = used * 100 // budget
    cells = min(10, percent // 10)
    return f"{'▓' * cells}{'░' * (10 - cells)} {percent} %"
