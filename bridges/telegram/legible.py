"""Text from outside made safe to store and to show: no NUL, no lone surrogates, bounded."""

import unicodedata

TEXT_LIMIT = 100_000
NAME_LIMIT = 128


def legible(text: str) -> str:
    """The text without what PostgreSQL or UTF-8 cannot hold."""
    if "\x00" in text:
        text = text.replace("\x00", "")
    return text.encode("utf-8", "replace").decode("utf-8") if not text.isascii() else text


def bounded(text: str) -> str:
    """A message's text, cut with a note when it is absurdly long."""
    if len(text) <= TEXT_LIMIT:
        return legible(text)
    return legible(text[:TEXT_LIMIT]) + f"\n[cut: the message had {len(text):,} characters]"


def display(name: str) -> str:
    """A name of a person, a chat or a file on one line, without control or direction characters."""
    kept = (" " if character.isspace() else character for character in legible(name[: 4 * NAME_LIMIT]))
    visible = "".join(character for character in kept if unicodedata.category(character) not in ("Cc", "Cf"))
    return " ".join(visible.split())[:NAME_LIMIT]
