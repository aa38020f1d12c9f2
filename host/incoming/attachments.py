"""The files that came with messages: noted with the message, and where they lie once they were fetched."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from asyncpg.protocol import Record

from bridges.messages import Attachment, AttachmentKind
from storage import sql
from storage.database import Connection, Database

MOST = 10  #: files of one message

_SQL = sql.load("host", "attachments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """One file of a message."""

    message: UUID
    place: int
    kind: AttachmentKind
    handle: str
    name: str
    mime: str
    size: int | None
    path: str | None  #: in the group's folder, once it is there
    refused: str | None  #: why it never will be


async def note(conn: Connection, message: UUID, attachments: Sequence[Attachment]) -> None:
    """Keep what came with a message; in the message's transaction."""
    for place, each in enumerate(attachments[:MOST]):
        row = (message, place, each.kind.value, each.handle, each.name, each.mime, each.size)
        await conn.execute(_SQL["attachments.note"], *row)


class Attachments:
    """The store of what was noted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, messages: Sequence[UUID]) -> list[Noted]:
        """In the order of the messages."""
        rows = await self._database.fetch(_SQL["attachments.of"], list(messages))
        return [_noted(row) for row in rows]

    async def arrived(self, noted: Noted, path: str, mime: str, size: int) -> None:
        """It lies in the group's folder now."""
        row = (noted.message, noted.place, path, mime, size)
        await self._database.execute(_SQL["attachments.arrived"], *row)

    async def refuse(self, conn: Connection, noted: Noted, reason: str) -> None:
        await conn.execute(_SQL["attachments.refuse"], noted.message, noted.place, reason)


def _noted(row: Record) -> Noted:
    return Noted(
        message=row["message"],
        place=row["place"],
        kind=AttachmentKind(row["kind"]),
        handle=row["handle"],
        name=row["name"],
        mime=row["mime"],
        size=row["size"],
        path=row["path"],
        refused=row["refused"],
    )
