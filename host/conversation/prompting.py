"""What an agent reads: waiting messages rendered so that nobody can pass for somebody else. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from xml.sax.saxutils import escape

LONGEST = 100_000  #: characters of one prompt; the newest messages that fit are read
MOST = 200  #: messages of one prompt
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One message an agent is to read."""

    text: str
    sent_at: datetime
    sender: str = ""  #: untrusted; empty for the host
    code: str = ""  #: of the approval a host message reports
    of_host: bool = False


def render(lines: Sequence[Line]) -> str:
    """People's messages inside one <messages> element, what the host tells after it."""
    kept = _newest(lines)
    said = [_message(line) for line in kept if not line.of_host]
    if said and len(kept) < len(lines):
        said.insert(0, f'<omitted messages="{len(lines) - len(kept)}"/>')
    told = [_outcome(line) for line in kept if line.of_host]
    spoken = [f"<messages>{''.join(said)}</messages>"] if said else []
    return "\n".join([*spoken, *told])


def triggers(text: str, *, name: str, required: bool, addressed: bool) -> bool:
    """Whether a message asks the agent to answer, rather than being context for the next that does."""
    if not required or addressed:
        return True
    return re.match(rf"@{re.escape(name)}\b", text.strip(), re.IGNORECASE) is not None


def without_trigger(text: str, name: str) -> str:
    """The text after a leading @Name."""
    return re.sub(rf"^\s*@{re.escape(name)}\b[\s,:]*", "", text, count=1, flags=re.IGNORECASE)


def _newest(lines: Sequence[Line]) -> list[Line]:
    kept: list[Line] = []
    room = LONGEST
    for line in reversed(lines):
        room -= len(line.text) + len(line.sender) + 80
        if kept and (room < 0 or len(kept) >= MOST):
            break
        kept.append(line)
    return kept[::-1]


def _message(line: Line) -> str:
    time = line.sent_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f'<message sender="{_attribute(line.sender)}" time="{time}">{_text(line.text)}</message>'


def _outcome(line: Line) -> str:
    code = f' code="{_attribute(line.code)}"' if line.code else ""
    return f"<outcome{code}>{_text(line.text)}</outcome>"


def _text(text: str) -> str:
    return escape(_CONTROL.sub("\N{REPLACEMENT CHARACTER}", text))


def _attribute(text: str) -> str:
    return escape(" ".join(_CONTROL.sub("", text).split()), {'"': "&quot;", "'": "&apos;"})
