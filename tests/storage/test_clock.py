"""The clock turned by hand, on which every test of time relies."""

import asyncio
from datetime import UTC, timedelta

from storage.clock import SystemClock
from tests.clock import START, HandClock


async def test_sleepers_wake_in_the_order_of_their_alarms_each_at_its_time(clock: HandClock) -> None:
    woken: list[tuple[float, timedelta]] = []

    async def sleeper(seconds: float) -> None:
        await clock.sleep(seconds)
        woken.append((seconds, clock.now() - START))

    async with asyncio.TaskGroup() as tasks:
        for seconds in (3, 1, 2, 1):
            tasks.create_task(sleeper(seconds))
        await clock.until_sleeping(4)
        await clock.advance(2.5)
        assert woken == [(s, timedelta(seconds=s)) for s in (1, 1, 2)]
        assert clock.now() == START + timedelta(seconds=2.5)
        assert clock.sleepers == 1
        await clock.advance(0.5)
        assert woken[-1] == (3, timedelta(seconds=3))


async def test_one_turn_rings_again_for_whoever_sleeps_again(clock: HandClock) -> None:
    beats: list[timedelta] = []

    async def heart() -> None:
        while True:
            await clock.sleep(10)
            beats.append(clock.now() - START)

    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(heart())
        await clock.advance(35)
        assert beats == [timedelta(seconds=s) for s in (10, 20, 30)]
        task.cancel()


async def test_a_cancelled_sleeper_leaves_no_alarm(clock: HandClock) -> None:
    async with asyncio.TaskGroup() as tasks:
        task = tasks.create_task(clock.sleep(5))
        await clock.until_sleeping()
        task.cancel()
    assert clock.sleepers == 0
    await clock.sleep(0)
    assert clock.now() == START


async def test_the_system_clock_is_aware_and_does_not_run_backwards() -> None:
    clock = SystemClock()
    before = clock.now()
    await clock.sleep(0.001)
    assert before.tzinfo is UTC
    assert clock.now() > before
