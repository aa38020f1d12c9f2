"""The rooms of the page: who sees which, what stands in several chats once, and what a watcher hears."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from bridges.messages import Content
from bridges.web.port import Change, ItemChanged, ItemGone, ItemKind, NoSuchRoom, Reload, RoomsChanged
from demarch.embedded import EmbeddedKernel
from demarch.projects import Projects
from host.outgoing.outbox import Outbox, PostKind
from host.page.audience import KEPT, Audience
from host.page.room_changes import RoomChanges
from host.page.room_entries import RoomEntries
from host.page.rooms import PageRooms
from host.people.registry import Registry, Role
from storage.clock import SystemClock
from storage.database import Database
from storage.ids import NewId, new_ids
from storage.wakeups import Wakeups

OWNER, STRANGER = "web:owner", "tg:666"


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    rooms: PageRooms
    registry: Registry
    outbox: Outbox
    database: Database
    changes: RoomChanges

    async def post(self, text: str, address: str = "web:local", kind: PostKind = PostKind.NOTICE) -> None:
        group = self.registry.group_of(address)
        folder = None if group is None else group.folder
        async with self.database.transaction() as conn:
            await self.outbox.put(
                conn, address=address, kind=kind, content=Content(text=text), folder=folder, slot=None
            )

    async def texts(self, folder: str = "main") -> list[str]:
        return [item.text for item in await self.rooms.history(OWNER, folder, None, 50)]


@pytest.fixture
async def board(database: Database) -> Board:
    clock = SystemClock()
    new_id: NewId = new_ids(clock)
    registry = Registry(database, clock, runtime="local")
    await registry.ensure_main(["tg:1000"])
    await registry.add_group("tg:-100", "engineering", title="Engineering")
    audience, entries = Audience(), RoomEntries(database)
    return Board(
        rooms=PageRooms(
            registry=registry,
            entries=entries,
            projects=Projects({"": EmbeddedKernel(database, clock)}, ""),
            audience=audience,
            agent="Amtiskaw",
        ),
        registry=registry,
        outbox=Outbox(database, clock, new_id),
        database=database,
        changes=RoomChanges(
            audience=audience, entries=entries, registry=registry, clock=clock, agent="Amtiskaw"
        ),
    )


@asynccontextmanager
async def watching(board: Board, url: str, person: str = OWNER) -> AsyncIterator[AsyncIterator[Change]]:
    async with (
        Wakeups.open(url) as wakeups,
        asyncio.TaskGroup() as tasks,
        board.rooms.changes(person) as changes,
    ):
        following = tasks.create_task(board.changes.run(wakeups))
        # The first word of the channel: LISTEN is in force.
        async with asyncio.timeout(10):
            async for change in changes:
                if isinstance(change, Reload):
                    break
        yield changes
        following.cancel()


async def heard(changes: AsyncIterator[Change], kind: type[Change]) -> Change:
    async with asyncio.timeout(10):
        async for change in changes:
            if isinstance(change, kind):
                return change
    raise AssertionError("the changes ended")


async def test_a_person_sees_the_rooms_of_their_roles_only(board: Board) -> None:
    assert [room.folder for room in await board.rooms.rooms(OWNER)] == ["main"]
    assert await board.rooms.rooms(STRANGER) == []
    await board.registry.set_role("engineering", OWNER, Role.VIEWER)
    rooms = await board.rooms.rooms(OWNER)
    assert [(room.folder, room.role, room.address) for room in rooms] == [
        ("main", "owner", "web:local"),
        ("engineering", "viewer", None),
    ]


@pytest.mark.parametrize("folder", ["engineering", "nowhere", "../main", ""])
async def test_a_room_without_a_role_is_as_if_it_did_not_exist(board: Board, folder: str) -> None:
    with pytest.raises(NoSuchRoom):
        await board.rooms.room(OWNER, folder)
    with pytest.raises(NoSuchRoom):
        await board.rooms.history(OWNER, folder, None, 10)
    with pytest.raises(NoSuchRoom):
        await board.rooms.side(OWNER, folder)


async def test_a_line_told_to_several_chats_of_a_group_is_one_item(board: Board) -> None:
    for address in ("web:local", "tg:1000"):
        await board.post("the run is in polish", address)
    await board.post("only there", "tg:1000")
    assert await board.texts() == ["the run is in polish", "only there"]


async def test_history_goes_back_page_by_page(board: Board) -> None:
    for number in range(5):
        await board.post(f"line {number}")
    newest = await board.rooms.history(OWNER, "main", None, 2)
    assert [item.text for item in newest] == ["line 3", "line 4"]
    older = await board.rooms.history(OWNER, "main", newest[0].id, 2)
    assert [item.text for item in older] == ["line 1", "line 2"]
    assert older[0].kind is ItemKind.NOTICE


async def test_an_id_that_is_none_finds_nothing(board: Board) -> None:
    assert await board.rooms.item(OWNER, "main", "nonsense") is None
    assert await board.rooms.picture(OWNER, "nonsense") is None


async def test_the_side_says_who_may_do_what(board: Board) -> None:
    side = await board.rooms.side(OWNER, "main")
    assert [(member.person, member.role) for member in side.people] == [
        (OWNER, "owner"),
        ("tg:1000", "owner"),
    ]
    assert any("Owner" in rule for rule in side.rules)
    assert side.work == []


async def test_a_watcher_hears_what_is_posted_and_what_is_taken_back(board: Board, database_url: str) -> None:
    async with watching(board, database_url) as changes:
        async with board.database.transaction() as conn:
            await board.outbox.put(
                conn,
                address="web:local",
                kind=PostKind.PREVIEW,
                content=Content(text="so far"),
                folder="main",
                slot="answer:1",
            )
        change = await heard(changes, ItemChanged)
        assert isinstance(change, ItemChanged)
        assert change.item.text == "so far"
        assert change.item.streaming
        async with board.database.transaction() as conn:
            await board.outbox.withdraw(conn, "answer:1")
        gone = await heard(changes, ItemGone)
        assert isinstance(gone, ItemGone)
        assert gone.id == change.item.id


async def test_a_watcher_hears_nothing_of_rooms_without_a_role(board: Board, database_url: str) -> None:
    async with watching(board, database_url) as changes:
        await board.post("secret", "tg:-100")
        await board.post("open")
        change = await heard(changes, ItemChanged)
        assert isinstance(change, ItemChanged)
        assert change.item.text == "open"


async def test_a_watcher_hears_that_rooms_changed(board: Board, database_url: str) -> None:
    async with watching(board, database_url) as changes:
        await board.registry.set_role("engineering", OWNER, Role.OWNER)
        await heard(changes, RoomsChanged)
        assert len(await board.rooms.rooms(OWNER)) == 2


async def test_a_reader_that_falls_behind_gets_one_reload() -> None:
    audience = Audience()
    with audience.reader(OWNER) as reader:
        for _ in range(KEPT + 1):
            audience.tell(RoomsChanged())
        changes = reader.changes()
        assert await anext(changes) == Reload()
        audience.tell(RoomsChanged())
        assert await anext(changes) == RoomsChanged()
        await changes.aclose()  # type: ignore[attr-defined]
    assert not audience
