"""A turn whose agent reads words of others while it works counts as tainted from that moment."""

import asyncio

from container.agent import StopReason, TurnEvents
from host.conversation.turns import Turn
from tests.host.conversation.agents import ScriptedAgent
from tests.host.conversation.house import House


async def test_a_running_turn_is_tainted_in_memory_and_in_the_database(house: House) -> None:
    seen: list[bool] = []

    async def read(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason | None:
        del text
        session = house.sessions.live[agent.key]
        assert session.turn is not None
        await house.lanes.taint(session.turn)
        seen.append(session.turn.tainted)
        events.text("read")
        return None

    house.launcher.script = read
    async with asyncio.timeout(20), house.open():
        await house.say("read what they wrote")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
        await house.lanes.idle()
        assert seen == [True]
        assert await house.database.fetchval("SELECT bool_and(tainted) FROM host.turns")
        await house.say("and once more")
        await house.bridge.until(lambda: len(house.bridge.texts("tg:1000")) == 2)
    assert seen == [True, True]


async def test_what_joins_a_tainted_turn_leaves_it_tainted(house: House) -> None:
    started, go_on = asyncio.Event(), asyncio.Event()
    turns: list[Turn | None] = []

    async def work(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason | None:
        session = house.sessions.live[agent.key]
        if "first" in text:
            assert session.turn is not None
            await house.lanes.taint(session.turn)
            started.set()
            await go_on.wait()
        else:
            turns.append(session.turn)
            go_on.set()
        events.text("done")
        return None

    house.launcher.script = work
    house.launcher.takes_followups = True
    async with asyncio.timeout(20), house.open():
        await house.say("first")
        await started.wait()
        await house.say("second")
        await go_on.wait()
    (turn,) = turns
    assert turn is not None
    assert turn.tainted
