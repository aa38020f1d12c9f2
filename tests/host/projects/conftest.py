"""An office with two projects, in which the same ids are given to different things."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from demarch.embedded import EmbeddedKernel
from demarch.names import random_letters
from host.news.feed import FeedConsumer
from host.people.registry import Role
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.conftest import TestServer
from tests.demarch.driving import Driver
from tests.host.decisions.faulty import FaultyKernel
from tests.host.decisions.office import ANA, Office, furnish

WEB = "/srv/web"  #: the key of the second project; the group "design" works on it


@dataclass(slots=True, kw_only=True)
class Branch:
    """The second project beside the office's first one."""

    office: Office
    kernel: FaultyKernel
    terminal: Driver
    consumer: FeedConsumer
    letters: "Dictated"

    async def feed(self) -> None:
        """Read everything both kernels have to tell."""
        while await self.consumer.step():
            pass
        await self.office.feed()

    async def twins(self, first: str, second: str, **new: object) -> str:
        """A run in each project, both with the same id."""
        run = await self.office.terminal.run(first, **new)
        self.letters.next = run
        assert await self.terminal.run(second, **new) == run
        return run


@dataclass(slots=True)
class Dictated:
    """The letters of ids: those that a test dictates, else any."""

    next: str = ""

    def __call__(self, length: int) -> str:
        said, self.next = self.next, ""
        return said or random_letters(length)


@pytest.fixture
def second_url(postgres: TestServer) -> Iterator[str]:
    name = postgres.create(migrated=True)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
async def branch(
    database: Database, clock: HandClock, new_id: NewId, tmp_path: Path, second_url: str
) -> AsyncIterator[Branch]:
    async with Database.open(second_url, size=3) as second:
        letters = Dictated()
        embedded = EmbeddedKernel(second, clock, letters=letters)
        kernel = FaultyKernel(embedded)
        office = await furnish(database, clock, new_id, tmp_path, {WEB: kernel})
        await office.registry.set_project("design", WEB)
        await office.registry.set_role("design", ANA.address, Role.APPROVER)
        consumer = office.parts.news.consumer(WEB, kernel)
        await consumer.step()
        yield Branch(
            office=office,
            kernel=kernel,
            terminal=Driver(embedded, new_id, actor="terminal"),
            consumer=consumer,
            letters=letters,
        )


@pytest.fixture
async def office(database: Database, clock: HandClock, new_id: NewId, tmp_path: Path) -> Office:
    """With the one project that the embedded kernel is."""
    return await furnish(database, clock, new_id, tmp_path)
