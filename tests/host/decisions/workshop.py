"""A furnished office on a database of its own for each example of a state machine."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from storage.database import Database
from storage.ids import uuid7
from tests.clock import START, HandClock
from tests.conftest import TestServer
from tests.host.decisions.office import Office, furnish

T = TypeVar("T")

TICK = 0.05  #: seconds of the hand clock


class Workshop(RuleBasedStateMachine):
    """Runs rules in a loop of its own; `postgres` and `folder` are set by the test."""

    postgres: ClassVar[TestServer]
    folder: ClassVar[Path]
    number: ClassVar[int] = 0

    def __init__(self) -> None:
        super().__init__()
        Workshop.number += 1
        self.loop = asyncio.new_event_loop()
        self.name = self.postgres.create(migrated=True)
        self.stack = AsyncExitStack()
        self.office: Office = self.do(self._open())

    async def _open(self) -> Office:
        database = await self.stack.enter_async_context(Database.open(self.postgres.url(self.name), size=5))
        folder = self.folder / str(Workshop.number)
        folder.mkdir()
        numbers = iter(range(1, 10**9))
        return await furnish(database, HandClock(), lambda: uuid7(START, next(numbers)), folder)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Run it to its end, letting time pass for it."""
        return self.loop.run_until_complete(self._do(work))

    async def _do(self, work: Coroutine[Any, Any, T]) -> T:
        async with asyncio.timeout(30):
            task = asyncio.ensure_future(work)  # noqa: TID251 - awaited below, whatever happens
            while not task.done():
                if hasattr(self, "office") and self.office.clock.sleepers:
                    await self.office.clock.advance(TICK)
                await asyncio.wait({task}, timeout=0.001)
            return await task

    async def pass_time(self, statements: int) -> None:
        """About as long as that many statements take."""
        for _ in range(statements):
            await self.office.database.fetchval("SELECT 1")

    def teardown(self) -> None:
        try:
            verdict = self.do(self.office.audit.verify())
            assert verdict.ok, verdict.words
        finally:
            self.do(self.stack.aclose())
            self.loop.close()
            self.postgres.drop(self.name)


def run_machine(
    machine: type[Workshop], postgres: TestServer, folder: Path, *, examples: int, steps: int
) -> None:
    """Try a state machine; every example has a database of its own."""
    Workshop.postgres, Workshop.folder = postgres, folder
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            database=None,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
