"""Messages as JSON, and who sees which of their recipients."""

from collections.abc import Sequence
from typing import NotRequired

from asyncpg.protocol import Record
from typing_extensions import TypedDict

from intermute import times

#: the keyword cannot be a member's name in a class
MessageJson = TypedDict(
    "MessageJson",
    {
        "id": str,
        "thread_id": str,
        "project": str,
        "from": str,
        "to": list[str],
        "cc": NotRequired[list[str]],
        "bcc": NotRequired[list[str]],
        "subject": NotRequired[str],
        "topic": NotRequired[str],
        "body": str,
        "importance": NotRequired[str],
        "ack_required": NotRequired[bool],
        "created_at": str,
        "cursor": int,
    },
)


class PageJson(TypedDict):
    """`cursor` is that of the last message, or the request's; `next_cursor` the same as text."""

    messages: list[MessageJson]
    cursor: int
    next_cursor: str


def page(rows: Sequence[Record], viewer: str, asked: int) -> PageJson:
    """Messages as `viewer` may see them, of a request that came with the cursor `asked`."""
    cursor = rows[-1]["cursor"] if rows else asked
    return {"messages": [message(row, viewer) for row in rows], "cursor": cursor, "next_cursor": str(cursor)}


def message(row: Record, viewer: str) -> MessageJson:
    """What is empty is left out, as Go programs do it."""
    # Unpacked at once: a page has a hundred of them.
    (
        cursor, project, id_, thread_id, sender, recipients, cc, bcc,
        subject, topic, body, importance, ack_required, created_at,
    ) = row  # fmt: skip
    shown: MessageJson = {
        "id": id_,
        "thread_id": thread_id,
        "project": project,
        "from": sender,
        "to": recipients,
        "body": body,
        "created_at": times.precise(created_at),
        "cursor": cursor,
    }
    if cc:
        shown["cc"] = cc
    if bcc and (blind := _blind(bcc, sender, viewer)):
        shown["bcc"] = blind
    if subject:
        shown["subject"] = subject
    if topic:
        shown["topic"] = topic
    if importance:
        shown["importance"] = importance
    if ack_required:
        shown["ack_required"] = True
    return shown


def _blind(bcc: Sequence[str], sender: str, viewer: str) -> list[str]:
    """The sender sees all blind copies, who got one sees its own, nobody else sees any."""
    return [agent for agent in bcc if viewer and viewer in (sender, agent)]
