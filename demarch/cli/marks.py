"""Reasons as the kernel keeps them: one printable line that names the person, with the write's key as a mark.

The kernel has no field for either, and what it keeps of a move is the only proof whose move it was.
"""

import hashlib
import re

from demarch.phrases import one_line

LONGEST = 500  #: characters of a reason, without its mark

_PLAIN = re.compile(r"[A-Za-z0-9._:/-]{1,200}")
_MARK = re.compile(r" ?\[intercom ([A-Za-z0-9._:/-]{1,200})\]")


def name_of(key: str) -> str:
    """The key as it can stand in a command line and in a mark."""
    if _PLAIN.fullmatch(key):
        return key
    return "sha256:" + hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:40]


def printable(text: str, limit: int = LONGEST) -> str:
    """One line without anything the kernel would write as an escape that is no JSON."""
    return one_line("".join(c if c.isprintable() or c.isspace() else "" for c in text), limit)


def signed(reason: str, actor: str, otherwise: str = "decided") -> str:
    """The reason with the person in it; without a reason: who did it."""
    # Words of an agent must not be able to look like the mark of another write.
    words, who = printable(_MARK.sub("", reason)), printable(_MARK.sub("", actor), 120)
    if not words:
        return f"{otherwise} by {who}" if who else otherwise
    return words if not who or who in words else f"{words} (by {who})"


def marked(words: str, key: str) -> str:
    return f"{words} [intercom {name_of(key)}]"


def unmarked(text: str) -> tuple[str, str]:
    """The text without its mark, and the key that stood there ("" without one)."""
    found = _MARK.search(text)
    return (text, "") if found is None else (text[: found.start()] + text[found.end() :], found[1])
