"""Warm agents: who gets one, who waits, who is ended."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from container.agent import TurnEvents
from container.sandbox import StartFailed
from host.conversation.sessions import Session
from host.people.registry import Group
from tests.host.conversation.agents import ScriptedAgent
from tests.host.conversation.house import House


def group(folder: str, runtime: str = "local", model: str = "") -> Group:
    return Group(
        folder=folder,
        title="",
        main=False,
        trigger_required=False,
        writes=False,
        runtime=runtime,
        model=model,
        project="",
        addresses=(),
    )


@pytest.fixture
def small(house: House) -> House:
    """A house with room for two agents."""
    house.most = 2
    return house.again()


async def use(house: House, lane: str) -> Session:
    async with house.sessions.lend(lane, group(lane)) as session:
        return session


async def test_a_lane_keeps_its_agent(house: House) -> None:
    assert await use(house, "a") is await use(house, "a")
    assert len(house.launcher.agents) == 1


async def test_the_longest_idle_agent_makes_room(small: House) -> None:
    for lane in ("a", "b"):
        await use(small, lane)
        await small.clock.advance(1)
    await use(small, "a")
    await small.clock.advance(1)
    await use(small, "c")
    assert set(small.sessions.live) == {"a", "c"}
    assert small.launcher.most_living == 2


async def test_who_waits_longest_is_served_first_and_the_warm_one_queues_behind(small: House) -> None:
    order: list[str] = []

    async def take(lane: str) -> None:
        async with small.sessions.lend(lane, group(lane)):
            order.append(lane)
            await asyncio.sleep(0)

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        await stack.enter_async_context(small.sessions.lend("a", group("a")))
        await stack.enter_async_context(small.sessions.lend("b", group("b")))
        for lane in ("c", "d", "e"):
            tasks.create_task(take(lane))
        await asyncio.sleep(0)
        assert order == []
        await stack.aclose()
        tasks.create_task(take("a"))
    assert order == ["c", "d", "e", "a"]
    assert small.launcher.most_living == 2


async def test_who_stops_waiting_leaves_its_place_to_the_next(small: House) -> None:
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        await stack.enter_async_context(small.sessions.lend("a", group("a")))
        await stack.enter_async_context(small.sessions.lend("b", group("b")))
        leaving = tasks.create_task(use(small, "c"))
        staying = tasks.create_task(use(small, "d"))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
        await stack.aclose()
        await staying
    assert "c" not in small.sessions.live
    assert "d" in small.sessions.live
    await use(small, "e")
    await use(small, "f")
    assert len(small.sessions.live) == 2


async def test_a_start_that_fails_frees_its_place(small: House) -> None:
    for _ in range(5):
        small.launcher.failures.append(StartFailed("no"))
        with pytest.raises(StartFailed):
            await use(small, "a")
    await use(small, "a")
    await use(small, "b")
    assert small.launcher.living == 2


async def test_an_agent_that_died_is_replaced(house: House) -> None:
    await use(house, "a")
    house.launcher.agents[0].die()
    assert (await use(house, "a")).agent.alive
    assert len(house.launcher.agents) == 2


async def test_an_agent_for_another_model_is_replaced(house: House) -> None:
    await use(house, "a")
    async with house.sessions.lend("a", group("a", "other")) as session:
        assert session.runtime == "other"
    assert house.launcher.living == 1
    with pytest.raises(StartFailed, match="is not installed"):
        async with house.sessions.lend("a", group("a", "unheard-of")):
            pass


async def test_an_idle_agents_death_is_noticed_and_its_place_is_free(house: House) -> None:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(house.sessions.run())
        await house.clock.until_sleeping(1)
        await use(house, "a")
        house.launcher.agents[0].die()
        await house.clock.advance(0)
        assert not house.sessions.live
        running.cancel()


async def test_agents_nobody_uses_are_ended_after_the_timeout(house: House) -> None:
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(house.sessions.run())
        await house.clock.until_sleeping(1)
        await use(house, "a")
        async with house.sessions.lend("b", group("b")):
            await house.clock.advance(1799)
            assert set(house.sessions.live) == {"a", "b"}
            await house.clock.advance(20)
            assert set(house.sessions.live) == {"b"}
        running.cancel()
    assert house.launcher.living == 1


async def test_more_chats_than_agents_are_all_answered(small: House) -> None:
    async def say_which(agent: ScriptedAgent, text: str, events: TurnEvents) -> None:
        await asyncio.sleep(0)
        events.text(agent.key)

    small.launcher.script = say_which
    async with small.open():
        for number in range(8):
            await small.registry.add_group(f"tg:-{number}", f"team{number}", trigger_required=False)
        for number in range(8):
            await small.say("hi", address=f"tg:-{number}")
        for number in range(8):
            await small.bridge.until_shows(f"tg:-{number}", f"team{number}")
    assert small.launcher.most_living == 2
