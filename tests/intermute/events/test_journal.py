"""Events are numbered without gaps, in the order of commits, and told only when they are on record."""

import asyncio
from collections.abc import Sequence

import pytest

from intermute.events.event import Event
from intermute.events.history import History
from intermute.events.journal import KNOWN, Journal
from storage.database import Database
from tests.clock import HandClock
from tests.intermute.events.telling import WITHIN, mail, note, tell

CURSORS = "SELECT array_agg(cursor ORDER BY cursor) FROM intermute.events"
PROJECTS = "SELECT array_agg(name ORDER BY name) FROM intermute.projects"


@pytest.fixture
def journal(database: Database, clock: HandClock) -> Journal:
    return Journal(database, clock)


async def test_parallel_writers_leave_no_gap_and_share_no_number(
    database: Database, journal: Journal
) -> None:
    async def write(times: int) -> list[int]:
        return [event.cursor for _ in range(times) for event in await tell(journal, note(), note())]

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        writers = [tasks.create_task(write(10)) for _ in range(8)]
    given = sorted(cursor for writer in writers for cursor in writer.result())
    assert given == list(range(1, 161))
    assert await database.fetchval(CURSORS) == given


async def test_a_later_event_is_never_seen_before_an_earlier_one(
    database: Database, journal: Journal
) -> None:
    """The second writer waits for the first to commit, whoever asked for its number when."""
    async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as tasks:
        async with journal.writing() as entry:
            await entry.tell([note("first")])
            second = tasks.create_task(tell(journal, note("second")))
            done, _ = await asyncio.wait({second}, timeout=0.2)
            assert not done
            assert await database.fetchval(CURSORS) is None
        (told,) = await second
    assert told.cursor == 2


async def test_subscribers_hear_after_the_commit_and_never_of_what_was_rolled_back(
    database: Database, journal: Journal
) -> None:
    heard: list[Sequence[Event]] = []
    journal.subscribe(heard.append)
    with pytest.raises(ZeroDivisionError):
        await _spoiled(journal)
    async with journal.writing() as entry:
        told = await entry.tell([note()])
        assert heard == []
    assert heard == [told]
    assert [event.cursor for event in told] == [1]


async def _spoiled(journal: Journal) -> None:
    async with journal.writing() as entry:
        await entry.tell([note()])
        raise ZeroDivisionError


async def test_telling_nothing_takes_no_number(database: Database, journal: Journal) -> None:
    async with journal.writing() as entry:
        assert await entry.tell([]) == ()
    assert await History(database).head() == 0


async def test_what_is_told_is_what_is_on_record(database: Database, journal: Journal) -> None:
    told = await tell(journal, mail("ann", "bob", message_id="m"), note(entity_id="é"), mail())
    assert await History(database).after(0, 3) == told


async def test_a_project_is_made_once_however_often_it_is_named(database: Database, journal: Journal) -> None:
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(journal.ensure_project("alpha"))
    await journal.ensure_project("")
    assert await database.fetchval(PROJECTS) == ["", "alpha"]


async def test_the_memory_of_projects_is_bounded(database: Database, journal: Journal) -> None:
    journal._projects.update(str(number) for number in range(KNOWN))
    await journal.ensure_project("alpha")
    assert journal._projects == {"alpha"}
    assert await database.fetchval(PROJECTS) == ["alpha"]
