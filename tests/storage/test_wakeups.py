"""Wake-ups shorten a wait and never decide it."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from storage.database import Database
from storage.errors import DatabaseUnavailable
from storage.wakeups import KEPT, Wakeup, Wakeups, notify
from tests.clock import HandClock
from tests.storage.processes import python

LATER = 3600.0
CUT = "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity WHERE application_name = $1"


@pytest.fixture
async def news(database_url: str) -> AsyncIterator[Wakeups]:
    async with Wakeups.open(database_url) as wakeups:
        yield wakeups


async def tell(database: Database, channel: str, *payloads: str) -> None:
    async with database.transaction() as connection:
        for payload in payloads:
            await notify(connection, channel, payload)


async def heard(wakeup: Wakeup, clock: HandClock) -> list[str]:
    async with asyncio.timeout(10):
        return await wakeup.wait(clock, LATER)


async def listening(wakeups: Wakeups, channel: str, clock: HandClock) -> Wakeup:
    wakeup = wakeups.subscribe(channel)
    assert await heard(wakeup, clock) == []
    return wakeup


async def test_the_first_wait_says_look_at_everything_and_then_payloads_arrive_in_order(
    database: Database, news: Wakeups, clock: HandClock
) -> None:
    wakeup = await listening(news, "posts", clock)
    await tell(database, "posts", "a", "b")
    assert await heard(wakeup, clock) == ["a", "b"]


async def test_what_arrives_between_two_waits_is_kept(
    database: Database, news: Wakeups, clock: HandClock
) -> None:
    posts, turns = await listening(news, "posts", clock), await listening(news, "turns", clock)
    await tell(database, "posts", "a")
    await tell(database, "posts", "b")
    await tell(database, "turns", "z")
    assert await heard(turns, clock) == ["z"]
    assert await heard(posts, clock) == ["a", "b"]


async def test_a_notification_of_a_transaction_rolled_back_is_never_heard(
    database: Database, news: Wakeups, clock: HandClock
) -> None:
    wakeup = await listening(news, "posts", clock)

    async def change_my_mind() -> None:
        async with database.transaction() as connection:
            await notify(connection, "posts", "never")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await change_my_mind()
    await tell(database, "posts", "after")
    assert await heard(wakeup, clock) == ["after"]


async def test_all_subscribers_of_a_channel_hear_it_and_a_closed_one_does_not(
    database: Database, news: Wakeups, clock: HandClock
) -> None:
    one, two, three = [await listening(news, "posts", clock) for _ in range(3)]
    three.close()
    await tell(database, "posts", "x")
    assert await heard(one, clock) == ["x"]
    assert await heard(two, clock) == ["x"]
    async with asyncio.TaskGroup() as tasks:
        silent = tasks.create_task(three.wait(clock, LATER))
        await clock.until_sleeping()
        assert not silent.done()
        silent.cancel()


async def test_a_channel_nobody_hears_any_more_can_be_heard_again(
    database: Database, news: Wakeups, clock: HandClock
) -> None:
    for _ in range(3):
        (await listening(news, "posts", clock)).close()
    wakeup = await listening(news, "posts", clock)
    await tell(database, "posts", "x")
    assert await heard(wakeup, clock) == ["x"]


async def test_the_slow_poll_comes_due_by_the_given_clock(news: Wakeups, clock: HandClock) -> None:
    wakeup = await listening(news, "posts", clock)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(wakeup.wait(clock, 30))
        await clock.until_sleeping()
        await clock.advance(29)
        assert not waiting.done()
        await clock.advance(1)
        assert await waiting == []
    assert clock.sleepers == 0


async def test_a_cancelled_wait_loses_nothing_and_leaves_no_sleeper(
    database: Database, news: Wakeups, clock: HandClock
) -> None:
    wakeup = await listening(news, "posts", clock)
    async with asyncio.TaskGroup() as tasks:
        waiting = tasks.create_task(wakeup.wait(clock, LATER))
        await clock.until_sleeping()
        waiting.cancel()
    assert clock.sleepers == 0
    await tell(database, "posts", "x")
    assert await heard(wakeup, clock) == ["x"]


async def test_too_many_payloads_become_look_at_everything(
    database: Database, news: Wakeups, clock: HandClock
) -> None:
    wakeup, last = await listening(news, "posts", clock), await listening(news, "last", clock)
    await tell(database, "posts", *[str(n) for n in range(KEPT + 1)])
    await tell(database, "last", "all delivered")
    assert await heard(last, clock) == ["all delivered"]
    assert await heard(wakeup, clock) == []
    await tell(database, "posts", "x")
    assert await heard(wakeup, clock) == ["x"]


async def test_a_lost_connection_is_replaced_and_everybody_looks_once(
    database: Database, news: Wakeups, clock: HandClock
) -> None:
    posts, turns = await listening(news, "posts", clock), await listening(news, "turns", clock)
    assert await database.fetchval(CUT, "intercom-wakeups") == 1
    assert await heard(posts, clock) == []
    assert await heard(turns, clock) == []
    await tell(database, "posts", "x")
    await tell(database, "turns", "y")
    assert (await heard(posts, clock), await heard(turns, clock)) == (["x"], ["y"])


async def test_other_processes_are_heard(
    database: Database, database_url: str, news: Wakeups, clock: HandClock
) -> None:
    wakeup = await listening(news, "posts", clock)
    async with python("notify", database_url, "posts", "from afar"):
        assert await heard(wakeup, clock) == ["from afar"]


async def test_without_a_server_there_is_no_start(database_url: str) -> None:
    with pytest.raises(DatabaseUnavailable):
        async with Wakeups.open(database_url.replace("port=", "port=1")):
            pass


async def test_an_error_of_the_user_leaves_as_it_is(database_url: str) -> None:
    with pytest.raises(ZeroDivisionError):
        async with Wakeups.open(database_url):
            raise ZeroDivisionError
