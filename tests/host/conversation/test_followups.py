"""Messages that arrive while the agent is busy: people see whether they wait or are read already."""

import asyncio

from container.agent import StopReason, TurnEvents
from tests.host.conversation.agents import ScriptedAgent
from tests.host.conversation.house import House
from tests.host.conversation.test_preview import Slowly


async def test_a_message_that_waits_says_so_until_its_turn(house: House) -> None:
    slowly = Slowly(house)
    async with house.open():
        await house.say("first")
        await slowly.events.get()
        await house.say("second")
        await house.clock.advance(1)
        await house.bridge.until_shows("tg:1000", "Queued: read after this answer.")
        (line,) = house.bridge.chats["tg:1000"].values()
        assert (line.reply_to, line.silent) == ("m2", True)
        assert [entry.reading for entry in await house.transcript.page("main", None, 10)][:2] == [
            "read",
            "queued",
        ]
        await house.say("third")
        await house.clock.advance(1)
        await house.bridge.until_shows("tg:1000", "Queued: 2 messages, read after this answer.")
        slowly.free.set()
        await house.launcher.until_prompted(2)
        await house.bridge.until(lambda: not house.bridge.texts("tg:1000"))
    entries = await house.transcript.page("main", None, 10)
    assert [entry.reading for entry in entries if entry.kind is None] == ["read", "read", "read"]


async def test_a_message_that_joins_says_so_until_the_answer(house: House) -> None:
    house.launcher.takes_followups = True
    slowly = Slowly(house)
    async with house.open():
        await house.say("first")
        await slowly.events.get()
        await house.say("also this")
        await slowly.events.get()
        await house.clock.advance(1)
        await house.bridge.until_shows("tg:1000", "Read: it goes into the answer under way.")
        slowly.free.set()
        await house.bridge.until(lambda: not house.bridge.texts("tg:1000"))


async def test_an_answer_that_comes_at_once_says_it_all(house: House) -> None:
    slowly = Slowly(house)
    async with house.open():
        await house.say("first")
        await slowly.events.get()
        await house.say("second")
        slowly.free.set()
        await house.launcher.until_prompted(2)
        await house.lanes.idle()
        await house.clock.advance(2)
        assert await house.sender.drain(5)
    assert house.bridge.times("send", "tg:1000") == 0


async def test_the_page_needs_no_line(house: House) -> None:
    slowly = Slowly(house)
    async with house.open():
        await house.say("first")
        await slowly.events.get()
        await house.say("from the page", address="web:local")
        await house.say("from the chat")
        await house.clock.advance(1)
        await house.bridge.until_shows("tg:1000", "Queued: read after this answer.")
        assert house.web.texts("web:local") == []
        slowly.free.set()


async def test_the_line_goes_also_when_the_turn_is_given_up(house: House) -> None:
    asked = asyncio.Event()

    async def refuse(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason:
        if len(house.launcher.prompts) == 1:
            await asked.wait()
            raise RuntimeError("a fault")
        return StopReason.END

    house.launcher.script = refuse
    async with house.open():
        await house.say("first")
        await house.launcher.until_prompted(1)
        await house.say("second")
        await house.clock.advance(1)
        await house.bridge.until_says("tg:1000", "Queued")
        asked.set()
        await house.bridge.until_says("tg:1000", "Not answered")
        await house.bridge.until(lambda: not any("Queued" in each for each in house.bridge.texts("tg:1000")))


async def test_a_stop_during_a_turn_is_answered_within_a_second(house: House) -> None:
    async def heed(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason:
        events.text("So far")
        await agent.cancelled.wait()
        return StopReason.CANCELLED

    house.launcher.script = heed
    async with house.open():
        await house.say("go")
        await house.launcher.until_prompted(1)
        began = asyncio.get_running_loop().time()
        await house.say("/stop")
        await house.bridge.until_says("tg:1000", "Stopped.")
        assert asyncio.get_running_loop().time() - began < 1
