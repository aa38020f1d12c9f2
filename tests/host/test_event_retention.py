"""The log is cut by the setting, up to what the news have read."""

from collections.abc import Mapping
from functools import partial

import pytest

from demarch.embedded import EmbeddedKernel
from host.event_retention import EventRetention, readers
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.demarch.driving import Driver

DAY = 86400


@pytest.fixture
def kernel(database: Database, clock: HandClock) -> EmbeddedKernel:
    return EmbeddedKernel(database, clock, readers=partial(readers, database))


async def found(kernel: EmbeddedKernel, new_id: NewId, count: int) -> None:
    for number in range(count):
        await Driver(kernel, new_id, actor="ana").write("register_finding", title=f"finding {number}")


async def left(kernel: EmbeddedKernel) -> list[int]:
    return [event.id for event in await kernel.events({}, 100)]


async def keep(database: Database, project: str, marks: Mapping[str, int]) -> None:
    for source, mark in marks.items():
        await database.execute("INSERT INTO host.feed_marks VALUES ($1, $2, $3)", project, source, mark)


async def test_what_is_older_than_the_setting_goes(
    kernel: EmbeddedKernel, clock: HandClock, new_id: NewId
) -> None:
    await found(kernel, new_id, 5)
    await clock.advance(10 * DAY)
    await found(kernel, new_id, 2)
    retention = EventRetention(kernel, clock, new_id, days=7)
    await retention.look()
    assert await left(kernel) == [6, 7]
    await retention.look()
    assert await left(kernel) == [6, 7]


async def test_what_the_news_have_not_read_stays(
    kernel: EmbeddedKernel, database: Database, clock: HandClock, new_id: NewId
) -> None:
    """The second of the marked event, and marks of other projects, are no marks of this log."""
    await found(kernel, new_id, 5)
    await clock.advance(10 * DAY)
    await keep(database, "", {"": 0, "discovery": 3, "discovery@": 1, "phase": 0})
    await keep(database, "/somewhere/else", {"discovery": 1})
    await EventRetention(kernel, clock, new_id, days=7).look()
    assert await left(kernel) == [3, 4, 5]


async def test_a_database_that_is_gone_does_not_end_it(
    database_url: str, clock: HandClock, new_id: NewId
) -> None:
    async with Database.open(database_url, size=1) as database:
        kernel = EmbeddedKernel(database, clock, readers=partial(readers, database))
    await EventRetention(kernel, clock, new_id, days=7).look()
