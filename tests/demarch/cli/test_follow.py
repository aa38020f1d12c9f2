"""The follower: a signal that something happened, from a process that may die, hang or repeat itself."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from demarch.cli.events import Events
from demarch.cli.follow import AGAIN, LIFE, POLL_ALONE, Follower
from demarch.cli.process import Runner
from storage.clock import SystemClock
from tests.clock import HandClock
from tests.demarch.cli.binaries import Binaries
from tests.demarch.cli.logbook import Logbook

LONG = 3600.0


@pytest.fixture
def log(binaries: Binaries) -> Logbook:
    return Logbook(binaries)


@pytest.fixture
def follower(runner: Runner, clock: HandClock, log: Logbook) -> Follower:
    return Follower(runner, clock, Events(runner).head)


@asynccontextmanager
async def running(follower: Follower) -> AsyncIterator[None]:
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(follower.run())
        try:
            yield
        finally:
            task.cancel()


async def until(holds: Callable[[], bool]) -> None:
    """Another process's work."""
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - it cannot tell us
            await asyncio.sleep(0.01)


def pids(binaries: Binaries) -> list[int]:
    """Processes that run the scripted `ic`."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                if str(binaries.folder / "ic").encode() in (entry / "cmdline").read_bytes().split(b"\0"):
                    found.append(int(entry.name))
    return found


async def test_what_happens_ends_the_wait(follower: Follower, log: Logbook) -> None:
    for _ in range(3):
        log.happen()
    async with running(follower):
        await follower.wait(SystemClock(), LONG)  # it has begun
        assert follower.follows
        waiting = asyncio.ensure_future(follower.wait(SystemClock(), LONG))  # noqa: TID251 - to see it wait
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await asyncio.shield(waiting)
        log.happen("discovery.scored", source="discovery")
        await waiting


async def test_sources_that_come_again_with_every_poll_wake_nobody(follower: Follower, log: Logbook) -> None:
    log.manner(unmarked=("coordination", "interspect"))
    for _ in range(5):
        log.happen("lock", source="coordination")
        log.happen("override", source="interspect")
    async with running(follower):
        await follower.wait(SystemClock(), LONG)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.4):
                await follower.wait(SystemClock(), LONG)


async def test_without_a_follower_it_is_looked_every_second(
    follower: Follower, log: Logbook, clock: HandClock
) -> None:
    log.manner(deaf=True)
    async with running(follower):
        await until(lambda: log.follows() == 1 and not follower.follows)
        follower._news.clear()
        async with asyncio.TaskGroup() as tasks:
            waiting = tasks.create_task(follower.wait(clock, LONG))
            await clock.until_sleeping(2)
            await clock.advance(POLL_ALONE)
            await waiting


async def test_a_dead_pipe_is_opened_anew_after_five_seconds(
    follower: Follower, log: Logbook, clock: HandClock, binaries: Binaries
) -> None:
    async with running(follower):
        await follower.wait(clock, LONG)
        await until(lambda: log.follows() == 1)
        for pid in pids(binaries):
            os.kill(pid, 9)
        await follower.wait(clock, LONG)  # whoever waits hears that it is down
        assert not follower.follows
        log.happen()
        await clock.until_sleeping(1)
        await clock.advance(AGAIN - 1)
        assert log.follows() == 1
        await clock.advance(1)
        await follower.wait(clock, LONG)
        assert follower.follows
        await until(lambda: log.follows() == 2)


async def test_a_process_lives_for_a_while_only(
    follower: Follower, log: Logbook, clock: HandClock, binaries: Binaries
) -> None:
    """What holds a database open that was replaced hears nothing for ever."""
    async with running(follower):
        await follower.wait(clock, LONG)
        await until(lambda: log.follows() == 1)
        (before,) = pids(binaries)
        await clock.advance(LIFE)
        await until(lambda: not follower.follows)
        await clock.until_sleeping(1)
        await clock.advance(AGAIN)
        await until(lambda: log.follows() == 2)
        assert before not in pids(binaries)


async def test_nothing_is_left_running_afterwards(
    follower: Follower, log: Logbook, binaries: Binaries
) -> None:
    async with running(follower):
        await until(lambda: log.follows() == 1)
        assert pids(binaries)
    assert pids(binaries) == []


async def test_a_missing_binary_and_a_missing_folder_are_waited_for(
    follower: Follower, log: Logbook, clock: HandClock, binaries: Binaries, project: Path
) -> None:
    script = (binaries.folder / "ic").read_text()
    binaries.remove("ic")
    await asyncio.to_thread(project.rmdir)
    async with running(follower):
        await clock.until_sleeping(1, within=20)
        binaries.script("ic", script)
        await clock.advance(AGAIN)
        await clock.until_sleeping(1, within=20)
        await asyncio.to_thread(project.mkdir)
        await clock.advance(AGAIN)
        async with asyncio.timeout(20):
            while not follower.follows:
                await follower.wait(clock, LONG)


async def test_a_line_without_end_is_news_and_fills_no_memory(
    follower: Follower, log: Logbook, binaries: Binaries, clock: HandClock
) -> None:
    script = (binaries.folder / "ic").read_text()
    endless = 'if "--follow" in words:\n    while True:\n        sys.stdout.write("x" * 65536)\n'
    binaries.script("ic", script.replace("while True:", endless + "while True:", 1))
    async with running(follower):
        await follower.wait(clock, LONG)
        for _ in range(3):
            await follower.wait(clock, LONG)
        assert follower.follows
