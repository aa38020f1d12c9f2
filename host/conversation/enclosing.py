"""Brings the files that people sent to the agent that reads their messages: fetched, looked at, laid down.

Nothing is fetched before an agent is about to read it, so a chat without a group costs nothing.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from uuid import UUID

import structlog

from bridges.messages import Content
from bridges.port import BridgeError, BridgeUnavailable, ChatBridge, FileRefused, RateLimited
from container.agent import Enclosure
from container.folder import FolderError, GroupFolder
from container.planning import GROUP_FOLDER
from host.conversation.group_rates import GroupRates
from host.conversation.prompting import Line, Received, newest
from host.conversation.sentences import not_read
from host.conversation.turns import Asked, Turn
from host.incoming.attachments import Attachments, Noted
from host.incoming.file_names import safe_name
from host.incoming.file_types import FileType, recognise
from host.meter import Meter
from host.outgoing.outbox import Outbox, PostKind
from host.phrases import one_line
from storage.clock import Clock
from storage.database import Database

log = structlog.get_logger()

FolderOf = Callable[[str], GroupFolder]

FOLDER = "attachments"
LARGEST = 20_000_000  #: bytes of one file
MOST_BYTES = 50_000_000  #: of one prompt
INLINE = 4_000_000  #: bytes of one file that is handed over beside lying in the folder
MOST_INLINE = 12_000_000  #: of one prompt
PATIENCE = 120.0  #: seconds for all files of one prompt
PAUSES = (1.0, 3.0)  #: before the second and third try
LONGEST_HOLD = 10.0  #: seconds a network may ask to wait before the file is given up

TOO_LATE = "it did not arrive in time; send it again"


class Refused(Exception):
    """A file the agent will not get; the words say why."""


@dataclass(slots=True)
class _Round:
    """What one prompt has been given so far."""

    turn: Turn
    folder: GroupFolder
    bytes: int = 0
    inline: int = 0
    enclosures: list[Enclosure] = field(default_factory=list)
    received: dict[UUID, list[Received]] = field(default_factory=dict)
    refused: list[tuple[Noted, str]] = field(default_factory=list)


class Enclosing:
    """Fetches through the bridge of the chat; writes through the group's folder."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        bridges: Mapping[str, ChatBridge],
        folder_of: FolderOf,
        clock: Clock,
        meter: Meter,
    ) -> None:
        self._database = database
        self._attachments = Attachments(database)
        self._outbox = outbox
        self._bridges = bridges
        self._folder_of = folder_of
        self._clock = clock
        self._meter = meter
        self._rates = GroupRates(clock.now)
        self._decoding = asyncio.Semaphore(1)  #: a picture may need 100 MB for a moment

    async def bring(self, turn: Turn, asked: Asked) -> tuple[Asked, tuple[Enclosure, ...]]:
        """The messages with what became of their files, and the files. Raises StorageError."""
        lines = {line.id: line for line in newest(asked.lines) if line.id is not None and not line.of_host}
        noted = await self._attachments.of(list(lines)) if lines else []
        if not noted:
            return asked, ()
        work = _Round(turn, self._folder_of(turn.folder))
        started = self._clock.now()
        for each in reversed(noted):  # the newest first, while there is room
            late = (self._clock.now() - started).total_seconds() >= PATIENCE
            await self._take(work, each, late=late)
        await self._tell(work, lines)
        whole = tuple(
            replace(line, files=tuple(reversed(work.received.get(line.id, ())))) if line.id else line
            for line in asked.lines
        )
        return replace(asked, lines=whole), tuple(reversed(work.enclosures))

    async def _take(self, work: _Round, noted: Noted, *, late: bool) -> None:
        received = work.received.setdefault(noted.message, [])
        try:
            if noted.refused is not None:
                raise Refused(noted.refused)
            if noted.path is not None:
                enclosure, size = await self._lies_there(work, noted, noted.path)
            else:
                enclosure, size = await self._bring(work, noted, late=late)
        except Refused as refusal:
            received.append(Received(name=_shown(noted), refused=str(refusal)))
            if noted.refused is None and noted.path is None:
                work.refused.append((noted, str(refusal)))
            return
        work.enclosures.append(enclosure)
        received.append(Received(name=enclosure.name, mime=enclosure.mime, size=size, path=enclosure.place))

    async def _bring(self, work: _Round, noted: Noted, *, late: bool) -> tuple[Enclosure, int]:
        if late:
            raise Refused(TOO_LATE)
        if noted.size is not None and noted.size > LARGEST:
            raise Refused(f"it is larger than {LARGEST // 1_000_000} MB")
        if self._rates.exhausted(work.turn.folder):
            raise Refused("this group has had its files for the last hour; send it again later")
        room = MOST_BYTES - work.bytes
        if (noted.size or 0) > room or room <= 0:
            raise Refused(f"more than {MOST_BYTES // 1_000_000} MB came at once; send it by itself")
        data = await self._fetch(work.turn.address, noted, min(LARGEST, room))
        work.bytes += len(data)
        self._rates.count(work.turn.folder, len(data))
        found = await self._recognise(data, noted.mime)
        path = _path(noted)
        try:
            await asyncio.to_thread(work.folder.write, path, data)
        except FolderError as error:
            log.warning("attachment.not_written", lane=work.turn.lane, reason=str(error))
            raise Refused("the group's folder does not take it") from error
        await self._attachments.arrived(noted, path, found.mime, len(data))
        self._meter.count("files.in", kind=noted.kind.value)
        return self._enclosure(work, noted, path, data, found), len(data)

    async def _lies_there(self, work: _Round, noted: Noted, path: str) -> tuple[Enclosure, int]:
        """It was brought before, for an attempt that was cut off; what the agent made of it is its own."""
        place = f"{GROUP_FOLDER}/{path}"
        try:
            data = await asyncio.to_thread(work.folder.read, path, LARGEST)
        except FolderError:
            return Enclosure(name=path.rpartition("/")[2], mime=noted.mime, place=place), noted.size or 0
        found = await self._recognise(data, noted.mime)
        return self._enclosure(work, noted, path, data, found), len(data)

    async def _recognise(self, data: bytes, claimed: str) -> FileType:
        async with self._decoding:
            return await asyncio.to_thread(recognise, data, claimed)

    def _enclosure(self, work: _Round, noted: Noted, path: str, data: bytes, found: FileType) -> Enclosure:
        inline = found.inline and len(data) <= INLINE and work.inline + len(data) <= MOST_INLINE
        work.inline += len(data) if inline else 0
        if found.doubted:
            log.info("attachment.doubted", claimed=noted.mime, found=found.mime)
        return Enclosure(
            name=path.rpartition("/")[2],
            mime=found.mime,
            place=f"{GROUP_FOLDER}/{path}",
            data=data if inline else None,
        )

    async def _fetch(self, address: str, noted: Noted, most: int) -> bytes:
        bridge = self._bridges.get(address.partition(":")[0])
        if bridge is None:
            raise Refused("this chat's network is not connected")
        tried = 0
        while True:
            try:
                return await bridge.fetch(noted.handle, most)
            except FileRefused as error:
                raise Refused(one_line(error, 200)) from error
            except BridgeUnavailable as error:
                asked = error.retry_after if isinstance(error, RateLimited) else 0.0
                if tried >= len(PAUSES) or asked > LONGEST_HOLD:
                    log.info("attachment.not_fetched", reason=str(error))
                    raise Refused("its network did not hand it over; send it again") from error
                await self._clock.sleep(max(PAUSES[tried], asked))
                tried += 1
            except BridgeError as error:
                raise Refused("its network does not hand it over") from error

    async def _tell(self, work: _Round, lines: Mapping[UUID, Line]) -> None:
        """Note what was refused, and tell whoever sent it: one message for one message."""
        told: dict[UUID, list[tuple[Noted, str]]] = {}
        for noted, reason in reversed(work.refused):
            told.setdefault(noted.message, []).append((noted, reason))
        for message, refused in told.items():
            async with self._database.transaction() as conn:
                for noted, reason in refused:
                    await self._attachments.refuse(conn, noted, reason)
                await self._outbox.put(
                    conn,
                    address=work.turn.address,
                    kind=PostKind.NOTICE,
                    content=Content(
                        text=not_read([(_shown(noted), reason) for noted, reason in refused]),
                        reply_to=lines[message].ref,
                    ),
                    folder=work.turn.folder,
                    slot=f"refused:{message}",
                )
            self._outbox.wake(work.turn.address)


def _path(noted: Noted) -> str:
    """A folder per message, so that names never meet."""
    stem = f"{noted.message.hex[-12:]}"
    first = f"{noted.place + 1}-" if noted.place else ""
    return f"{FOLDER}/{stem}/{first}{safe_name(noted.name)}"


def _shown(noted: Noted) -> str:
    return one_line(noted.name, 80) or noted.kind.value
