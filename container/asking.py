"""What an agent asks leave for: exactly, bounded, and with nothing in it that hides from the eye."""

from collections.abc import Collection, Iterator, Sequence
from difflib import unified_diff

from acp.schema import (
    ContentToolCallContent,
    FileEditToolCallContent,
    RequestPermissionRequest,
    TextContentBlock,
    ToolCallStart,
    ToolCallUpdate,
)

from container.agent import PermissionRequest
from container.tool_lines import ToolCall, compact, one_line, own_tool, tool_line

LONGEST_TITLE = 300
LONGEST_DETAIL = 8000  #: more than fits on a card; what is cut is never put before people
LONGEST_COMPARED, MOST_COMPARED = 20_000, 1000  #: characters and lines, to be shown as a difference
_KEPT = "\n\t"


def asked(request: RequestPermissionRequest, known: ToolCall, tools: Collection[str]) -> PermissionRequest:
    """The request as people and policy read it; `known` is what the agent said of the same call before."""
    update = request.tool_call
    call = merged(known, update)
    tool = own_tool(call.title, tools)
    title = tool or one_line(call.title) or tool_line(call, tools)
    details = [*_details(call, update.content or (), ours=bool(tool))]
    if len(title) > LONGEST_TITLE and call.title not in details:
        details.insert(0, call.title)
    return PermissionRequest(
        title=title[:LONGEST_TITLE],
        kind=call.kind or "other",
        detail=_bounded("\n".join(details)),
        tool=tool,
    )


def merged(known: ToolCall, update: ToolCallStart | ToolCallUpdate) -> ToolCall:
    """What is known of a call after the agent said more of it."""
    places = [location.path for location in update.locations or ()]
    return known.told(update.title, update.kind, update.raw_input, places)


def shown(text: str) -> str:
    """Text in which every character can be seen: what would reorder, hide or move is spelt out."""
    return "".join(
        c if c.isprintable() or c in _KEPT else c.encode("unicode_escape", "replace").decode("ascii")
        for c in text
    )


def _details(call: ToolCall, content: Sequence[object], *, ours: bool) -> Iterator[str]:
    told = False
    if call.kind == "execute" and not ours and (command := _command(call.given)):
        told = True
        yield command
        if isinstance(folder := call.given.get("cwd"), str):
            yield f"in {folder}"
    for part in content:
        if isinstance(part, FileEditToolCallContent):
            told = True
            yield _edit(part.path, part.old_text or "", part.new_text)
    if not told and call.given not in (None, {}):
        told = True
        yield compact(call.given)
    if not told:
        texts = [
            part.content.text
            for part in content
            if isinstance(part, ContentToolCallContent) and isinstance(part.content, TextContentBlock)
        ]
        yield from [call.title, *call.places, *texts]


def _command(given: object) -> str:
    command = given.get("command") if isinstance(given, dict) else None
    if isinstance(command, list):
        return compact(command)
    return command if isinstance(command, str) else ""


def _edit(path: str, old: str, new: str) -> str:
    """What becomes of a file: the changed lines, or all of it when it is new or long."""
    if not old or len(old) + len(new) > LONGEST_COMPARED or (old + new).count("\n") > MOST_COMPARED:
        return f"{path}\n{new}"
    lines = unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1)
    return "\n".join([path, *list(lines)[2:]])


def _bounded(text: str) -> str:
    if len(text) <= LONGEST_DETAIL:
        return shown(text)
    return f"{shown(text[:LONGEST_DETAIL])}\n… and {len(text) - LONGEST_DETAIL:,} more characters"
