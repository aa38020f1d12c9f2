"""What was said in a group, by people, agents and the host, newest pages first, for whoever shows rooms.

Every change of a row here is told on the channel `host_room` as JSON: folder, kind ("message" or "post"), id.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg.protocol import Record

from bridges.messages import Content
from host.outgoing.contents import decode, shows_nothing
from host.outgoing.outbox import PostKind
from storage import sql
from storage.database import Database

CHANNEL = "host_room"
_MOST = 500
_SQL = sql.load("host", "transcript")


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFile:
    """A file that came with a message or that an agent sent."""

    handle: str  #: the network's own for what came with a message, else the file's id
    name: str
    mime: str
    size: int | None
    refused: str | None = None  #: why the agent did not get it


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One message of a group's conversation. Texts and names are untrusted."""

    id: UUID  #: sorts by creation; an edited or finished entry keeps it
    folder: str
    kind: PostKind | None  #: None for what a person wrote
    address: str
    content: Content  #: without the picture's bytes
    at: datetime
    person: str = ""
    person_name: str = ""
    refs: tuple[str, ...] = ()  #: the messages that show it in its chat
    picture: UUID | None = None
    activity: str = ""  #: of a preview: what the agent does meanwhile
    sent: bool = True  #: its chat shows it as it reads here
    failed: str | None = None
    edited: bool = False
    approval: UUID | None = None
    turn: UUID | None = None
    files: tuple[EntryFile, ...] = ()
    reading: str = ""  #: "queued" while the agent is busy with something else, "read" from then on

    @property
    def gone(self) -> bool:
        """It was taken back: nothing is to be shown."""
        shows = self.picture is not None or self.activity or self.files
        return not shows and shows_nothing(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class RoomChange:
    """A notification of `host_room`."""

    folder: str
    kind: str
    id: UUID


class Transcript:
    """Reads messages and posts as one conversation."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, folder: str, before: UUID | None, limit: int) -> Sequence[Entry]:
        """The newest `limit` entries older than `before`, oldest first."""
        rows = await self._database.fetch(_SQL["transcript.page"], folder, before, max(1, min(limit, _MOST)))
        return [_entry(row) for row in reversed(rows)]

    async def entry(self, folder: str, entry: UUID) -> Entry | None:
        row = await self._database.fetchrow(_SQL["transcript.entry"], folder, entry)
        return None if row is None else _entry(row)

    async def last(self, folder: str) -> UUID | None:
        """The newest entry's id."""
        newest: UUID | None = await self._database.fetchval(_SQL["transcript.last"], folder)
        return newest

    async def picture(self, folder: str, picture: UUID) -> bytes | None:
        """A PNG that was posted in the group."""
        png: bytes | None = await self._database.fetchval(_SQL["transcript.picture"], folder, picture)
        return png


def read_change(payload: str) -> RoomChange:
    """Parse what `host_room` carries."""
    told = json.loads(payload)
    return RoomChange(folder=told["folder"], kind=told["kind"], id=UUID(told["id"]))


def _entry(row: Record) -> Entry:
    if row["kind"] == "message":
        return Entry(
            id=row["id"],
            folder=row["folder"],
            kind=None,
            address=row["address"],
            content=Content(text=row["text"]),
            at=row["at"],
            person=row["person"] or "",
            person_name=row["person_name"] or "",
            refs=(row["ref"],) if row["ref"] else (),
            turn=row["turn"],
            files=_files(row),
            reading=row["reading"],
        )
    kind = PostKind(row["kind"])
    return Entry(
        id=row["id"],
        folder=row["folder"],
        kind=kind,
        address=row["address"],
        content=decode(row["content"]),
        at=row["at"],
        refs=tuple(row["refs"]),
        picture=row["picture"],
        activity=row["content"].get("activity", ""),
        sent=row["sent_version"] >= row["version"],
        failed=row["failed"],
        edited=kind is PostKind.DECISION and row["version"] > 1,
        approval=row["approval"],
        turn=row["turn"],
        files=_files(row),
    )


def _files(row: Record) -> tuple[EntryFile, ...]:
    return tuple(EntryFile(**each) for each in row["files"] or ())
