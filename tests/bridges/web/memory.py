"""A host in memory: the ports of the web bridge and the intake, for tests."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from bridges.messages import ButtonTap, ChatMessage, ChatUpdate, Document
from bridges.web.port import (
    Change,
    Cookie,
    HealthChanged,
    Item,
    ItemChanged,
    ItemFile,
    ItemKind,
    NoSuchRoom,
    PartHealth,
    Readiness,
    Reload,
    Room,
    RoomsChanged,
    Side,
    SideChanged,
    Upload,
    UploadRefused,
    Visitor,
)
from storage.clock import Clock

OWNER = "web:owner"


class MemoryHost:
    """Rooms, Doorkeeper, Health and Intake in one."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.rooms_by_folder = {
            "main": Room(folder="main", title="Main", address="web:local", role="owner", agent="Clavain")
        }
        self.items: dict[str, dict[str, Item]] = {"main": {}}
        self.sides: dict[str, Side] = {}
        self.pictures: dict[str, bytes] = {}
        self.uploads: dict[str, Document] = {}  # by id
        self.uploads_full = False
        self.tokens = {"once": "cookie-value"}
        self.cookies: dict[str, Visitor] = {}
        self.notes: list[str] = []
        self.parts = {"database": PartHealth(ok=True)}
        self.broken = False  # nothing can be stored
        self.door_broken = False  # nobody knows the tokens
        self.slow_history: asyncio.Event | None = None  # what was read goes out when it is set
        self.history_read = asyncio.Event()
        self.updates: list[ChatUpdate] = []
        self.on_update: Callable[[ChatUpdate], None] = lambda update: None
        self._seen: set[str] = set()
        self._readers: list[asyncio.Queue[Change]] = []
        self._arrived = asyncio.Condition()
        self._watched = asyncio.Condition()
        self._last_id = 0

    # ---- what tests do

    def next_id(self) -> str:
        self._last_id += 1
        return f"{self._last_id:08d}"

    def post(self, text: str, *, folder: str = "main", **fields: object) -> Item:
        """Add an item of the agent (or of whoever the fields name)."""
        at = fields.pop("at", None)
        item = Item(
            id=self.next_id(),
            folder=folder,
            kind=ItemKind.ANSWER,
            author="Clavain",
            text=text,
            at=at if isinstance(at, datetime) else self.clock.now(),
            address="web:local",
            ref=f"post-{self._last_id}",
        )
        return self.put(replace(item, **fields))  # type: ignore[arg-type]

    def put(self, item: Item) -> Item:
        """Add or change an item and tell everybody."""
        self.items[item.folder][item.id] = item
        room = self.rooms_by_folder[item.folder]
        open_cards = [it for it in self.items[item.folder].values() if it.buttons]
        last = max(self.items[item.folder])
        self.rooms_by_folder[item.folder] = replace(room, last_item=last, decisions=len(open_cards))
        side = self.sides.get(item.folder, Side())
        self.sides[item.folder] = replace(side, decisions=tuple(reversed(open_cards)))
        self.tell(ItemChanged(item=item))
        return item

    def tell(self, change: Change) -> None:
        for reader in self._readers:
            if reader.full():
                while not reader.empty():
                    reader.get_nowait()
                change = Reload()
            reader.put_nowait(change)

    def degrade(self, *notes: str) -> None:
        self.notes = list(notes)
        self.tell(HealthChanged())

    async def received(self, count: int) -> list[ChatUpdate]:
        """The updates accepted so far, once there are so many."""
        async with asyncio.timeout(10), self._arrived:
            await self._arrived.wait_for(lambda: len(self.updates) >= count)
        return self.updates

    async def watched_by(self, count: int) -> None:
        """Until so many pages are open."""
        async with asyncio.timeout(10), self._watched:
            await self._watched.wait_for(lambda: len(self._readers) == count)

    # ---- Intake

    async def mark(self, bridge: str) -> str | None:
        return None

    async def accept(self, bridge: str, updates: Sequence[ChatUpdate], mark: str | None) -> None:
        if self.broken:
            raise OSError("the disk is full")
        for update in updates:
            if update.update_id in self._seen:
                continue
            self._seen.add(update.update_id)
            async with self._arrived:
                self.updates.append(update)
                self._arrived.notify_all()
            if isinstance(update, ChatMessage):
                self._store(update)
            self.on_update(update)

    def _store(self, message: ChatMessage) -> None:
        folder = next(r.folder for r in self.rooms_by_folder.values() if r.address == message.address)
        self.post(
            message.text,
            folder=folder,
            kind=ItemKind.MESSAGE,
            author=message.sender.name,
            person=message.sender.address,
            address=message.address,
            ref=message.ref,
            files=tuple(
                ItemFile(id=it.handle, name=it.name, mime=it.mime, size=it.size) for it in message.attachments
            ),
        )

    # ---- Doorkeeper

    async def redeem(self, token: str) -> Cookie | None:
        if self.door_broken:
            raise OSError("the disk is full")
        value = self.tokens.pop(token, None)
        if value is None:
            return None
        self.cookies[value] = Visitor(person=OWNER, name="Olga")
        return Cookie(value=value, max_age=3600)

    async def who(self, cookie: str) -> Visitor | None:
        return self.cookies.get(cookie)

    # ---- Rooms

    async def rooms(self, person: str) -> Sequence[Room]:
        return list(self.rooms_by_folder.values())

    async def room(self, person: str, folder: str) -> Room:
        if person != OWNER or folder not in self.rooms_by_folder:
            raise NoSuchRoom
        return self.rooms_by_folder[folder]

    async def history(self, person: str, folder: str, before: str | None, limit: int) -> Sequence[Item]:
        await self.room(person, folder)
        items = [it for id_, it in sorted(self.items[folder].items()) if before is None or id_ < before]
        self.history_read.set()
        if self.slow_history is not None:
            await self.slow_history.wait()
        return items[-limit:]

    async def item(self, person: str, folder: str, item: str) -> Item | None:
        await self.room(person, folder)
        return self.items[folder].get(item)

    async def side(self, person: str, folder: str) -> Side:
        await self.room(person, folder)
        return self.sides.get(folder, Side())

    async def picture(self, person: str, picture: str) -> bytes | None:
        return self.pictures.get(picture)

    @asynccontextmanager
    async def changes(self, person: str) -> AsyncIterator[AsyncIterator[Change]]:
        reader: asyncio.Queue[Change] = asyncio.Queue(1000)
        self._readers.append(reader)
        await self._notify_watched()
        try:
            yield _all(reader)
        finally:
            self._readers.remove(reader)
            await self._notify_watched()

    async def _notify_watched(self) -> None:
        async with self._watched:
            self._watched.notify_all()

    # ---- Files

    async def keep(self, person: str, folder: str, document: Document) -> Upload:
        await self.room(person, folder)
        if self.uploads_full:
            raise UploadRefused("Too many files wait to be sent.")
        id_ = f"upload-{len(self.uploads) + 1}"
        self.uploads[id_] = document
        return Upload(id=id_, name=document.name, mime=document.mime, size=len(document.data))

    async def kept(self, person: str, folder: str, ids: Sequence[str]) -> Sequence[Upload]:
        await self.room(person, folder)
        found = [(id_, self.uploads[id_]) for id_ in ids if id_ in self.uploads]
        return [Upload(id=id_, name=it.name, mime=it.mime, size=len(it.data)) for id_, it in found]

    async def handed_over(self, handle: str) -> Document | None:
        return self.uploads.get(handle)

    async def file(self, person: str, file: str) -> Document | None:
        return self.uploads.get(file) if person == OWNER else None

    # ---- Health

    async def ready(self) -> Readiness:
        return Readiness(ready=all(part.ok for part in self.parts.values()), parts=self.parts)

    def metrics(self) -> bytes:
        return b"intercom_up 1\n"

    def banner(self) -> Sequence[str]:
        return self.notes


async def _all(reader: "asyncio.Queue[Change]") -> AsyncIterator[Change]:
    while True:
        yield await reader.get()


def decided(host: MemoryHost, tap: ButtonTap, text: str) -> None:
    """The card that was tapped shows its outcome and loses its buttons."""
    card = next(it for it in host.items["main"].values() if it.ref == tap.ref)
    host.put(replace(card, text=text, buttons=()))
    host.tell(SideChanged(folder=card.folder))
    host.tell(RoomsChanged())
