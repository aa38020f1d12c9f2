"""Against a strict Bot API: flood control costs previews, never a final answer or another chat."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from bridges.messages import Content
from bridges.telegram import TelegramBridge, TelegramSettings
from host.meter import SilentMeter
from host.outgoing.outbox import Outbox, PostKind
from host.outgoing.sender import Sender
from storage.clock import SystemClock
from storage.database import Connection, Database
from storage.ids import NewId
from tests.servers.telegram import TOKEN, TelegramServer

GROUP, OTHER = -5, 1001


class Deaf:
    """An audit log nobody reads."""

    async def record(self, conn: Connection, *, actor: str, action: str, detail: Mapping[str, Any]) -> None:
        del conn, actor, action, detail


class Chats:
    """An outbox that is emptied into Telegram chats."""

    def __init__(self, database: Database, outbox: Outbox, sender: Sender) -> None:
        self._database = database
        self._outbox = outbox
        self.sender = sender

    async def put(self, chat: int, kind: PostKind, text: str, slot: str | None = None) -> None:
        async with self._database.transaction() as conn:
            await self._outbox.put(
                conn, address=f"tg:{chat}", kind=kind, content=Content(text=text), slot=slot
            )
        self._outbox.wake(f"tg:{chat}")


@asynccontextmanager
async def sending(
    database: Database, new_id: NewId, server: TelegramServer, **settings: Any
) -> AsyncIterator[Chats]:
    clock = SystemClock()
    server.add_chat(GROUP)
    server.add_chat(OTHER)
    told = TelegramSettings(token=TOKEN, api_base=server.url, **settings)
    async with TelegramBridge(told, clock).opened() as bridge, asyncio.TaskGroup() as tasks:
        outbox = Outbox(database, clock, new_id)
        sender = Sender(
            database=database,
            outbox=outbox,
            bridges={"tg": bridge},
            recorder=Deaf(),
            clock=clock,
            meter=SilentMeter(),
        )
        running = tasks.create_task(sender.run())
        yield Chats(database, outbox, sender)
        running.cancel()


async def test_a_flooded_group_loses_previews_and_nothing_else(database: Database, new_id: NewId) -> None:
    async with TelegramServer.running() as server, sending(database, new_id, server) as chats:
        await chats.put(GROUP, PostKind.PREVIEW, "growing", "answer:1")
        await server.wait_for_message(GROUP, "growing")
        server.flood(GROUP, 1.2)
        await chats.put(GROUP, PostKind.PREVIEW, "growing more", "answer:1")
        await server.wait_for(lambda: [call for call in server.calls if call.status == 429])
        for number in range(5):  # coalesced: nobody is asked while the chat is held
            await chats.put(GROUP, PostKind.PREVIEW, f"growing more {number}", "answer:1")
        await chats.put(GROUP, PostKind.ANSWER, "the answer", "answer:1")
        await chats.put(OTHER, PostKind.ANSWER, "to somebody else")
        await server.wait_for_message(OTHER, "to somebody else", within=1.0)
        await server.wait_for_message(GROUP, "the answer", within=5.0)
        assert [shown.text for shown in server.messages(GROUP)] == ["the answer"]
        assert [call.status for call in server.calls if call.method == "editMessageText"] == [429, 200]


async def test_previews_use_up_no_turn_of_the_answer(database: Database, new_id: NewId) -> None:
    slow = {"group_burst": 4, "group_rate": 0.001}
    async with TelegramServer.running() as server, sending(database, new_id, server, **slow) as chats:
        await chats.put(GROUP, PostKind.PREVIEW, "0", "answer:1")
        await server.wait_for_message(GROUP, "0")
        for number in range(1, 3):
            await chats.put(GROUP, PostKind.PREVIEW, str(number), "answer:1")
            await server.wait_for_message(GROUP, str(number))
        await chats.put(GROUP, PostKind.PREVIEW, "one too many", "answer:1")
        assert await chats.sender.drain(5)  # left out, it counts as shown
        assert [shown.text for shown in server.messages(GROUP)] == ["2"]
        await chats.put(GROUP, PostKind.ANSWER, "the answer", "answer:1")
        await server.wait_for_message(GROUP, "the answer", within=1.0)
