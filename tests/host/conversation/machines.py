"""What state machines need: a loop, a database and a host that can be killed between any two steps."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar, cast

from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from storage.ids import uuid7
from tests.clock import START, HandClock
from tests.conftest import TestServer
from tests.host.conversation.agents import ScriptedLauncher
from tests.host.conversation.bridges import MemoryBridge
from tests.host.conversation.doubtful import DoubtfulDatabase
from tests.host.conversation.house import House

T = TypeVar("T")


class HouseMachine(RuleBasedStateMachine):
    """A running house; each rule is one piece of time in its loop."""

    most_agents = 5

    def __init__(self, postgres: TestServer) -> None:
        super().__init__()
        self._postgres = postgres
        self._name = postgres.create(migrated=True)
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        self.crashes = 0
        numbers = itertools.count(1)
        self.database: DoubtfulDatabase = self.run(self._open())
        self.house = House(
            database=self.database,
            clock=HandClock(),
            new_id=lambda: uuid7(START, next(numbers)),
            bridge=MemoryBridge("tg"),
            web=MemoryBridge("web"),
            launcher=ScriptedLauncher(),
            home=Path(self._stack.enter_context(TemporaryDirectory())),
            most=self.most_agents,
        )
        self._host: asyncio.Task[None] | None = None
        self.prepare()
        self.run(self._start())

    def prepare(self) -> None:
        """Set the house up before it opens."""

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._runner.run(work)

    def crash_and_restart(self) -> None:
        """Kill the host wherever it is; its agents die with it."""
        self.crashes += 1
        self.database.breaks = 0
        self.run(self._stop())
        self.house = self.house.again()
        self.run(self._start())

    async def go_on(self, pieces: int) -> None:
        """Let the host work for a while, however far it gets."""
        for _ in range(pieces):
            await asyncio.sleep(0.0005)

    async def until(self, reached: Callable[[], Coroutine[Any, Any, bool]], seconds: float = 30) -> None:
        """Turn the clock until the host has come to rest."""
        async with asyncio.timeout(seconds):
            while not await reached():
                await self.house.clock.advance(0.5)
                await self.go_on(4)

    def teardown(self) -> None:
        try:
            self.run(self.check_the_end())
        finally:
            self.run(self._close())
            self._runner.close()
            self._postgres.drop(self._name)

    async def check_the_end(self) -> None:
        """What must hold when everything has come to rest."""

    async def _open(self) -> DoubtfulDatabase:
        opening = DoubtfulDatabase.open(self._postgres.url(self._name), size=4)
        database = await self._stack.enter_async_context(opening)
        assert isinstance(database, DoubtfulDatabase)
        return database

    async def _start(self) -> None:
        opened = asyncio.Event()

        async def live() -> None:
            async with self.house.open():
                opened.set()
                await asyncio.Event().wait()

        self._host = asyncio.get_running_loop().create_task(live())
        async with asyncio.timeout(10):
            await opened.wait()

    async def _stop(self) -> None:
        if self._host is not None:
            self._host.cancel()
            await asyncio.wait({self._host})
            if not self._host.cancelled():
                self._host.result()

    async def _close(self) -> None:
        await self._stop()
        await self._stack.aclose()


def run_machine(machine: type[HouseMachine], postgres: TestServer, how: settings) -> None:
    """Run a machine that gets the test's own server."""
    make = cast("type[RuleBasedStateMachine]", lambda: machine(postgres))
    run_state_machine_as_test(make, settings=how)
