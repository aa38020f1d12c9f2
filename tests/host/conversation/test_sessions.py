"""Warm agents: who gets one, who waits, who is frozen, who is ended."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from container.agent import Fittings, Runtime, TurnEvents
from container.sandbox import StartFailed
from host.conversation.session import Session
from host.conversation.warmth import Climate
from tests.clock import HandClock
from tests.host.conversation.agents import NoTools, ScriptedAgent
from tests.host.conversation.house import House
from tests.host.conversation.stable import Stable, group

LOCAL = Runtime(name="local", image="", command=())


@pytest.fixture
def stable(clock: HandClock) -> Stable:
    """Two agents may run."""
    return Stable(clock=clock)


async def test_a_lane_keeps_its_agent(stable: Stable) -> None:
    assert await stable.use("a") is await stable.use("a")
    assert len(stable.launcher.agents) == 1


async def test_the_longest_idle_agent_is_frozen_to_make_room(stable: Stable) -> None:
    for lane in ("a", "b", "a", "c"):
        await stable.use(lane)
        await stable.clock.advance(1)
    assert stable.awake() == {"a", "c"}
    assert stable.frozen() == {"b"}


async def test_a_frozen_agent_goes_on_where_it_was(stable: Stable) -> None:
    before = {lane: await stable.use(lane) for lane in ("a", "b", "c")}
    assert stable.frozen() == {"a"}
    assert await stable.use("a") is before["a"]
    assert len(stable.launcher.agents) == 3
    assert len(stable.awake()) == 2


async def test_frozen_agents_have_a_cap_of_their_own(clock: HandClock) -> None:
    stable = Stable(clock=clock, most=1, most_paused=2)
    for lane in ("a", "b", "c", "d", "e"):
        await stable.use(lane)
        await clock.advance(1)
    assert stable.awake() == {"e"}
    assert stable.frozen() == {"c", "d"}
    assert stable.launcher.living == 3


async def test_without_room_for_frozen_ones_an_idle_agent_is_ended(clock: HandClock) -> None:
    stable = Stable(clock=clock, most=1, most_paused=0)
    await stable.use("a")
    await stable.use("b")
    assert stable.awake() == {"b"}
    assert stable.launcher.living == 1


async def test_an_agent_that_cannot_be_woken_is_replaced(stable: Stable) -> None:
    for lane in ("a", "b", "c"):
        await stable.use(lane)
    stable.agent("a").die()
    assert (await stable.use("a")).agent.alive
    assert len(stable.launcher.agents) == 4


async def test_who_waits_longest_is_served_first_and_the_warm_one_queues_behind(stable: Stable) -> None:
    order: list[str] = []

    async def take(lane: str) -> None:
        async with stable.sessions.lend(lane, group(lane)):
            order.append(lane)
            await asyncio.sleep(0)

    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        await stack.enter_async_context(stable.sessions.lend("a", group("a")))
        await stack.enter_async_context(stable.sessions.lend("b", group("b")))
        for lane in ("c", "d", "e"):
            tasks.create_task(take(lane))
        await asyncio.sleep(0)
        assert order == []
        await stack.aclose()
        tasks.create_task(take("a"))
    assert order == ["c", "d", "e", "a"]


async def test_who_stops_waiting_leaves_its_place_to_the_next(stable: Stable) -> None:
    async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
        await stack.enter_async_context(stable.sessions.lend("a", group("a")))
        await stack.enter_async_context(stable.sessions.lend("b", group("b")))
        leaving = tasks.create_task(stable.use("c"))
        staying = tasks.create_task(stable.use("d"))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.sleep(0)
        await stack.aclose()
        await staying
    assert "c" not in stable.sessions.live
    await stable.use("e")
    await stable.use("f")
    assert len(stable.awake()) == 2


async def test_a_start_that_fails_frees_its_place(stable: Stable) -> None:
    for _ in range(5):
        stable.launcher.failures.append(StartFailed("no"))
        with pytest.raises(StartFailed):
            await stable.use("a")
    await stable.use("a")
    await stable.use("b")
    assert stable.launcher.living == 2


async def test_an_agent_that_died_is_replaced(stable: Stable) -> None:
    await stable.use("a")
    stable.agent("a").die()
    assert (await stable.use("a")).agent.alive
    assert len(stable.launcher.agents) == 2


async def test_an_agent_for_another_model_is_replaced(stable: Stable) -> None:
    await stable.use("a")
    stable.groups["a"] = group("a", "other")
    assert (await stable.use("a")).runtime == "other"
    assert stable.launcher.living == 1
    stable.groups["a"] = group("a", "unheard-of")
    with pytest.raises(StartFailed, match="is not installed"):
        await stable.use("a")


async def test_a_changed_grant_retires_the_agent_after_its_turn(stable: Stable) -> None:
    async with stable.kept(), stable.sessions.lend("a", group("a")) as session:
        granted = group("a").profile.model_copy(update={"hosts": ("example.org",)})
        stable.groups["a"] = replace(group("a"), profile=granted)
        await stable.clock.advance(60)
        assert session.agent.alive
    assert stable.launcher.living == 0


async def test_the_agent_of_a_group_that_is_gone_is_ended(stable: Stable) -> None:
    async with stable.kept():
        await stable.use("a")
        stable.groups["a"] = None
        await stable.clock.advance(5)
        assert stable.launcher.living == 0


async def test_an_idle_agents_death_is_noticed_and_its_place_is_free(stable: Stable) -> None:
    async with stable.kept():
        await stable.use("a")
        stable.agent("a").die()
        await stable.clock.advance(0)
        assert not stable.sessions.live


async def test_an_idle_agent_is_frozen_after_a_minute_and_ended_after_the_timeout(stable: Stable) -> None:
    async with stable.kept():
        await stable.use("a")
        async with stable.sessions.lend("b", group("b")):
            await stable.clock.advance(59)
            assert stable.awake() == {"a", "b"}
            await stable.clock.advance(6)
            assert stable.frozen() == {"a"}
            await stable.clock.advance(1800)
            assert set(stable.sessions.live) == {"b"}
    assert stable.launcher.living == 1


async def test_lanes_spoken_to_lately_have_an_agent_before_they_ask(clock: HandClock) -> None:
    stable = Stable(clock=clock, climate=Climate(), recent=["a", "b", "c"])
    async with stable.kept():
        await clock.advance(1)
        assert stable.frozen() == {"a", "b", "c"}
        session = await stable.use("b")
        assert session.fresh
    assert len(stable.launcher.agents) == 3


async def test_talk_that_asks_nothing_yet_starts_an_agent_ahead(clock: HandClock) -> None:
    stable = Stable(clock=clock, climate=Climate())
    async with stable.kept():
        stable.warmth.expect("a")
        await clock.advance(1)
        assert stable.frozen() == {"a"}


async def test_nobody_is_started_ahead_without_a_free_place_and_memory(
    clock: HandClock,
) -> None:
    stable = Stable(clock=clock, most=1, climate=Climate())
    async with stable.kept():
        async with stable.sessions.lend("busy", group("busy")):
            stable.warmth.expect("a")
            await clock.advance(1)
        stable.memory = 1000
        stable.warmth.expect("b")
        await clock.advance(1)
    assert {agent.key for agent in stable.launcher.agents} == {"busy"}


async def test_who_asks_while_its_agent_is_started_ahead_gets_that_one(clock: HandClock) -> None:
    stable = Stable(clock=clock, climate=Climate())
    async with asyncio.TaskGroup() as tasks:
        ahead = tasks.create_task(stable.sessions.start_ahead("a", group("a")))
        asked = tasks.create_task(stable.use("a"))
    assert ahead.result()
    assert asked.result().agent is stable.agent("a")
    assert len(stable.launcher.agents) == 1


async def test_short_memory_ends_the_longest_idle_one_by_one(clock: HandClock) -> None:
    stable = Stable(clock=clock, most=3)
    async with stable.kept():
        for lane in ("a", "b", "c"):
            await stable.use(lane)
            await clock.advance(1)
        stable.memory = 1000
        await clock.advance(5)
        assert set(stable.sessions.live) == {"b", "c"}
        async with stable.sessions.lend("b", group("b")):
            await clock.advance(20)
            assert set(stable.sessions.live) == {"b"}


async def test_a_helper_takes_a_place_and_never_waits_for_one(stable: Stable) -> None:
    async with stable.sessions.lend("a", group("a")):
        async with stable.sessions.helper("a#1", LOCAL, NoTools(), Fittings()) as helper:
            assert helper.alive
            with pytest.raises(StartFailed, match="every place"):
                async with stable.sessions.helper("a#2", LOCAL, NoTools(), Fittings()):
                    pass
        assert not stable.agent("a#1").alive
        async with stable.sessions.helper("a#3", LOCAL, NoTools(), Fittings()):
            pass


async def test_more_chats_than_agents_are_all_answered(house: House) -> None:
    house.most = 2
    small = house.again()

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
    assert len([agent for agent in small.launcher.agents if agent.alive and not agent.paused]) <= 2


class PoolMachine(RuleBasedStateMachine):
    """Whatever lanes do: never more run than may, never more are frozen, everybody who can be served is."""

    lanes = st.sampled_from(["a", "b", "c", "d", "e", "f"])

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stable = Stable(clock=HandClock(), most=2, most_paused=2)
        self.lent: dict[str, tuple[asyncio.Task[None], asyncio.Event]] = {}
        self.having: set[str] = set()
        self.keeping = self.loop.create_task(self.stable.sessions.run())
        self.settle()

    def settle(self) -> None:
        self.loop.run_until_complete(self.stable.clock.advance(1))

    @rule(lane=lanes)
    def ask(self, lane: str) -> None:
        if lane in self.lent:
            return
        leave = asyncio.Event()
        self.lent[lane] = (self.loop.create_task(self._have(lane, leave)), leave)
        self.settle()

    async def _have(self, lane: str, leave: asyncio.Event) -> None:
        async with self.stable.sessions.lend(lane, group(lane)) as session:
            assert session.agent.alive
            assert not self.stable.agent(lane).paused
            self.having.add(lane)
            try:
                await leave.wait()
            finally:
                self.having.discard(lane)

    @precondition(lambda self: self.lent)
    @rule(data=st.data())
    def give_back(self, data: st.DataObject) -> None:
        lane = data.draw(st.sampled_from(sorted(self.lent)))
        task, leave = self.lent.pop(lane)
        leave.set()
        if lane not in self.having:
            task.cancel()
        self.loop.run_until_complete(asyncio.wait([task]))
        assert task.cancelled() or task.exception() is None
        self.settle()

    @rule(lane=lanes)
    def die(self, lane: str) -> None:
        session = self.stable.sessions.live.get(lane)
        if session is not None and isinstance(session.agent, ScriptedAgent):
            session.agent.die()
            self.settle()

    @rule(lane=lanes)
    def freeze(self, lane: str) -> None:
        session: Session | None = self.stable.sessions.live.get(lane)
        if session is not None:
            self.loop.run_until_complete(self.stable.sessions.freeze(session))

    @rule(lane=lanes)
    def start_ahead(self, lane: str) -> None:
        self.loop.run_until_complete(self.stable.sessions.start_ahead(lane, group(lane)))

    @invariant()
    def the_caps_hold(self) -> None:
        assert len(self.stable.awake()) <= 2
        assert len(self.stable.frozen()) <= 2
        assert len(self.having) == min(2, len(self.lent))

    def teardown(self) -> None:
        tasks = [self.keeping, *(task for task, _ in self.lent.values())]
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.wait(tasks))
        self.loop.close()


test_the_pool_keeps_its_caps = PoolMachine.TestCase
