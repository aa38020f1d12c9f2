"""Translates between ACP's words and ours: updates, permission options, errors."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
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
from container.asking import merged
from container.tool_lines import ToolCall, tool_line

LONGEST_ID = 200
MOST_CALLS = 200  #: tool calls of one turn, the latest, of which is remembered what they are
LONGEST_ERROR = 500
_ONCE = {Permission.ALLOW: "allow_once", Permission.REJECT: "reject_once"}


@dataclass(slots=True)
class Told:
    """What an agent has said of one turn up to now."""

    calls: dict[str, ToolCall] = field(default_factory=dict)
    message: str = ""  #: the message its latest text belongs to; "" when a tool was used since


def show(update: object, events: TurnEvents, told: Told, tools: Collection[str]) -> None:
    """Tell what happened; thoughts, plans, usage and whatever else an agent reports are not shown."""
    match update:
        case AgentMessageChunk(content=TextContentBlock(text=text)):
            message = (update.message_id or "")[:LONGEST_ID]
            if told.message and message and told.message != message:
                events.text("\n\n")  # another message begins
            told.message = message
            events.text(text)
        case ToolCallStart() | ToolCallProgress():
            told.message = ""
            call = remembered(update, told.calls)
            finished = update.status in {"completed", "failed"}
            events.tool(
                update.tool_call_id[:LONGEST_ID],
                tool_line(call, tools),
                finished=finished,
                kind=call.kind or "other",
            )
        case _:
            pass


def remembered(update: ToolCallStart | ToolCallProgress, calls: dict[str, ToolCall]) -> ToolCall:
    """What is known of the call now."""
    call = update.tool_call_id[:LONGEST_ID]
    known = merged(calls.get(call, ToolCall()), update)
    calls.pop(call, None)
    calls[call] = known  # the latest last
    if len(calls) > MOST_CALLS:
        del calls[next(iter(calls))]
    return known


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
