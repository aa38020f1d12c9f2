"""Answers that are shown while they grow."""

import asyncio
from datetime import timedelta

from container.agent import StopReason, TurnEvents
from host.people.registry import Role
from tests.host.conversation.agents import ScriptedAgent
from tests.host.conversation.house import ANA, House


class Slowly:
    """An agent that says the next thing when the test lets it."""

    def __init__(self, house: House) -> None:
        self.events: asyncio.Queue[TurnEvents] = asyncio.Queue()
        self.free = asyncio.Event()
        house.launcher.script = self.script

    async def script(self, agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason:
        self.events.put_nowait(events)
        await self.free.wait()
        return StopReason.END


async def test_the_answer_grows_in_one_message_once_a_second(house: House) -> None:
    slowly = Slowly(house)
    async with house.open():
        await house.say("hi")
        events = await slowly.events.get()
        events.text("I ")
        await house.clock.advance(0.9)
        assert house.bridge.texts("tg:1000") == []
        await house.clock.advance(0.1)
        await house.bridge.until_shows("tg:1000", "I")
        events.text("am ")
        await house.clock.until_sleeping(7)
        await house.clock.advance(0.5)
        events.text("growing")
        await house.clock.advance(0.5)
        await house.bridge.until_shows("tg:1000", "I am growing")
        events.text(".")
        slowly.free.set()
        await house.bridge.until_shows("tg:1000", "I am growing.")
        assert await house.sender.drain(5)
    assert house.bridge.times("send", "tg:1000") == 1
    assert house.bridge.times("edit", "tg:1000") == 2


async def test_a_fast_answer_has_no_preview(house: House) -> None:
    async with house.open():
        await house.say("hi")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
        await house.clock.advance(3)
        assert await house.sender.drain(5)
    assert house.bridge.times("edit", "tg:1000") == 0


async def test_a_tool_at_work_is_one_quiet_line_that_disappears_into_the_answer(house: House) -> None:
    slowly = Slowly(house)
    async with house.open():
        await house.say("hi")
        events = await slowly.events.get()
        events.tool("1", "looking up ready issues", finished=False)
        await house.clock.advance(1)
        await house.bridge.until_shows("tg:1000", "\\>> looking up ready issues…")
        entry = (await house.transcript.page("main", None, 10))[-1]
        assert (entry.content.text, entry.activity) == ("", ">> looking up ready issues…")
        assert not entry.gone
        events.tool("1", "looking up ready issues", finished=True)
        events.text("Take iv-1.")
        slowly.free.set()
        await house.bridge.until_shows("tg:1000", "Take iv-1.")


async def test_text_before_and_after_a_tool_are_two_paragraphs(house: House) -> None:
    slowly = Slowly(house)
    async with house.open():
        await house.say("hi")
        events = await slowly.events.get()
        events.text("Let me see.")
        events.tool("1", "looking", finished=False)
        events.tool("1", "looking", finished=True)
        events.text("Here ")
        events.text("it is.")
        slowly.free.set()
        await house.bridge.until_shows("tg:1000", "Let me see.\n\nHere it is.")


async def test_a_preview_without_an_answer_is_taken_back(house: House) -> None:
    slowly = Slowly(house)
    async with house.open():
        await house.say("hi")
        events = await slowly.events.get()
        events.tool("1", "thinking", finished=False)
        await house.clock.advance(1)
        await house.bridge.until_shows("tg:1000", "\\>> thinking…")
        events.text("<internal>nothing to say</internal>")
        slowly.free.set()
        await house.bridge.until(lambda: not house.bridge.texts("tg:1000"))


async def test_a_private_chat_with_drafts_has_no_message_before_the_answer(house: House) -> None:
    house.bridge.takes_drafts = True
    slowly = Slowly(house)
    async with house.open():
        await house.say("hi")
        events = await slowly.events.get()
        events.text("I ")
        events.tool("1", "Read: notes_*.md", finished=False)
        await house.clock.advance(1)
        await house.bridge.until(lambda: len(house.bridge.drafts) == 1)
        for _ in range(19):  # unchanged: shown again only before it fades
            await house.clock.advance(1)
        assert len(house.bridge.drafts) == 1
        await house.clock.advance(1)
        await house.bridge.until(lambda: len(house.bridge.drafts) == 2)
        events.text("am.")
        slowly.free.set()
        await house.bridge.until_shows("tg:1000", "I \n\nam.")
        assert await house.sender.drain(5)
    addresses, numbers, texts = zip(*house.bridge.drafts, strict=True)
    assert (set(addresses), set(texts)) == ({"tg:1000"}, {"I\n\n\\>> Read: notes\\_\\*.md…"})
    assert len(set(numbers)) == 1
    assert 0 < numbers[0] < 2**31
    assert (house.bridge.times("send", "tg:1000"), house.bridge.times("edit", "tg:1000")) == (1, 0)


async def test_a_draft_that_is_refused_becomes_a_message_that_grows(house: House) -> None:
    slowly = Slowly(house)
    house.bridge.takes_drafts = True
    async with house.open():
        await house.say("hi")
        events = await slowly.events.get()
        events.text("I ")
        await house.clock.advance(1)
        await house.bridge.until(lambda: house.bridge.drafts)
        house.bridge.takes_drafts = False
        events.text("am")
        await house.clock.advance(1)
        await house.bridge.until_shows("tg:1000", "I am")
        events.text(".")
        slowly.free.set()
        await house.bridge.until_shows("tg:1000", "I am.")


async def test_groups_are_edited_every_three_seconds_and_get_replies(house: House) -> None:
    slowly = Slowly(house)
    async with house.open():
        await house.registry.add_group("tg:-1", "team", trigger_required=False)
        await house.registry.set_role("team", ANA.address, Role.OWNER)
        await house.say("hi", address="tg:-1")
        events = await slowly.events.get()
        events.text("one")
        await house.clock.advance(1)
        await house.bridge.until_shows("tg:-1", "one")
        await house.clock.until_sleeping(7)
        events.text(" two")
        await house.clock.advance(2.5)
        assert house.bridge.times("edit", "tg:-1") == 0
        await house.clock.advance(0.5)
        await house.bridge.until_shows("tg:-1", "one two")
        parts = list(house.bridge.chats["tg:-1"].values())
        assert [part.reply_to for part in parts] == ["m1"]
        slowly.free.set()


async def test_the_transcript_tells_people_agents_and_the_host_apart(house: House) -> None:
    async with house.open():
        await house.say("hi")
        await house.bridge.until(lambda: house.bridge.texts("tg:1000"))
        await house.say("/ping")
        await house.bridge.until(lambda: "pong" in house.bridge.texts("tg:1000"))
        assert await house.sender.drain(5)
    entries = await house.transcript.page("main", None, 10)
    assert [(entry.person_name, entry.kind and entry.kind.value) for entry in entries] == [
        ("Ana", None),
        ("", "answer"),
        ("Ana", None),
        ("", "answer"),
    ]
    assert [entry.id for entry in entries] == sorted(entry.id for entry in entries)
    assert entries[0].refs == ("m1",)
    assert all(entry.sent for entry in entries)
    assert await house.transcript.last("main") == entries[-1].id
    page = await house.transcript.page("main", entries[2].id, 1)
    assert page == [entries[1]]
    assert await house.transcript.entry("main", entries[1].id) == entries[1]
    assert await house.transcript.entry("other", entries[1].id) is None
    assert entries[0].at - house.clock.now() < timedelta(seconds=1)
