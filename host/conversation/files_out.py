"""Sends the files an agent left in its outbox folder to the chat, when its turn ends well.

They are committed with the end of the turn and removed from the folder only then. What a crash leaves there
is known again by its place, its content and the moment it was written, so it is sent once.
"""

import asyncio
import hashlib
import mimetypes
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bridges.messages import Content, Document
from container.folder import Entry, FolderError, GroupFolder, NotThere
from host.conversation.group_rates import GroupRates
from host.conversation.sentences import left_behind, not_sent
from host.conversation.turns import Turn
from host.incoming.file_names import safe_name
from host.incoming.file_types import UNKNOWN, recognise
from host.meter import Meter
from host.outgoing.outbox import Outbox, PostKind
from host.phrases import one_line
from storage.clock import Clock
from storage.database import Connection

log = structlog.get_logger()

FOLDER = "outbox"
MOST = 10  #: files of one turn; more come with the next
MOST_BYTES = 50_000_000  #: of one turn
_LOOKED_AT = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One file to send."""

    path: str
    entry: Entry
    document: Document
    slot: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """What lies in the folder when a turn ends."""

    files: tuple[Found, ...] = ()
    unsent: tuple[tuple[str, str], ...] = ()  #: slot and sentence of what cannot be sent
    waiting: int = 0  #: files that come with the next answer


def outbox_folder(lane: str) -> str:
    """Where the agent of a lane leaves files: topics of a group share its folder, not its outbox."""
    _, slash, topic = lane.partition("/")
    return f"{FOLDER}/{safe_name(topic)}" if slash else FOLDER


class FilesOut:
    """Reads beneath the group's folder, in threads; nothing there is trusted to stay as it is."""

    def __init__(
        self,
        *,
        outbox: Outbox,
        folder_of: Callable[[str], GroupFolder],
        clock: Clock,
        meter: Meter,
        largest: int,
    ) -> None:
        self._outbox = outbox
        self._folder_of = folder_of
        self._meter = meter
        self._largest = largest
        self._rates = GroupRates(clock.now)

    async def collect(self, turn: Turn) -> Collected:
        """What is to be sent with the end of this turn. A folder that cannot be read has nothing to send."""
        try:
            return await asyncio.to_thread(self._collect, turn)
        except FolderError as error:
            log.warning("outbox_folder.unreadable", lane=turn.lane, reason=str(error))
            return Collected()

    async def post(self, conn: Connection, turn: Turn, collected: Collected, ref: str | None) -> None:
        """Put the files into the chat; in the transaction that ends the turn."""
        for found in collected.files:
            content = Content(text="", document=found.document, reply_to=ref)
            await self._put(conn, turn, PostKind.ANSWER, found.slot, content)
        for slot, words in collected.unsent:
            await self._put(conn, turn, PostKind.NOTICE, slot, Content(text=words))
        if collected.waiting:
            content = Content(text=left_behind(collected.waiting))
            await self._put(conn, turn, PostKind.NOTICE, f"file:{turn.id}:waiting", content)

    async def clear(self, turn: Turn, collected: Collected) -> None:
        """Remove what was sent; after the commit. What has changed meanwhile is another file, and stays."""
        for found in collected.files:
            try:
                await asyncio.to_thread(self._remove, turn, found)
            except FolderError as error:  # known again by the slot, so it is not sent twice
                log.warning("outbox_folder.not_cleared", lane=turn.lane, reason=str(error))
            self._rates.count(turn.folder, len(found.document.data))
            self._meter.count("files.out")

    async def _put(self, conn: Connection, turn: Turn, kind: PostKind, slot: str, content: Content) -> None:
        await self._outbox.put(
            conn,
            address=turn.address,
            kind=kind,
            content=content,
            folder=turn.folder,
            slot=slot,
            turn=turn.id,
        )

    def _collect(self, turn: Turn) -> Collected:
        folder, place = self._folder_of(turn.folder), outbox_folder(turn.lane)
        try:
            entries = folder.names(place, _LOOKED_AT)
        except NotThere:
            return Collected()
        entries = [entry for entry in entries if not entry.name.startswith(".")]  # not finished yet
        files: list[Found] = []
        unsent: list[tuple[str, str]] = []
        room = MOST_BYTES
        exhausted = self._rates.exhausted(turn.folder)
        left = 0
        for entry in entries:
            if exhausted or len(files) >= MOST or (entry.size > room and entry.size <= self._largest):
                left += 1
                continue
            read = self._read(folder, turn.folder, f"{place}/{entry.name}", entry)
            if isinstance(read, Found):
                room -= len(read.document.data)
                files.append(read)
            elif read:
                words = not_sent(one_line(entry.name, 80), read)
                unsent.append((_slot(turn.folder, f"{place}/{entry.name}", entry, b""), words))
        return Collected(files=tuple(files), unsent=tuple(unsent[:MOST]), waiting=left)

    def _read(self, folder: GroupFolder, group: str, path: str, entry: Entry) -> Found | str:
        """The file, or why it is not sent."""
        if entry.size == 0:
            return "it is empty"
        if entry.size > self._largest:
            return f"it is larger than {self._largest / 1_000_000:g} MB"
        try:
            data = folder.read(path, self._largest)
        except NotThere:
            return ""
        except FolderError as error:
            return one_line(error, 200)
        if not data:
            return "it is empty"
        guessed = mimetypes.guess_type(entry.name)[0] or UNKNOWN
        mime = recognise(data, guessed).mime
        document = Document(name=safe_name(entry.name), mime=mime, data=data)
        return Found(path=path, entry=entry, document=document, slot=_slot(group, path, entry, data))

    def _remove(self, turn: Turn, found: Found) -> None:
        folder = self._folder_of(turn.folder)
        place = found.path.rpartition("/")[0]
        if found.entry in folder.names(place, _LOOKED_AT):
            folder.remove(found.path)


def _slot(group: str, path: str, entry: Entry, data: bytes) -> str:
    named = f"{group}\0{path}\0{entry.modified}\0{entry.size}\0".encode()
    return f"file:{hashlib.sha256(named + hashlib.sha256(data).digest()).hexdigest()[:32]}"
