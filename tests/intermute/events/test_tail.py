"""The tail tells every event once and in order, whoever committed it and in whatever order that is heard."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from intermute.events.event import Event
from intermute.events.history import FETCHED, History
from intermute.events.journal import Journal
from intermute.events.tail import POLL, Tail
from storage.background import background
from storage.clock import Clock
from storage.database import Database
from storage.wakeups import Wakeups
from tests.clock import HandClock
from tests.intermute.events.telling import WITHIN, event, note, tell

MUTE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'intercom-wakeups'"
FORGET = "UPDATE intermute.counter SET cursor = 1"


class Ears:
    """What a tail has told."""

    def __init__(self) -> None:
        self.cursors: list[int] = []
        self.turned_back = asyncio.Event()
        self._changed = asyncio.Event()

    def hear(self, events: Sequence[Event]) -> None:
        self.cursors += [event.cursor for event in events]
        self._changed.set()

    def forget(self) -> None:
        self.turned_back.set()

    async def until(self, count: int) -> list[int]:
        async with asyncio.timeout(WITHIN):
            while len(self.cursors) < count:
                self._changed.clear()
                await self._changed.wait()
        return self.cursors


@asynccontextmanager
async def following(
    database: Database, wakeups: Wakeups, clock: Clock, *journals: Journal
) -> AsyncIterator[Ears]:
    """A tail that runs; the journals are those of its own process."""
    ears = Ears()
    tail = Tail(History(database), wakeups, clock, heard=ears.hear, turned_back=ears.forget)
    for journal in journals:
        journal.subscribe(tail.committed)
    await tail.begin()
    async with background(tail.run()):
        yield ears


@pytest.fixture
def own(database: Database, clock: HandClock) -> Journal:
    return Journal(database, clock)


@pytest.fixture
def others(database: Database, clock: HandClock) -> Journal:
    """The journal of another process."""
    return Journal(database, clock)


async def test_what_was_before_is_not_told(
    database: Database, wakeups: Wakeups, clock: HandClock, own: Journal
) -> None:
    await tell(own, note(), note())
    async with following(database, wakeups, clock, own) as ears:
        await tell(own, note())
        assert await ears.until(1) == [3]


async def test_own_events_are_told_at_once_without_asking_the_database(
    database: Database, wakeups: Wakeups, clock: HandClock, own: Journal
) -> None:
    ears = Ears()
    tail = Tail(History(database), wakeups, clock, heard=ears.hear, turned_back=ears.forget)
    own.subscribe(tail.committed)
    await tail.begin()
    await tell(own, note(), note())
    assert ears.cursors == [1, 2]


async def test_what_others_commit_comes_by_notification(
    database: Database, wakeups: Wakeups, clock: HandClock, others: Journal
) -> None:
    async with following(database, wakeups, clock) as ears:
        for number in range(1, 4):
            await tell(others, note())
            await ears.until(number)
        assert ears.cursors == [1, 2, 3]


async def test_own_and_others_events_are_told_in_the_order_of_their_commits(
    database: Database, wakeups: Wakeups, clock: HandClock, own: Journal, others: Journal
) -> None:
    async with following(database, wakeups, clock, own) as ears:

        async def write(journal: Journal, seed: int) -> None:
            chance = random.Random(seed)  # noqa: S311 - nothing secret
            for _ in range(40):
                await tell(journal, *[note() for _ in range(chance.randint(1, 4))])

        async with asyncio.TaskGroup() as tasks:
            for seed, journal in enumerate((own, others, own, others)):
                tasks.create_task(write(journal, seed))
        last = await History(database).head()
        assert await ears.until(last) == list(range(1, last + 1))


async def test_own_commits_reported_in_another_order_are_put_in_order(
    database: Database, wakeups: Wakeups, clock: HandClock, others: Journal
) -> None:
    ears = Ears()
    tail = Tail(History(database), wakeups, clock, heard=ears.hear, turned_back=ears.forget)
    await tail.begin()
    first, second, third = [await tell(others, note()) for _ in range(3)]
    tail.committed(third)
    tail.committed(second)
    assert ears.cursors == []
    tail.committed(first)
    tail.committed(first)
    assert ears.cursors == [1, 2, 3]


async def test_any_order_of_reports_is_the_same_order_of_events(
    database: Database, wakeups: Wakeups, clock: HandClock
) -> None:
    chance = random.Random(1)  # noqa: S311 - nothing secret
    for _ in range(300):
        ears = Ears()
        tail = Tail(History(database), wakeups, clock, heard=ears.hear, turned_back=ears.forget)
        await tail.begin()
        commits, cursor = [], 0
        for _ in range(chance.randint(1, 12)):
            size = chance.randint(1, 4)
            commits.append([event(number) for number in range(cursor + 1, cursor + size + 1)])
            cursor += size
        reports = commits + chance.sample(commits, chance.randint(0, len(commits)))
        chance.shuffle(reports)
        for report in reports:
            tail.committed(report)
        assert ears.cursors == list(range(1, cursor + 1))


async def test_what_is_committed_before_the_end_of_the_log_is_known_is_not_told_later(
    database: Database, wakeups: Wakeups, clock: HandClock, own: Journal
) -> None:
    ears = Ears()
    tail = Tail(History(database), wakeups, clock, heard=ears.hear, turned_back=ears.forget)
    own.subscribe(tail.committed)
    await tell(own, note())
    assert tail.position == 0
    await tail.begin()
    async with background(tail.run()):
        await tell(own, note())
        assert await ears.until(1) == [2]


async def test_an_unreadable_notification_asks_for_nothing(
    database: Database, wakeups: Wakeups, clock: HandClock, others: Journal
) -> None:
    async with following(database, wakeups, clock) as ears:
        await database.execute("SELECT pg_notify('intermute_events', 'nonsense')")
        await tell(others, note())
        assert await ears.until(1) == [1]


async def test_a_log_that_cannot_be_read_for_a_while_is_read_later(
    database: Database, wakeups: Wakeups, clock: HandClock, others: Journal
) -> None:
    async with following(database, wakeups, clock) as ears:
        await tell(others, note())
        await ears.until(1)
        await database.execute("ALTER TABLE intermute.counter RENAME TO hidden")
        await clock.until_sleeping()
        await clock.advance(POLL)
        await database.execute("ALTER TABLE intermute.hidden RENAME TO counter")
        await tell(others, note())
        assert await ears.until(2) == [1, 2]


async def test_a_rolled_back_transaction_is_never_told_and_leaves_no_gap(
    database: Database, wakeups: Wakeups, clock: HandClock, own: Journal
) -> None:
    async def change_my_mind() -> None:
        async with own.writing() as entry:
            await entry.tell([note("never.happened")])
            raise ZeroDivisionError

    async with following(database, wakeups, clock, own) as ears:
        with pytest.raises(ZeroDivisionError):
            await change_my_mind()
        await tell(own, note())
        assert await ears.until(1) == [1]


async def test_a_missed_notification_is_found_by_the_poll(
    database: Database, clock: HandClock, wakeups: Wakeups, others: Journal
) -> None:
    async with following(database, wakeups, clock) as ears:
        await tell(others, note())
        await ears.until(1)
        await database.execute("INSERT INTO intermute.events VALUES (2, 'alpha', 'x', NULL, '{}', now())")
        await database.execute("UPDATE intermute.counter SET cursor = 2")
        await clock.until_sleeping()
        await clock.advance(POLL)
        assert await ears.until(2) == [1, 2]


async def test_the_listening_connection_may_break_and_nothing_is_lost(
    database: Database, wakeups: Wakeups, clock: HandClock, others: Journal
) -> None:
    async with following(database, wakeups, clock) as ears:
        await tell(others, note())
        await ears.until(1)
        await database.execute(MUTE)
        await tell(others, note())
        assert await ears.until(2) == [1, 2]


async def test_more_than_is_fetched_at_once_is_fetched_in_pieces(
    database: Database, wakeups: Wakeups, clock: HandClock, others: Journal
) -> None:
    async with following(database, wakeups, clock) as ears:
        await tell(others, *[note() for _ in range(2 * FETCHED + 3)])
        assert await ears.until(2 * FETCHED + 3) == list(range(1, 2 * FETCHED + 4))


async def test_events_pruned_before_they_were_fetched_are_passed_over(
    database: Database, wakeups: Wakeups, clock: HandClock, others: Journal
) -> None:
    ears = Ears()
    tail = Tail(History(database), wakeups, clock, heard=ears.hear, turned_back=ears.forget)
    await tail.begin()
    await tell(others, *[note() for _ in range(5)])
    await database.execute("DELETE FROM intermute.events WHERE cursor IN (1, 2, 4)")
    async with background(tail.run()):
        await tell(others, note())
        assert await ears.until(3) == [3, 5, 6]


async def test_a_log_that_was_turned_back_is_followed_from_its_new_end(
    database: Database, wakeups: Wakeups, clock: HandClock, others: Journal
) -> None:
    async with following(database, wakeups, clock) as ears:
        await tell(others, note(), note(), note())
        await ears.until(3)
        await database.execute("TRUNCATE intermute.events")
        await database.execute(FORGET)
        await clock.until_sleeping()
        await clock.advance(POLL)
        async with asyncio.timeout(WITHIN):
            await ears.turned_back.wait()
        await tell(others, note())
        assert await ears.until(4) == [1, 2, 3, 2]


async def test_a_listener_that_fails_does_not_fail_who_committed(
    database: Database, wakeups: Wakeups, clock: HandClock, own: Journal
) -> None:
    def fail(_events: Sequence[Event]) -> None:
        raise ZeroDivisionError

    tail = Tail(History(database), wakeups, clock, heard=fail, turned_back=lambda: None)
    own.subscribe(tail.committed)
    await tail.begin()
    await tell(own, note())
    assert tail.position == 1
