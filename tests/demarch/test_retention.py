"""The log may be cut at its old end: by the command, up to what every reader has read, and no other way."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest

from demarch.embedded import EmbeddedKernel, retention
from demarch.errors import NotPossible
from demarch.kernel import Marks
from storage.database import Database
from tests.clock import HandClock
from tests.demarch.driving import Driver


class Readers:
    """Whoever reads the log, and how far each has come."""

    def __init__(self) -> None:
        self.marks: list[Marks] = []

    async def __call__(self) -> Sequence[Marks]:
        return self.marks


@pytest.fixture
def readers() -> Readers:
    return Readers()


@pytest.fixture
def kernel(database: Database, clock: HandClock, readers: Readers) -> EmbeddedKernel:
    return EmbeddedKernel(database, clock, readers=readers)


async def days(ana: Driver, clock: HandClock, count: int) -> None:
    """One phase event and one discovery a day; the last day is today."""
    run_id = await ana.run()
    for day in range(count):
        await ana.write(("pause_run", "resume_run")[day % 2], run_id=run_id)
        await ana.write("register_finding", title=f"day {day}")
        if day < count - 1:
            await clock.advance(86400)


async def left(ana: Driver) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for event in await ana.events():
        found.setdefault(event.source, []).append(event.id)
    return found


async def prune(ana: Driver, clock: HandClock, older: timedelta, key: str = "prune") -> int:
    return await ana.kernel.prune(clock.now() - older, actor="ana", key=key)


async def test_what_is_old_goes_and_what_is_young_stays(ana: Driver, clock: HandClock) -> None:
    await days(ana, clock, 10)
    assert await prune(ana, clock, timedelta(days=3, hours=12)) == 12
    assert await left(ana) == {"phase": [7, 8, 9, 10], "discovery": [7, 8, 9, 10]}
    assert await prune(ana, clock, timedelta(days=3, hours=12), key="again") == 0
    await ana.write("register_finding", title="later")
    assert (await left(ana))["discovery"] == [7, 8, 9, 10, 11]


async def test_nothing_goes_that_a_reader_has_still_to_read(
    ana: Driver, clock: HandClock, readers: Readers
) -> None:
    await days(ana, clock, 10)
    readers.marks = [{"phase": 8, "discovery": 9}, {"phase": 5, "discovery": 10}]
    await prune(ana, clock, timedelta(0))
    assert await left(ana) == {"phase": [5, 6, 7, 8, 9, 10], "discovery": [9, 10]}
    unread = await ana.kernel.events(readers.marks[1], 100)
    assert [event.id for event in unread] == [6, 7, 8, 9, 10]


async def test_a_reader_without_a_mark_of_a_source_has_read_nothing_of_it(
    ana: Driver, clock: HandClock, readers: Readers
) -> None:
    await days(ana, clock, 4)
    readers.marks = [{"phase": 3}]
    await prune(ana, clock, timedelta(0))
    assert await left(ana) == {"phase": [3, 4], "discovery": [1, 2, 3, 4]}


async def test_the_last_event_stays_so_that_the_log_still_has_an_end(ana: Driver, clock: HandClock) -> None:
    await days(ana, clock, 3)
    await clock.advance(10 * 86400)
    await prune(ana, clock, timedelta(days=1))
    assert await left(ana) == {"phase": [3], "discovery": [3]}
    assert (await ana.kernel.head())["phase"] == 3


async def test_much_goes_in_slices(ana: Driver, clock: HandClock, database: Database) -> None:
    await database.execute(
        "INSERT INTO kernel.events (source, id, type, run_id, at)"
        " SELECT 'phase', n, 'set', 'x', $1 FROM generate_series(1, $2) AS n",
        clock.now(),
        2 * retention.SLICE + 5,
    )
    await database.execute(
        "UPDATE kernel.counters SET last = $1 WHERE source = 'phase'", 2 * retention.SLICE + 5
    )
    await clock.advance(86400)
    assert await prune(ana, clock, timedelta(hours=1)) == 2 * retention.SLICE + 4
    writes = await database.fetchval("SELECT count(*) FROM kernel.writes WHERE key LIKE 'prune/%'")
    assert writes == 4


async def test_nothing_goes_while_nobody_knows_who_reads(database: Database, clock: HandClock) -> None:
    with pytest.raises(NotPossible):
        await EmbeddedKernel(database, clock).prune(clock.now(), actor="ana", key="k1")


async def test_no_other_delete_gets_through(ana: Driver, clock: HandClock, database: Database) -> None:
    """Also not of young events, nor in the middle, beside a prune that was allowed."""
    await days(ana, clock, 10)
    await prune(ana, clock, timedelta(days=5, hours=12))
    for of, first, last in (("phase", 5, 10), ("phase", 8, 8), ("discovery", 1, 5), ("phase", 10, 10)):
        with pytest.raises(asyncpg.RaiseError, match="append-only"):
            await database.execute(
                "DELETE FROM kernel.events WHERE source = $1 AND id BETWEEN $2 AND $3", of, first, last
            )
    assert await left(ana) == {"phase": [5, 6, 7, 8, 9, 10], "discovery": [5, 6, 7, 8, 9, 10]}
