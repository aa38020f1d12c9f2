"""Files that people send: fetched when an agent is about to read them, laid into its folder, or refused."""

import asyncio
from typing import Any

import pytest

from bridges.messages import Attachment, AttachmentKind
from bridges.port import BridgeUnavailable, FileRefused, RateLimited
from container.agent import StopReason, TurnEvents
from host.conversation import group_rates
from host.conversation.enclosing import MOST_BYTES
from host.people.registry import Role
from tests.bridges.telegram.test_files import png
from tests.host.conversation.agents import ScriptedAgent
from tests.host.conversation.house import ANA, EVE, House

PDF = b"%PDF-1.7 the report"


def sent(handle: str, name: str = "report.pdf", mime: str = "application/pdf", **more: Any) -> Attachment:
    kind = AttachmentKind.IMAGE if mime.startswith("image/") else AttachmentKind.DOCUMENT
    return Attachment(kind=kind, handle=handle, name=name, mime=mime, **more)


def lying(house: House, folder: str = "main") -> dict[str, bytes]:
    """The files in the group's folder, without the folder made for their message."""
    root = house.home / "groups" / folder / "attachments"
    return {path.name: path.read_bytes() for path in root.glob("*/*")}


async def fetched(house: House, handle: str, times: int) -> None:
    await house.bridge.until(lambda: house.bridge.times("fetch", handle) == times)


async def test_a_file_lies_in_the_agents_folder_and_its_message_says_where(house: House) -> None:
    house.bridge.files = {"p": PDF, "i": png()}
    async with house.open():
        files = (sent("p", '<x> "&.pdf'), sent("i", "chart.png", "image/png"))
        await house.say("[Document] look", attachments=files)
        await house.launcher.until_prompted(1)
        await house.lanes.idle()
        assert await house.sender.drain(5)
    ((_, prompt),) = house.launcher.prompts
    assert lying(house) == {"x_ _.pdf": PDF, "2-chart.png": png()}
    assert f'type="application/pdf" size="{len(PDF)}" path="/workspace/group/attachments/' in prompt
    assert 'name="x_ _.pdf"' in prompt
    report, chart = house.launcher.agents[0].enclosures
    assert (report.mime, report.data) == ("application/pdf", None)
    assert (chart.mime, chart.data) == ("image/png", png())
    assert chart.place.endswith("/2-chart.png")
    assert len(house.bridge.texts("tg:1000")) == 1


async def test_what_is_not_what_it_says_is_a_file_only(house: House) -> None:
    house.bridge.files = {"e": b"\x7fELF\x02 run me"}
    async with house.open():
        await house.say("[Photo]", attachments=(sent("e", "holiday.jpg", "image/jpeg"),))
        await house.launcher.until_prompted(1)
        await house.lanes.idle()
    (enclosure,) = house.launcher.agents[0].enclosures
    assert (enclosure.mime, enclosure.data) == ("application/x-executable", None)


async def test_what_is_refused_is_told_to_the_agent_and_in_one_sentence_to_the_person(house: House) -> None:
    house.bridge.files = {"ok": PDF}
    async with house.open():
        files = (sent("gone", "a.pdf"), sent("ok"), sent("big", "b.zip", size=20_000_001))
        await house.say("see", attachments=files)
        await house.bridge.until_says("tg:1000", "Not read")
        await house.launcher.until_prompted(1)
        await house.lanes.idle()
        assert await house.sender.drain(5)
    assert house.bridge.texts("tg:1000")[0] == (
        "Not read: “a.pdf”, the network does not know it. Not read: “b.zip”, it is larger than 20 MB."
    )
    assert next(part.reply_to for part in house.bridge.chats["tg:1000"].values()) == "m1"
    ((_, prompt),) = house.launcher.prompts
    assert '<attachment name="b.zip" refused="it is larger than 20 MB"/>' in prompt
    assert prompt.index("a.pdf") < prompt.index("report.pdf") < prompt.index("b.zip")
    assert ("fetch", "big", "") not in house.bridge.calls


async def test_nothing_is_fetched_for_a_chat_without_a_group(house: House) -> None:
    async with house.open():
        await house.say("hi", address="tg:-9", sender=EVE, attachments=(sent("p"),))
        await house.router.idle()
    assert house.bridge.times("fetch", "p") == 0
    assert await house.database.fetchval("SELECT count(*) FROM host.attachments") == 0


async def test_what_is_only_context_is_fetched_with_the_message_that_asks(house: House) -> None:
    house.bridge.files = {"p": PDF}
    async with house.open():
        await house.registry.add_group("tg:-1", "team", trigger_required=True)
        await house.registry.set_role("team", ANA.address, Role.OWNER)
        await house.say("the numbers", address="tg:-1", attachments=(sent("p"),))
        await house.lanes.idle()
        assert house.bridge.times("fetch", "p") == 0
        await house.say("@Amtiskaw what do they say?", address="tg:-1")
        await house.launcher.until_prompted(1)
        await house.lanes.idle()
    assert lying(house, "team") == {"report.pdf": PDF}


async def test_a_caption_calls_the_agent_like_a_message(house: House) -> None:
    house.bridge.files = {"p": PDF}
    async with house.open():
        await house.registry.add_group("tg:-1", "team", trigger_required=True)
        await house.say("[Document: r.pdf] @Amtiskaw sum it up", address="tg:-1", attachments=(sent("p"),))
        await house.say("[x] @Amtiskaw is mentioned by the way", address="tg:-1")
        await house.launcher.until_prompted(1)
        await house.lanes.idle()
    assert await house.database.fetchval("SELECT count(*) FROM host.messages WHERE triggers") == 1


async def test_a_network_that_stumbles_is_asked_again(house: House) -> None:
    house.bridge.files = {"p": PDF}
    house.bridge.fail("p", BridgeUnavailable("away"), method="fetch")
    house.bridge.fail("p", RateLimited(5), method="fetch")
    async with house.open():
        await house.say("see", attachments=(sent("p"),))
        for tried in (1, 2):
            await fetched(house, "p", tried)
            await house.clock.advance(5)
        await house.launcher.until_prompted(1)
        await house.lanes.idle()
    assert lying(house) == {"report.pdf": PDF}


@pytest.mark.parametrize("error", [RateLimited(3600), FileRefused("it is gone")])
async def test_a_network_that_will_not_is_not_waited_for(house: House, error: Exception) -> None:
    house.bridge.fail("p", error, method="fetch")
    async with house.open():
        await house.say("see", attachments=(sent("p"),))
        await house.bridge.until_says("tg:1000", "Not read: “report.pdf”")
        await house.launcher.until_prompted(1)
        await house.lanes.idle()


async def test_one_prompt_brings_so_much_and_the_newest_first(house: House) -> None:
    house.bridge.files = {name: bytes(18_000_000) for name in "abc"}
    async with house.open():
        await house.say("all", attachments=tuple(sent(name, f"{name}.bin", "") for name in "abc"))
        await house.launcher.until_prompted(1)
        await house.lanes.idle()
    assert sorted(lying(house)) == ["2-b.bin", "3-c.bin"]
    assert MOST_BYTES < 3 * 18_000_000
    assert 'name="a.bin" refused=' in house.launcher.prompts[0][1]


async def test_a_group_has_so_many_files_an_hour(house: House) -> None:
    house.bridge.files = {str(number): b"x" for number in range(group_rates.FILES + 1)}
    async with house.open():
        for begin in range(0, group_rates.FILES, 10):
            files = tuple(sent(str(number)) for number in range(begin, begin + 10))
            await house.say("more", attachments=files)
            await house.launcher.until_prompted(begin // 10 + 1)
            await house.lanes.idle()
        await house.say("one too many", attachments=(sent(str(group_rates.FILES)),))
        await house.bridge.until_says("tg:1000", "for the last hour")
        await house.clock.advance(3601)
        await house.say("again", attachments=(sent(str(group_rates.FILES)),))
        await house.launcher.until_prompted(group_rates.FILES // 10 + 2)
        await house.lanes.idle()
    assert house.bridge.times("fetch", str(group_rates.FILES)) == 1


async def test_a_folder_that_is_a_trap_takes_nothing(house: House) -> None:
    house.bridge.files = {"p": PDF}
    outside = house.home / "outside"
    outside.mkdir()
    (house.folder_of("main").path / "attachments").symlink_to(outside)
    async with house.open():
        await house.say("see", attachments=(sent("p"),))
        await house.bridge.until_says("tg:1000", "the group's folder does not take it")
        await house.launcher.until_prompted(1)
        await house.lanes.idle()
    assert list(outside.iterdir()) == []


async def test_a_stop_while_files_are_fetched_ends_the_turn(house: House) -> None:
    house.bridge.files = {"p": PDF}
    house.bridge.gate = asyncio.Event()
    async with house.open():
        await house.say("see", attachments=(sent("p"),))
        await house.bridge.until(lambda: house.bridge.times("fetch", "p"))
        await house.say("/stop")
        await house.router.idle()
        await house.lanes.idle()  # although the file never comes
        assert await house.turn_states() == ["done"]
        house.bridge.gate.set()
        await house.bridge.until_says("tg:1000", "Stopped.")
    assert house.launcher.prompts == []


async def test_a_turn_that_is_run_again_fetches_nothing_twice(house: House) -> None:
    house.bridge.files = {"p": PDF, "i": png()}

    async def die_once(agent: ScriptedAgent, text: str, events: TurnEvents) -> StopReason:
        if len(house.launcher.agents) == 1:
            agent.die()
            await asyncio.Event().wait()
        events.text("done")
        return StopReason.END

    house.launcher.script = die_once
    async with house.open():
        await house.say("see", attachments=(sent("p"), sent("i", "i.png", "image/png")))
        await house.bridge.until_says("tg:1000", "done")
    assert (house.bridge.times("fetch", "p"), house.bridge.times("fetch", "i")) == (1, 1)
    first, second = (prompt for _, prompt in house.launcher.prompts)
    assert first == second
    assert [each.data for each in house.launcher.agents[1].enclosures] == [None, png()]


async def test_more_than_a_message_may_carry_is_left_out(house: House) -> None:
    async with house.open():
        await house.say("many", attachments=tuple(sent(str(number)) for number in range(30)))
        await house.launcher.until_prompted(1)
        await house.lanes.idle()
    assert await house.database.fetchval("SELECT count(*) FROM host.attachments") == 10
