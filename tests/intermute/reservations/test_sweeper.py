"""What ends by itself: time that is over, agents that died; and clocks that jump."""

import asyncio
from datetime import timedelta

import pytest

from intermute.errors import Conflict
from intermute.events.journal import Journal
from intermute.limits import Limits
from intermute.reservations.reservations import Reservations
from intermute.reservations.sweeper import Sweeper
from storage.background import background
from storage.database import Database
from tests.clock import START, HandClock
from tests.intermute.reservations.heard import Heard, hold, holders, wait

REGISTER = """
INSERT INTO intermute.agents (id, project, session_id, name, created_at, last_seen)
VALUES ($1, 'p', $1, upper($1), $2, $2)
"""
SEEN = "UPDATE intermute.agents SET last_seen = $2 WHERE id = $1"


async def pass_time(sweeper: Sweeper, clock: HandClock, seconds: int) -> None:
    """Let time pass as it does when somebody sweeps all the while."""
    for _ in range(seconds // 15):
        await clock.advance(15)
        await sweeper.sweep()


async def test_time_that_is_over_is_told_once(
    reservations: Reservations, sweeper: Sweeper, clock: HandClock, heard: Heard
) -> None:
    await hold(reservations, "ada", "a", ttl_minutes=1)
    await hold(reservations, "ada", "b", ttl_minutes=2)
    heard.told()
    await clock.advance(60)
    assert await holders(reservations) == [("ada", "b")]
    assert await sweeper.sweep() == 1
    assert heard.told() == [("expired", "ada", "expired")]
    assert await sweeper.sweep() == 0
    assert heard.told() == []


async def test_fault_09_a_dead_agents_unexpired_locks_are_freed_after_its_grace(
    database: Database, reservations: Reservations, sweeper: Sweeper, clock: HandClock, heard: Heard
) -> None:
    for agent in ("ada", "bob"):
        await database.execute(REGISTER, agent, START)
        await hold(reservations, agent, f"{agent}/**", ttl_minutes=1440)
    await hold(reservations, "stranger", "x", ttl_minutes=1440)
    await wait(reservations, "eve", "ada/x")
    heard.told()
    await pass_time(sweeper, clock, 240)
    await database.execute(SEEN, "bob", clock.now())
    await pass_time(sweeper, clock, 60)
    assert heard.told() == []
    await pass_time(sweeper, clock, 30)
    assert heard.told() == [("expired", "ada", "agent_gone"), ("granted", "eve", None)]
    assert await holders(reservations) == [("bob", "bob/**"), ("stranger", "x"), ("eve", "ada/x")]
    (gone,) = (await reservations.of_agent("ada")).reservations
    assert (gone.ended, gone.active(clock.now())) == ("agent_gone", False)


async def test_a_dead_agent_no_longer_stands_in_line(
    database: Database, reservations: Reservations, sweeper: Sweeper, clock: HandClock
) -> None:
    await database.execute(REGISTER, "bob", START)
    await hold(reservations, "ada", "a", ttl_minutes=1440)
    await wait(reservations, "bob", "a", "b")
    await wait(reservations, "eve", "b")
    await pass_time(sweeper, clock, 330)
    assert await holders(reservations) == [("ada", "a"), ("eve", "b")]
    assert await reservations.line("p") == []


async def test_a_clock_that_jumps_ahead_kills_nobody(
    database: Database, reservations: Reservations, sweeper: Sweeper, clock: HandClock
) -> None:
    await database.execute(REGISTER, "ada", START)
    await hold(reservations, "ada", "a", ttl_minutes=1440)
    await pass_time(sweeper, clock, 240)
    await database.execute(SEEN, "ada", clock.now())
    await clock.advance(timedelta(hours=3).total_seconds())
    await sweeper.sweep()
    await pass_time(sweeper, clock, 285)
    assert await holders(reservations) == [("ada", "a")]
    await pass_time(sweeper, clock, 30)
    assert await holders(reservations) == []


async def test_a_clock_that_jumps_back_kills_nobody_and_tokens_still_grow(
    database: Database, journal: Journal, reservations: Reservations, sweeper: Sweeper, limits: Limits
) -> None:
    await database.execute(REGISTER, "ada", START)
    before = await hold(reservations, "ada", "a", ttl_minutes=1)
    early = HandClock(START - timedelta(days=1))
    behind = Reservations(database, journal, early, reservations._new_id, limits)
    sweeper._clock = early
    await pass_time(sweeper, early, 330)
    with pytest.raises(Conflict):
        await hold(behind, "bob", "a")
    await behind.release(before.id)
    assert (await hold(behind, "bob", "a")).token > before.token


async def test_a_service_that_was_not_there_to_listen_gives_everybody_the_grace_again(
    database: Database,
    journal: Journal,
    reservations: Reservations,
    clock: HandClock,
    limits: Limits,
) -> None:
    await database.execute(REGISTER, "ada", START)
    await hold(reservations, "ada", "a", ttl_minutes=1440)
    await clock.advance(timedelta(hours=2).total_seconds())
    restarted = Sweeper(database, journal, clock, limits)
    await pass_time(restarted, clock, 300)
    assert await holders(reservations) == [("ada", "a")]
    await pass_time(restarted, clock, 15)
    assert await holders(reservations) == []


async def test_of_several_replicas_one_sweeps(
    database: Database,
    journal: Journal,
    reservations: Reservations,
    clock: HandClock,
    limits: Limits,
    heard: Heard,
) -> None:
    for number in range(10):
        await hold(reservations, "ada", f"{number}", project=f"p{number}", ttl_minutes=1)
    await clock.advance(60)
    heard.told()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(Sweeper(database, journal, clock, limits).sweep())
    assert sorted(heard.told()) == [("expired", "ada", "expired")] * 10


async def test_it_does_not_sweep_while_another_does(
    database: Database, reservations: Reservations, sweeper: Sweeper, clock: HandClock
) -> None:
    await hold(reservations, "ada", "a", ttl_minutes=1)
    await clock.advance(60)
    async with database.transaction() as other:
        await other.fetchval("SELECT pg_advisory_xact_lock(hashtextextended('intermute.sweeper', 0))")
        assert await sweeper.sweep() == 0
    assert await sweeper.sweep() == 1


async def test_the_loop_wakes_when_something_is_over(
    reservations: Reservations, sweeper: Sweeper, clock: HandClock, heard: Heard
) -> None:
    await hold(reservations, "ada", "a", ttl_minutes=1)
    heard.told()
    async with background(sweeper.run()):
        for _ in range(4):
            await clock.until_sleeping()
            await clock.advance(15)
        await clock.until_sleeping()
        assert heard.told() == [("expired", "ada", "expired")]


async def test_the_loop_outlives_a_database_that_is_away(
    database: Database,
    journal: Journal,
    reservations: Reservations,
    clock: HandClock,
    limits: Limits,
    heard: Heard,
) -> None:
    await hold(reservations, "ada", "a", ttl_minutes=1)
    heard.told()
    await database.execute("ALTER TABLE intermute.waiting RENAME TO elsewhere")
    async with background(Sweeper(database, journal, clock, limits).run()):
        await clock.until_sleeping()
        await clock.advance(60)
        await clock.until_sleeping()
        assert heard.told() == []
        await database.execute("ALTER TABLE intermute.elsewhere RENAME TO waiting")
        await clock.advance(15)
        await clock.until_sleeping()
        assert heard.told() == [("expired", "ada", "expired")]


MANY = """
INSERT INTO intermute.reservations
    (id, project, agent, pattern, anchor, exclusive, token, created_at, expires_at)
SELECT 'r' || n, 'p', 'agent' || n, 'f' || n, 'f' || n || '/', true, -n, $1, $1
FROM generate_series(1, 2500) AS n
"""


async def test_after_a_long_night_there_is_an_end_in_pieces_and_all_is_free_at_once(
    database: Database, reservations: Reservations, sweeper: Sweeper, clock: HandClock, heard: Heard
) -> None:
    await hold(reservations, "ada", "x")
    await database.execute(MANY, clock.now())
    assert (await hold(reservations, "ada", "f2500")).agent == "ada"
    heard.told()
    ended = 1000  # by the request
    while ended < 2500:
        await sweeper.sweep()
        told = heard.told()
        assert 0 < len(told) <= 1000
        ended += len(told)
        assert await sweeper.pause() == (0.05 if ended < 2500 else 15)
    assert await holders(reservations) == [("ada", "x"), ("ada", "f2500")]
