"""From the past to the present without a gap, whatever happens in between."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest

from intermute.events.feed import Feed
from intermute.events.interest import Interest
from intermute.events.journal import Journal
from intermute.events.listener import BACKLOG, StreamListener
from storage.background import background
from storage.database import Database
from storage.wakeups import Wakeups
from tests.clock import HandClock
from tests.intermute.events.telling import WITHIN, note, tell


@pytest.fixture
def journal(database: Database, clock: HandClock) -> Journal:
    return Journal(database, clock)


@pytest.fixture
async def feed(
    database: Database, journal: Journal, wakeups: Wakeups, clock: HandClock
) -> AsyncIterator[Feed]:
    feed = Feed(database, journal, wakeups, clock)
    async with background(feed.run()):
        await feed.begin()
        yield feed


def listener() -> StreamListener:
    return StreamListener(project="alpha", agent="", interest=Interest())


async def heard(stream: StreamListener, until: int) -> list[int]:
    """The cursors of what is heard live."""
    cursors: list[int] = []
    async with asyncio.timeout(WITHIN):
        while until not in cursors:
            pieces = await stream.fetch()
            assert pieces is not None, "let go"
            lines = [line for line in pieces.split(b"\n") if line.startswith(b"data: ")]
            cursors += [json.loads(line.removeprefix(b"data: "))["cursor"] for line in lines]
    return cursors


async def test_what_happens_during_the_replay_is_heard_after_it(feed: Feed, journal: Journal) -> None:
    await tell(journal, note(), note())
    stream = listener()
    past: list[int] = []
    async with aclosing(feed.missed(stream, 0)) as missed:
        async for frame in missed:
            past.append(frame.event.cursor)
            await tell(journal, note())
    await tell(journal, note())
    assert past == [1, 2]
    assert await heard(stream, 5) == [3, 4, 5]


async def test_more_than_waits_during_the_replay_is_read_from_the_log(feed: Feed, journal: Journal) -> None:
    await tell(journal, note(), note(), note())
    stream = listener()
    past: list[int] = []
    large = "x" * 30_000
    async with aclosing(feed.missed(stream, 0)) as missed:
        async for frame in missed:
            past.append(frame.event.cursor)
            if frame.event.cursor <= 3:
                await tell(journal, *[note(data=large) for _ in range(BACKLOG // len(large))])
    last = await feed.history.head()
    assert len(past) > 10
    await tell(journal, note())
    assert past + await heard(stream, last + 1) == list(range(1, last + 2))


async def test_fault_14_what_happens_between_the_answer_to_a_listener_and_its_joining_is_heard(
    feed: Feed, journal: Journal
) -> None:
    await tell(journal, note())
    answered = await feed.present()
    await tell(journal, note())
    async with aclosing(feed.missed(listener(), answered)) as missed:
        assert [frame.event.cursor async for frame in missed] == [2]


async def test_a_listener_from_a_process_that_was_ahead_hears_nothing_twice(
    database: Database, journal: Journal, wakeups: Wakeups, clock: HandClock
) -> None:
    feed = Feed(database, journal, wakeups, clock)
    await feed.begin()
    others = Journal(database, clock)
    await tell(others, note(), note())
    assert feed.tail.position == 0
    stream = listener()
    async with aclosing(feed.missed(stream, 1)) as missed:
        past = [frame.event.cursor async for frame in missed]
    assert past == []
    async with background(feed.run()):
        assert await heard(stream, 2) == [2]


async def test_a_frame_larger_than_a_client_reads_is_the_same_live_and_from_the_log(
    feed: Feed, journal: Journal, database: Database
) -> None:
    stream = listener()
    async with aclosing(feed.missed(stream, await feed.present())) as missed:
        assert [frame async for frame in missed] == []
    await tell(journal, note("spec.created", entity_id="s1", data={"vision": "x" * 500_000}))
    live = await stream.fetch()
    assert live is not None
    async with aclosing(feed.missed(listener(), 0)) as missed:
        (frame,) = [frame async for frame in missed]
    assert json.loads(live.partition(b"data: ")[2]) == json.loads(frame.text())
    assert json.loads(frame.text())["truncated"] is True
    stored = await database.fetchval("SELECT sum(pg_column_size(data)) FROM intermute.events")
    assert stored < 1000
