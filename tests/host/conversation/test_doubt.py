"""Commits that nobody confirmed: they may have happened or not, and nothing is lost or done twice."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest

from container.agent import TurnEvents
from storage.ids import NewId
from tests.clock import HandClock
from tests.host.conversation.agents import ScriptedAgent, ScriptedLauncher
from tests.host.conversation.bridges import MemoryBridge
from tests.host.conversation.doubtful import DoubtfulDatabase
from tests.host.conversation.house import House


@pytest.fixture
async def doubtful(database_url: str) -> AsyncIterator[DoubtfulDatabase]:
    async with DoubtfulDatabase.open(database_url, size=5) as database:
        assert isinstance(database, DoubtfulDatabase)
        yield database


@pytest.fixture
def house(doubtful: DoubtfulDatabase, clock: HandClock, new_id: NewId, tmp_path: Path) -> House:
    return House(
        database=doubtful,
        clock=clock,
        new_id=new_id,
        bridge=MemoryBridge("tg"),
        web=MemoryBridge("web"),
        launcher=ScriptedLauncher(),
        home=tmp_path,
    )


async def _warm(house: House) -> None:
    """Have an agent and an answer, so that the next commit after an accepted message begins a turn."""
    await house.say("warm up")
    await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
    assert await house.sender.drain(5)


async def _as_time_passes(house: House, seen: Callable[[], bool]) -> None:
    """Turn the clock bit by bit, so that what waits for a retry has its turn, until something is seen."""
    async with asyncio.timeout(10):
        while not seen():
            await house.clock.advance(0.5)
            await asyncio.sleep(0.001)


def _answers(house: House, number: int) -> Callable[[], bool]:
    return lambda: len(house.bridge.texts("tg:1000")) == number


@pytest.mark.parametrize("committed", [True, False])
async def test_a_turn_whose_beginning_was_not_confirmed_is_answered_once(
    house: House, doubtful: DoubtfulDatabase, committed: bool
) -> None:
    async with house.open():
        await _warm(house)
        await house.say("hi")
        doubtful.breaks, doubtful.committed = 1, committed
        await _as_time_passes(house, _answers(house, 2))
    assert await house.turn_states() == ["done", "done"]
    assert len(house.launcher.prompts) == 2


@pytest.mark.parametrize("committed", [True, False])
async def test_a_turn_whose_end_was_not_confirmed_is_answered_once(
    house: House, doubtful: DoubtfulDatabase, committed: bool
) -> None:
    async def break_the_end(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        events.text("answer")
        if "hi" in text and len(house.launcher.prompts) == 2:
            doubtful.breaks, doubtful.committed = 12, committed

    house.launcher.script = break_the_end
    async with house.open():
        await _warm(house)
        await house.say("hi")
        await _as_time_passes(house, _answers(house, 2))
        await _as_time_passes(house, lambda: not doubtful.breaks)
        later = house.clock.now() + timedelta(seconds=15)
        await _as_time_passes(house, lambda: house.clock.now() > later and not house.lanes.talking)
    assert house.bridge.texts("tg:1000") == ["answer", "answer"]
    assert await house.turn_states() == ["done", "done"]
    # Not committed, the answer was lost with its agent and had to be made again.
    assert len(house.launcher.prompts) == (2 if committed else 3)


@pytest.mark.parametrize("committed", [True, False])
async def test_a_delivery_that_could_not_be_noted_at_once_is_not_repeated(
    house: House, doubtful: DoubtfulDatabase, committed: bool
) -> None:
    async with house.open():
        await _warm(house)
        house.bridge.gate = asyncio.Event()
        await house.say("hi")
        await house.bridge.until(lambda: house.bridge.times("send", "tg:1000") == 2)
        doubtful.breaks, doubtful.committed = 3, committed
        house.bridge.gate.set()
        await _as_time_passes(house, lambda: doubtful.breaks == 0)
        await house.clock.advance(10)
        assert await house.sender.drain(5)
    assert house.bridge.times("send", "tg:1000") == 2
    assert await house.outbox.next_due("tg:1000") is None


async def test_files_that_could_not_be_looked_up_cost_no_answer(
    house: House, doubtful: DoubtfulDatabase
) -> None:
    async with house.open():
        await _warm(house)
        doubtful.unread = "host.attachments"
        await house.say("hi")
        await _as_time_passes(house, _answers(house, 2))
    assert doubtful.unread == ""
    assert await house.turn_states() == ["done", "done"]
