"""What an agent's tool call is about: put together from all it says of it, and told in one line."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

LONGEST_LINE = 200
LONGEST_INPUT = 80  #: of a tool nobody knows
LONGEST_KEPT = 20_000  #: characters of one thing an agent says of a call; people read far less
MOST_PLACES = 20
SERVER = "intercom"  #: what agents know our tools' server by

_PATHS = ("file_path", "path", "absolute_path", "notebook_path", "filePath")
#: kind of tool: how its line begins, and which of its arguments says what it is about
_KINDS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "execute": ("Run", ("command",)),
    "read": ("Read", _PATHS),
    "edit": ("Edit", _PATHS),
    "delete": ("Delete", _PATHS),
    "move": ("Move", _PATHS),
    "search": ("Search", ("pattern", "query")),
    "fetch": ("Fetch", ("url", "query")),
    "think": ("Task", ("description",)),
}
_OURS = (
    re.compile(rf"(?:Tool: )?(?:mcp__|mcp_|mcp\.)?{SERVER}(?:__|_|\.|/)(\w+)"),
    re.compile(rf"(\w+) \({SERVER} MCP Server\)"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """What an agent has said of one call up to now. All of it is the agent's word."""

    title: str = ""
    kind: str = ""
    given: Any = None  #: the arguments, as the agent shows them
    places: tuple[str, ...] = ()  #: files it is about

    def told(self, title: str | None, kind: str | None, given: Any, places: Collection[str]) -> "ToolCall":
        """The same call after the agent said more of it; what it leaves out stays."""
        return replace(
            self,
            title=(title or self.title)[:LONGEST_KEPT],
            kind=(kind or self.kind)[:LONGEST_LINE],
            given=self.given if given in (None, {}) else _kept(given),
            places=tuple(place[:LONGEST_KEPT] for place in islice(places, MOST_PLACES)) or self.places,
        )


def own_tool(title: str, tools: Collection[str]) -> str:
    """Which of the host's own tools a call is for, by the names agents give them; "" for none."""
    for pattern in _OURS:
        found = pattern.fullmatch(title.strip())
        if found and found[1] in tools:
            return found[1]
    return ""


def tool_line(call: ToolCall, tools: Collection[str]) -> str:
    """One line for people: a tool of ours by its name, else what is done to what."""
    if own := own_tool(call.title, tools):
        return own
    title = one_line(call.title)
    word, arguments = _KINDS.get(call.kind, ("", ()))
    if not word:
        return _short(_unknown(title, call.given))
    about = _argument(call.given, arguments)
    if not about and arguments is _PATHS and call.places:
        about = one_line(call.places[0])
    if not about:
        about = title
        if about.lower().startswith(word.lower()):  # the agent has put it into words itself
            return _short(about)
    if not about:
        return "using a tool"
    return _short(f"{word}: `{about.strip('`')}`" if call.kind == "execute" else f"{word}: {about}")


def one_line(text: str) -> str:
    printable = "".join(c if c.isprintable() else " " for c in text[: 20 * LONGEST_LINE])
    return " ".join(printable.split())


def compact(given: Any) -> str:
    """Arguments as JSON on one line."""
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"), default=str)


def _kept(given: Any) -> Any:
    """Arguments as they are, or the beginning of them as text when they are very long."""
    waiting, weight = [given], 0
    while waiting and weight <= LONGEST_KEPT:
        value = waiting.pop()
        weight += len(value) if isinstance(value, str) else 8
        if isinstance(value, Mapping):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list):
            waiting += value
    return given if weight <= LONGEST_KEPT else compact(given)[:LONGEST_KEPT]


def _argument(given: Any, names: Collection[str]) -> str:
    if not isinstance(given, Mapping):
        return ""
    for name in names:
        value = given.get(name)
        if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
            value = " ".join(value)
        if isinstance(value, str) and (line := one_line(value)):
            return line
    return ""


def _unknown(title: str, given: Any) -> str:
    title = title or "using a tool"
    if given in (None, {}, [], ""):
        return title
    told = one_line(compact(given))
    return f"{title}: {told if len(told) <= LONGEST_INPUT else told[: LONGEST_INPUT - 1] + '…'}"


def _short(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else line[: LONGEST_LINE - 1] + "…"
