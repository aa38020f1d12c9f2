"""What is measured on: a home of its own, a real host in Docker mode, and Telegram's side of the wire."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from demarch.embedded import EmbeddedKernel
from host.people.registry import Registry
from storage.clock import SystemClock
from storage.database import Database
from storage.embedded import EmbeddedServer
from tests.program import Program
from tests.servers.telegram import TOKEN, TelegramServer

OWNER = 1000
QUESTION = "what should I work on"
ANSWER = "ready to be worked on"
PATIENCE = 60.0
_PAUSE = 0.025  #: seconds between two messages of one chat: nobody writes faster, and tool calls are rationed

#: The limits of the real network are not what is measured; so many containers are what "50 warm" means.
ROOMY = {
    "INTERCOM_AGENT__MAX_CONTAINERS": "64",
    "INTERCOM_TELEGRAM__CHAT_PER_SECOND": "1000",
    "INTERCOM_TELEGRAM__GROUP_PER_MINUTE": "60000",
    "INTERCOM_TELEGRAM__OVERALL_PER_SECOND": "1000",
    "INTERCOM_SANDBOX": "docker",
}


class Rig:
    """One install with its host running."""

    def __init__(self, program: Program, server: TelegramServer, database: Database, url: str) -> None:
        self.program = program
        self.server = server
        self.database = database
        self.url = url
        self.kernel = EmbeddedKernel(database, SystemClock())
        self._registry = Registry(database, SystemClock(), runtime="local")

    async def register(self, chats: Sequence[int]) -> None:
        """Make every chat a group that needs no trigger word."""
        await self._registry.load()
        for chat in chats:
            await self._registry.add_group(f"tg:{chat}", f"g{abs(chat)}", trigger_required=False)
        await asyncio.sleep(0.5)  # until the host has heard of the last one

    async def reply(self, chat: int, text: str = QUESTION, user: int = OWNER) -> float:
        """Seconds from the update being available to the answer's `sendMessage` being there."""
        before = len(self.server.messages(chat))
        begun = time.monotonic()
        self.server.say(chat, user, text)
        await self.server.wait_for(lambda: len(self.server.messages(chat)) > before, within=PATIENCE)
        answer = next(sent for sent in reversed(self.server.sent) if sent.chat == chat)
        assert text != QUESTION or ANSWER in answer.text, answer.text
        await asyncio.sleep(_PAUSE)
        return answer.at - begun

    async def replies(self, chats: Sequence[int], text: str = QUESTION) -> float:
        """Seconds until every one of the chats, all asked at once, has its answer."""
        before = len(self.server.sent)
        begun = time.monotonic()
        for chat in chats:
            self.server.say(chat, OWNER, text)
        await self.server.wait_for(lambda: len(self.server.sent) >= before + len(chats), within=PATIENCE)
        assert all(ANSWER in sent.text for sent in self.server.sent[before:])
        return self.server.sent[-1].at - begun


@asynccontextmanager
async def rig(settings: Mapping[str, str] | None = None, *, started: bool = True) -> AsyncIterator[Rig]:
    """A fresh install on an embedded PostgreSQL with its ordinary, durable settings."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="intercom-bench-")))
        server = await stack.enter_async_context(TelegramServer.running())
        program = Program(
            home,
            {
                "INTERCOM_TELEGRAM__TOKEN": TOKEN,
                "INTERCOM_TELEGRAM__API_BASE": server.url,
                "INTERCOM_OWNERS": f'["tg:{OWNER}"]',
                **ROOMY,
                **(settings or {}),
            },
        )
        stack.push_async_callback(program.kill)
        if started:
            await program.start()
            stack.push_async_callback(_stopped, program)
        url = await stack.enter_async_context(EmbeddedServer.running(home, exclusive=False))
        database = await stack.enter_async_context(Database.open(url, size=4))
        yield Rig(program, server, database, url)


async def _stopped(program: Program) -> None:
    if program.alive:
        await program.stop(within=60)
