"""Stores what agents are to read; called from the transaction that makes it so."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from bridges.messages import ChatMessage
from host.incoming.attachments import note
from host.incoming.reception import Fate, Reception
from storage import sql
from storage.database import Connection

_SQL = sql.load("host", "messages")
#: the code of a claim is kept nowhere
_SECRET = re.compile(r"^(\s*/claim\S*)\s[\s\S]*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class HostWord:
    """Something an agent is to read that no person wrote."""

    lane: str
    folder: str
    address: str
    text: str
    code: str = ""  #: of the approval it reports
    tainted: bool = False
    quiet: bool = False  #: asks for no answer: the agent reads it with the next message that does


async def keep_message(
    conn: Connection, message_id: UUID, message: ChatMessage, reception: Reception, now: datetime
) -> None:
    """Keep a person's message in its lane: for the agent, or as an aside that only the transcript shows."""
    if reception.group is None:
        raise ValueError("a message without a group is not kept")
    await conn.execute(
        _SQL["messages.insert"],
        message_id,
        reception.group.folder,
        reception.lane,
        message.address,
        "person" if reception.fate is Fate.AGENT else "aside",
        message.sender.address,
        message.sender.name,
        _SECRET.sub(r"\1 …", message.text),
        message.ref,
        message.reply_to,
        reception.triggers,
        reception.tainted,
        message.sent_at,
        now,
    )
    await note(conn, message_id, message.attachments)


async def release(conn: Connection, message_id: UUID) -> str | None:
    """Give an aside to the agent after all; the lane to wake, if it asks for an answer."""
    row = await conn.fetchrow(_SQL["messages.release"], message_id)
    lane: str | None = row["lane"] if row is not None and row["triggers"] else None
    return lane


async def keep_host_message(conn: Connection, message_id: UUID, word: HostWord, now: datetime) -> None:
    """Keep what the host itself has to tell an agent."""
    place = (message_id, word.folder, word.lane, word.address)
    said = ("host", None, None, word.text, word.code or None, None, not word.quiet, word.tainted)
    await conn.execute(_SQL["messages.insert"], *place, *said, now, now)
