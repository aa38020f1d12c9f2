"""Translates between ACP's words and ours: updates, permission options, errors."""

from collections.abc import Sequence
from typing import Any

from acp import RequestError
from acp.schema import (
    AgentMessageChunk,
    PermissionOption,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
)

from container.agent import Permission, TurnEvents

LONGEST_TITLE = 200
MOST_TITLES = 200  #: tool calls of one turn whose titles are remembered
LONGEST_ERROR = 500
_ONCE = {Permission.ALLOW: "allow_once", Permission.REJECT: "reject_once"}


def show(update: object, events: TurnEvents, titles: dict[str, str]) -> None:
    """Tell what happened; thoughts, plans, usage and whatever else an agent reports are not shown."""
    match update:
        case AgentMessageChunk(content=TextContentBlock(text=text)):
            events.text(text)
        case ToolCallStart():
            _tool(events, titles, update.tool_call_id, update.title, update.status)
        case ToolCallProgress():
            _tool(events, titles, update.tool_call_id, update.title, update.status)
        case _:
            pass


def _tool(
    events: TurnEvents, titles: dict[str, str], call: str, title: str | None, status: str | None
) -> None:
    call = call[:LONGEST_TITLE]
    told = " ".join((title or "").split())[:LONGEST_TITLE] or titles.get(call, "using a tool")
    if len(titles) < MOST_TITLES:
        titles[call] = told
    events.tool(call, told, finished=status in {"completed", "failed"})


def chosen(options: Sequence[PermissionOption], permission: Permission | None) -> dict[str, Any]:
    """The answer to a permission request. Never an option that holds beyond this once; None: cancelled."""
    wanted = _ONCE.get(permission) if permission is not None else None
    for option in options:
        if option.kind == wanted:
            return {"outcome": {"outcome": "selected", "optionId": option.option_id}}
    return {"outcome": {"outcome": "cancelled"}}


def describe(error: RequestError) -> str:
    """An agent's error as a sentence."""
    details = error.data.get("details") if isinstance(error.data, dict) else None
    text = f"{error}: {details}" if isinstance(details, str) and details else str(error)
    printable = "".join(c if c.isprintable() else " " for c in text)
    return f"The agent refused: {' '.join(printable.split())[:LONGEST_ERROR]}"
