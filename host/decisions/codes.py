"""The short codes printed on cards: making them, reading them as typed, and what a button carries."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  #: no 0 O 1 I L: they look alike in print and in the street
LENGTH = 6

Below = Callable[[int], int]  #: a random number from 0 to below its argument (secrets.randbelow)


class Verb(StrEnum):
    """What a person can say to a card."""

    APPROVE = "approve"
    REJECT = "reject"
    DEFER = "defer"
    EXTEND = "extend"
    CANCEL = "cancel"
    VIEW = "view"
    NEXT = "next"
    DETAILS = "details"
    PROMOTE = "promote"
    DISMISS = "dismiss"
    LATER = "later"
    ALLOW = "allow"
    IGNORE = "ignore"
    BLOCK = "block"


@dataclass(frozen=True, slots=True, kw_only=True)
class Keyword:
    """A decision typed as a message of its own: `APPROVE K7Q2MD`, or the verb alone."""

    verb: Verb
    code: str | None


def new_code(below: Below) -> str:
    """Six random characters, at least one letter and one digit, so that no word of a language is a code."""
    while True:
        code = "".join(ALPHABET[below(len(ALPHABET))] for _ in range(LENGTH))
        if is_code(code):
            return code


def is_code(text: str) -> bool:
    return (
        len(text) == LENGTH
        and all(letter in ALPHABET for letter in text)
        and any(letter.isdigit() for letter in text)
        and any(letter.isalpha() for letter in text)
    )


def parse_code(typed: str) -> str | None:
    """A code as a person types it: any case, in one piece or as three and three."""
    words = re.split(r"[\s\-·]+", typed.strip().upper())
    if [len(word) for word in words] not in ([LENGTH], [3, 3]):
        return None
    code = "".join(words)
    return code if is_code(code) else None


def parse_keyword(text: str) -> Keyword | None:
    """A message that is a decision and nothing else. A code inside a longer sentence is not one."""
    if len(text) > 64:
        return None
    words = text.strip().rstrip(".!").split(maxsplit=1)
    verb = _verb(words[0]) if words else None
    if verb is None:
        return None
    if len(words) == 1:
        return Keyword(verb=verb, code=None)
    code = parse_code(words[1])
    return Keyword(verb=verb, code=code) if code else None


def button_data(verb: Verb, code: str) -> str:
    """What a button carries: `verb:code`, always far below the 64 bytes networks allow."""
    return f"{verb}:{code}"


def parse_data(data: str) -> Keyword | None:
    """The other way round; None for anything we did not put on a button."""
    verb, _, code = data.partition(":")
    if verb not in set(Verb) or not is_code(code):
        return None
    return Keyword(verb=Verb(verb), code=code)


def _verb(word: str) -> Verb | None:
    lowered = word.casefold()
    return Verb(lowered) if lowered in set(Verb) else None
