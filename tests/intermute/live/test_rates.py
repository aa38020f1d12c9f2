"""How often a sender types into one terminal."""

import asyncio

import pytest

from intermute.errors import LimitReached
from intermute.live.rates import Rates
from storage.database import Database
from tests.clock import HandClock


@pytest.fixture
def rates(database: Database, clock: HandClock) -> Rates:
    return Rates(database, clock, 10)


async def test_ten_a_minute_and_pair(rates: Rates, clock: HandClock) -> None:
    for _ in range(10):
        await rates.take("p", "alice", ["bob"])
    await clock.advance(20)
    with pytest.raises(LimitReached) as refused:
        await rates.take("p", "alice", ["bob"])
    assert (refused.value.code, refused.value.retry_after) == ("rate_limit", 40)
    assert refused.value.details == {"retry_after_seconds": 40}
    await rates.take("p", "alice", ["carol"])
    await rates.take("p", "dan", ["bob"])
    await rates.take("q", "alice", ["bob"])


async def test_a_new_minute_begins_anew(rates: Rates, clock: HandClock) -> None:
    for _ in range(10):
        await rates.take("p", "alice", ["bob"])
    await clock.advance(60)
    for _ in range(10):
        await rates.take("p", "alice", ["bob"])
    with pytest.raises(LimitReached):
        await rates.take("p", "alice", ["bob"])


async def test_of_many_at_once_exactly_ten_go(rates: Rates) -> None:
    async def one() -> bool:
        try:
            await rates.take("p", "alice", ["bob", "carol"])
        except LimitReached:
            return False
        return True

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        racing = [tasks.create_task(one()) for _ in range(50)]
    assert sum(task.result() for task in racing) == 10


async def test_a_clock_turned_back_locks_nobody_out(rates: Rates, database: Database) -> None:
    for _ in range(10):
        await rates.take("p", "alice", ["bob"])
    await database.execute("UPDATE intermute.live_rates SET began = began + interval '1 day'")
    await rates.take("p", "alice", ["bob"])


async def test_what_is_over_is_not_kept(rates: Rates, clock: HandClock, database: Database) -> None:
    for number in range(30):
        await rates.take("p", f"sender-{number}", ["bob", "carol"])
    await clock.advance(60)
    await rates.take("p", "alice", ["bob"])
    assert await database.fetchval("SELECT count(*) FROM intermute.live_rates") == 1
