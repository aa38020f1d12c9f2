"""A pattern's text cut into tokens. What cannot be read is refused here, with a sentence that says why."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from intermute.errors import InvalidRequest
from intermute.globs import letters
from intermute.globs.letters import ANY, Letters

LENGTH = 4096  #: characters of a pattern
FORKS = 256  #: stars and alternatives of a pattern


class Kind(Enum):
    LETTER = auto()  #: one given character
    CLASS = auto()  #: one of several
    STAR = auto()
    SLASH = auto()
    OPEN = auto()
    COMMA = auto()
    CLOSE = auto()


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    letters: Letters = ()


_SLASH = Token(Kind.SLASH)
_STAR = Token(Kind.STAR)
_ONE = Token(Kind.CLASS, ANY)
_BRACES = {"{": Token(Kind.OPEN), ",": Token(Kind.COMMA), "}": Token(Kind.CLOSE)}


def refused(reason: str) -> InvalidRequest:
    """The error for a pattern that means nothing."""
    return InvalidRequest(f"This is not a path pattern: {reason}.", code="invalid_pattern")


def tokens(text: str) -> Sequence[Token]:
    """The tokens of the text, with braces only where they enclose alternatives. Raises InvalidRequest."""
    found: list[Token] = []
    braces: list[str] = []  # what stands for each token that may turn out to be no more than a character
    at = 0
    while at < len(text):
        token, end = _next(text, at)
        found.append(token)
        braces.append(text[at] if text[at] in _BRACES and end == at + 1 else "")
        at = end
    _settle(found, braces)
    if sum(token.kind in (Kind.STAR, Kind.COMMA) for token in found) > FORKS:
        raise refused(f"it has more than {FORKS} stars and alternatives")
    return found


def _next(text: str, at: int) -> tuple[Token, int]:
    """The token that begins there, and where it ends."""
    character = text[at]
    if character == "/":
        return _SLASH, at + 1
    if character == "*":
        return _STAR, at + 1
    if character == "?":
        return _ONE, at + 1
    if character == "[":
        return _class(text, at)
    if character == "\\":
        escaped, end = _escaped(text, at)
        return Token(Kind.LETTER, letters.letter(escaped)), end
    return Token(Kind.LETTER, letters.letter(character)), at + 1


def _escaped(text: str, at: int) -> tuple[str, int]:
    if text[at + 1 : at + 2] in ("", "/"):
        raise refused("a backslash has nothing to escape")
    return text[at + 1], at + 2


def _class(text: str, at: int) -> tuple[Token, int]:
    """`[a-z_]`, `[!0-9]`, `[^0-9]`; a `]` that comes first is a character."""
    begin = at + 1
    negated = text[begin : begin + 1] in ("!", "^") and bool(text[begin : begin + 1])
    begin = at = begin + negated
    ranges: list[tuple[int, int]] = []
    while at == begin or text[at : at + 1] != "]":
        first, at = _member(text, at)
        last = first
        if text[at : at + 1] == "-" and text[at + 1 : at + 2] not in ("", "]"):
            last, at = _member(text, at + 1)
        if last < first:
            raise refused(f"the range {first}-{last} runs backwards")
        ranges.append((ord(first), ord(last)))
    make = letters.none_of if negated else letters.in_a_name
    return Token(Kind.CLASS, make(ranges)), at + 1


def _member(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] in ("", "/"):
        raise refused("a bracket is not closed")
    return _escaped(text, at) if text[at] == "\\" else (text[at], at + 1)


def _settle(found: list[Token], braces: Sequence[str]) -> None:
    """Put braces and commas in where they enclose alternatives; `{one}` stays as it is written."""
    opened: list[tuple[int, list[int]]] = []
    for at, brace in enumerate(braces):
        if brace == "{":
            opened.append((at, []))
        elif brace == "," and opened:
            opened[-1][1].append(at)
        elif brace == "}" and opened:
            start, commas = opened.pop()
            for place in (start, *commas, at) if commas else ():
                found[place] = _BRACES[braces[place]]
    if opened:
        raise refused("a brace is not closed")
