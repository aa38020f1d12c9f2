"""What an agent asks a person for when its turn is tainted, in the words of a card."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bridges.splitting import shorten
from host.coordination.calls import RELEASE, RESERVE, SEND
from host.coordination.conflicts import span
from host.coordination.identity import PREFIX
from host.phrases import count, listed, one_line, quoted

VALUE = 160  #: UTF-16 units of one parameter; DETAILS shows everything


def asks(operation: str, arguments: Mapping[str, Any]) -> str:
    """Continues "The agent asks: "."""
    if operation == SEND:
        return f"write to {_agents(arguments)}"
    if operation == RESERVE:
        return f"reserve {_paths(arguments)}"
    if operation == RELEASE:
        return f"release {_paths(arguments)}"
    return "tell other agents about itself"


def effect(operation: str, arguments: Mapping[str, Any]) -> str:
    """Continues "Approve → "."""
    if operation == SEND:
        return "they find the message in their inbox."
    if operation == RESERVE:
        lasts = span(timedelta(minutes=arguments.get("minutes", 30)))
        others = "may read them only" if arguments.get("shared") else "are kept off them"
        if minutes := arguments.get("wait_minutes"):
            waits = span(timedelta(minutes=minutes))
            return f"other agents {others} for {lasts}, once nobody holds them; it waits {waits} for that."
        return f"other agents {others} for {lasts}, if nobody holds them by then."
    if operation == RELEASE:
        return "other agents may edit them."
    return "agents of the project read it."


def lines(operation: str, arguments: Mapping[str, Any]) -> tuple[str, ...]:
    """The parameters that matter and are not said already."""
    hidden = {"as", "project", *_SAID.get(operation, ())}
    shown = {name: value for name, value in arguments.items() if name not in hidden}
    return tuple(
        f"{_name(name)}: {shorten(one_line(_value(value), VALUE), VALUE)}" for name, value in shown.items()
    )


_SAID = {
    SEND: ("to",),
    RESERVE: ("paths", "minutes", "shared", "wait_minutes"),
    RELEASE: ("paths", "everything"),
}


def _agents(arguments: Mapping[str, Any]) -> str:
    return listed([quoted(each.removeprefix(PREFIX), 60) for each in arguments["to"]], 3)


def _paths(arguments: Mapping[str, Any]) -> str:
    if arguments.get("everything"):
        return "everything it holds"
    paths = arguments["paths"]
    return count(len(paths), "path") if len(paths) > 3 else listed([quoted(each, 80) for each in paths], 3)


def _name(name: str) -> str:
    words = name.removesuffix("_id").replace("_", " ")
    return words[0].upper() + words[1:]


def _value(value: Any) -> str:
    return ", ".join(str(item) for item in value) if isinstance(value, (list, tuple)) else str(value)
