"""What is being written: drafts in private chats, passing edits elsewhere, and both give way to messages."""

import time
from dataclasses import replace

import pytest

from bridges.messages import Content, Markup, Part
from bridges.port import LeftOut, RateLimited
from bridges.telegram import TelegramBridge, TelegramSettings
from storage.clock import SystemClock
from tests.servers.telegram import TOKEN, TelegramServer


async def test_a_draft_grows_in_a_private_chat_and_goes_with_the_message(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    assert await bridge.draft("tg:1000", 5, Content(text="Once **upon**", markup=Markup.MARKDOWN))
    assert await bridge.draft("tg:1000", 5, Content(text="Once **upon** a time", markup=Markup.MARKDOWN))
    draft = server.draft(1000)
    assert draft is not None
    assert (draft.id, draft.text) == (5, "Once upon a time")
    assert server.messages(1000) == []
    (part,) = bridge.parts(Content(text="The end"))
    await bridge.send("tg:1000", part)
    assert server.draft(1000) is None


async def test_of_a_long_text_the_draft_shows_what_is_being_written(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    assert await bridge.draft("tg:1000", 5, Content(text="word " * 2000 + "the newest"))
    draft = server.draft(1000)
    assert draft is not None
    assert draft.text.endswith("the newest")


async def test_groups_have_no_drafts_and_are_not_asked(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(-5)
    assert not await bridge.draft("tg:-5", 5, Content(text="x"))
    assert server.calls == []


@pytest.mark.parametrize(
    ("status", "words"), [(400, "Bad Request: not here"), (404, "Not Found: method not found")]
)
async def test_a_bot_api_without_drafts_is_asked_once(
    server: TelegramServer, bridge: TelegramBridge, status: int, words: str
) -> None:
    server.add_chat(1000)
    server.fail_next("sendMessageDraft", status, words)
    assert not await bridge.draft("tg:1000", 5, Content(text="x"))
    assert not await bridge.draft("tg:1000", 5, Content(text="y"))
    assert len(server.calls) == 1


async def test_a_draft_at_a_bad_moment_is_left_out_and_disturbs_nobody(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    server.drop_next("sendMessageDraft")
    assert await bridge.draft("tg:1000", 5, Content(text="lost"))
    server.flood(1000, 9)
    assert await bridge.draft("tg:1000", 5, Content(text="too fast"))
    asked = len(server.calls)
    assert await bridge.draft("tg:1000", 5, Content(text="known by now"))
    assert len(server.calls) == asked


async def test_what_telegram_cannot_parse_is_drafted_as_plain_text(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    server.fail_next("sendMessageDraft", 400, "Bad Request: can't parse entities: x")
    assert await bridge.draft("tg:1000", 5, Content(text="**x**", markup=Markup.MARKDOWN))
    draft = server.draft(1000)
    assert draft is not None
    assert draft.text == "x"


async def test_passing_edits_leave_turns_for_messages(server: TelegramServer) -> None:
    server.add_chat(-5)
    settings = TelegramSettings(token=TOKEN, api_base=server.url, group_burst=8, group_rate=0.001)
    async with TelegramBridge(settings, SystemClock()).opened() as bridge:
        (first,) = bridge.parts(Content(text="growing"))
        ref = await bridge.send("tg:-5", first)
        for number in range(5):
            await bridge.edit("tg:-5", ref, replace(_part(f"growing {number}"), passing=True))
        with pytest.raises(LeftOut):
            await bridge.edit("tg:-5", ref, replace(_part("growing for too long"), passing=True))
        began = time.monotonic()
        await bridge.edit("tg:-5", ref, _part("done"))  # what lasts has turns of its own
        assert time.monotonic() - began < 1
    assert [shown.text for shown in server.messages(-5)] == ["done"]


async def test_a_held_chat_says_so_to_passing_parts_too(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(-5)
    server.flood(-5, 9)
    for _ in range(2):
        with pytest.raises(RateLimited):
            await bridge.send("tg:-5", replace(_part("x"), passing=True))
    assert len(server.calls) == 1


def _part(text: str) -> Part:
    return Part(body=text, fallback=text)
