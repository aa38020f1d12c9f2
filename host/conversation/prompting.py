"""What an agent reads: waiting messages rendered so that nobody can pass for somebody else. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID
from xml.sax.saxutils import escape

LONGEST = 100_000  #: characters of one prompt; the newest messages that fit are read
_FILE = 300  #: characters that telling of a file takes, about
MOST = 200  #: messages of one prompt
#: control characters, and what is no character of XML (1.0, section 2.2)
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """A file that came with a message, as the agent is told of it."""

    name: str
    mime: str = ""
    size: int = 0
    path: str = ""  #: inside
    refused: str = ""  #: why it is not there


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message an agent is to read."""

    text: str
    sent_at: datetime
    sender: str = ""  #: untrusted; empty for the host
    code: str = ""  #: of the approval a host message reports
    of_host: bool = False
    id: UUID | None = None
    ref: str | None = None  #: in its chat
    files: tuple[Received, ...] = ()


def render(lines: Sequence[Line], *, outbox: str = "") -> str:
    """People's messages inside one <messages> element, what the host tells after it.

    `outbox` is where files for the chat belong, when the agent cannot know it.
    """
    kept = newest(lines)
    said = [_message(line) for line in kept if not line.of_host]
    if said and len(kept) < len(lines):
        said.insert(0, f'<omitted messages="{len(lines) - len(kept)}"/>')
    told = [_outcome(line) for line in kept if line.of_host]
    spoken = [f"<messages>{''.join(said)}</messages>"] if said else []
    place = [f'<outbox path="{attribute(outbox)}"/>'] if outbox else []
    return "\n".join([*spoken, *told, *place])


def triggers(text: str, *, name: str, required: bool, addressed: bool) -> bool:
    """Whether a message asks the agent to answer, rather than being context for the next that does."""
    if not required or addressed:
        return True
    return re.match(rf"@{re.escape(name)}\b", text.strip(), re.IGNORECASE) is not None


def without_trigger(text: str, name: str) -> str:
    """The text after a leading @Name."""
    return re.sub(rf"^\s*@{re.escape(name)}\b[\s,:]*", "", text, count=1, flags=re.IGNORECASE)


def newest(lines: Sequence[Line]) -> list[Line]:
    """Those that are read: the last ones, as many as fit."""
    kept: list[Line] = []
    room = LONGEST
    for line in reversed(lines):
        room -= len(line.text) + len(line.sender) + 80 + _FILE * len(line.files)
        if kept and (room < 0 or len(kept) >= MOST):
            break
        kept.append(line)
    return kept[::-1]


def stamp(when: datetime) -> str:
    """A time as agents read it."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _message(line: Line) -> str:
    sender = attribute(line.sender)
    files = "".join(_file(each) for each in line.files)
    return f'<message sender="{sender}" time="{stamp(line.sent_at)}">{escaped(line.text)}{files}</message>'


def _file(file: Received) -> str:
    if file.refused:
        return f'<attachment name="{attribute(file.name)}" refused="{attribute(file.refused)}"/>'
    return (
        f'<attachment name="{attribute(file.name)}" type="{attribute(file.mime)}" size="{file.size}" '
        f'path="{attribute(file.path)}"/>'
    )


def _outcome(line: Line) -> str:
    code = f' code="{attribute(line.code)}"' if line.code else ""
    return f"<outcome{code}>{escaped(line.text)}</outcome>"


def escaped(text: str) -> str:
    """Any text between tags; it cannot make one."""
    return escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))


def attribute(text: str) -> str:
    """Any text as one line between quotation marks."""
    return escape(" ".join(_CONTROL.sub("", text).split()), {'"': "&quot;", "'": "&apos;"})
