"""What of an agent's own requests runs freely, what a person decides, and what cannot even be asked. Pure.

The container is the sandbox: what stays inside it needs nobody's leave. Our own tools are judged where they
are called, one by one. Everything else may lead out and is put on a card, each request once, with all of it.
"""

from enum import StrEnum

from bridges.splitting import units
from container.agent import PermissionRequest
from host.phrases import HIDDEN, one_line

#: Kinds of work on files and in shells, as ACP names them; what an agent calls its tool does not matter.
INSIDE = frozenset({"read", "edit", "delete", "move", "search", "execute", "think"})
TITLE = 200  #: UTF-16 units of a request's title on its card
ROOM = 3000  #: UTF-16 units on a card for what would run; what needs more cannot be approved
MOST_LINES = 60
_MARGIN = "│ "  #: before each line of the agent's own words, so that none of it passes for ours


class Ruling(StrEnum):
    ALLOW = "allow"
    ASK = "ask"
    REFUSE = "refuse"  #: a person could not see all of it


def judge(request: PermissionRequest, *, isolated: bool) -> Ruling:
    """`isolated`: the agent is locked in, so that work inside concerns nobody else."""
    if request.tool or (isolated and request.kind in INSIDE):
        return Ruling.ALLOW
    return Ruling.ASK if payload(request) is not None else Ruling.REFUSE


def payload(request: PermissionRequest) -> tuple[str, ...] | None:
    """Exactly what would run, as the lines of a card; None when a card has no room for all of it."""
    words = request.detail
    if one_line(request.title, TITLE) != request.title.strip():
        words = f"{request.title}\n{words}"  # the headline shows it changed
    return whole(words)


def whole(words: str) -> tuple[str, ...] | None:
    """An agent's words as lines of a card, all of them; None when a card has no room for that."""
    if len(words) > ROOM:
        return None
    lines = tuple(f"{_MARGIN}{line}" for line in plain_sight(words).split("\n") if line.strip())
    fits = len(lines) <= MOST_LINES and sum(units(line) + 1 for line in lines) <= ROOM
    return lines if fits else None


def plain_sight(text: str) -> str:
    """The text with every letter to be seen that would hide, turn the writing or move the cursor."""
    return "".join(_shown(letter) for letter in text.replace("\r\n", "\n").expandtabs(4))


def _shown(letter: str) -> str:
    if letter == "\n" or (letter.isprintable() and letter not in HIDDEN):
        return letter
    return f"\\u{{{ord(letter):x}}}"
