"""What we deliver is what people see, and each way Telegram refuses has its own word."""

import time

import pytest

from bridges.messages import Button, Content, Markup, Part, Tone
from bridges.port import (
    BridgeError,
    BridgeMisconfigured,
    BridgeUnavailable,
    ChatBridge,
    ChatGone,
    ContentRefused,
    DeliveryUnknown,
    MessageGone,
    RateLimited,
)
from bridges.telegram import TelegramBridge, TelegramSettings
from storage.clock import SystemClock
from tests.servers.telegram import TOKEN, TelegramServer

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 32
BUTTONS = (
    (
        Button(label="APPROVE", data="approve:K7Q2MD", tone=Tone.GOOD),
        Button(label="REJECT", data="reject:K7Q2MD", tone=Tone.BAD),
        Button(label="DEFER", data="defer:K7Q2MD"),
    ),
)


def as_port(bridge: TelegramBridge) -> ChatBridge:
    """The type checker compares the bridge with the port here."""
    return bridge


async def post(bridge: TelegramBridge, address: str, content: Content) -> list[str]:
    return [await bridge.send(address, part) for part in bridge.parts(content)]


async def test_a_card_shows_its_headline_in_bold_and_its_buttons_in_their_tones(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    assert as_port(bridge).name == "tg"
    text = '🚪 Your decision: polish "a < b"?\nReview is done.'
    (ref,) = await post(bridge, "tg:1000", Content(text=text, headline=True, buttons=BUTTONS))
    (shown,) = server.messages(1000)
    assert (str(shown.message_id), shown.text) == (ref, text)
    assert [(entity.type, entity.offset, entity.length) for entity in shown.entities] == [("bold", 0, 33)]
    assert shown.data == ["approve:K7Q2MD", "reject:K7Q2MD", "defer:K7Q2MD"]
    assert [button.get("style") for button in shown.buttons[0]] == ["success", "danger", None]


async def test_an_edit_replaces_text_and_takes_the_buttons_away(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    (ref,) = await post(bridge, "tg:1000", Content(text="Your decision", buttons=BUTTONS))
    (done,) = bridge.parts(Content(text="✅ Approved by Ana"))
    await bridge.edit("tg:1000", ref, done)
    await bridge.edit("tg:1000", ref, done)  # not modified is success
    (shown,) = server.messages(1000)
    assert (shown.text, shown.buttons, shown.edits) == ("✅ Approved by Ana", [], 1)


async def test_a_long_answer_becomes_several_messages_with_the_buttons_on_the_last(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    content = Content(
        text="word 🎉 " * 1500, markup=Markup.MARKDOWN, buttons=BUTTONS, reply_to="77", silent=True
    )
    refs = await post(bridge, "tg:1000", content)
    shown = server.messages(1000)
    assert len(refs) == len(shown) == 3
    assert "".join("".join(message.text for message in shown).split()) == "word🎉" * 1500
    assert [bool(message.buttons) for message in shown] == [False, False, True]
    assert all(message.silent for message in shown)


async def test_a_reply_refers_to_its_message_and_survives_its_deletion(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.say(1000, 1000, "question")
    (asked,) = server.world.chats[1000].messages
    await post(bridge, "tg:1000", Content(text="answer", reply_to=str(asked)))
    await post(bridge, "tg:1000", Content(text="answer to nothing", reply_to="4711"))
    assert [shown.reply_to for shown in server.messages(1000)] == [asked, None]


async def test_a_picture_carries_a_short_text_as_its_caption(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    content = Content(text="💰 Budget reached\nExtend?", headline=True, picture=PNG, buttons=BUTTONS)
    (ref,) = await post(bridge, "tg:1000", content)
    (shown,) = server.messages(1000)
    assert (shown.picture, shown.text) == (PNG, content.text)
    (part,) = bridge.parts(Content(text="✅ Extended by Ana", picture=PNG))
    await bridge.edit("tg:1000", ref, part)
    assert (shown.text, shown.buttons) == ("✅ Extended by Ana", [])


async def test_a_picture_goes_before_a_text_that_is_too_long_for_a_caption(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    await post(bridge, "tg:1000", Content(text="x" * 1025, picture=PNG, buttons=BUTTONS))
    first, second = server.messages(1000)
    assert (first.picture, first.text, first.buttons) == (PNG, "", [])
    assert (second.picture, second.text) == (None, "x" * 1025)
    assert second.buttons


async def test_an_edit_reaches_a_message_whose_picture_came_or_went(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    (with_picture,) = await post(bridge, "tg:1000", Content(text="chart", picture=PNG))
    (without,) = await post(bridge, "tg:1000", Content(text="no chart"))
    (plain,) = bridge.parts(Content(text="done " * 400))
    (chart,) = bridge.parts(Content(text="done", picture=PNG))
    await bridge.edit("tg:1000", with_picture, plain)
    await bridge.edit("tg:1000", without, chart)
    first, second = server.messages(1000)
    assert len(first.text) == 1024
    assert first.text.endswith("…")
    assert second.text == "done"


async def test_an_answer_of_nothing_is_still_a_message(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    assert len(await post(bridge, "tg:1000", Content(text=" \n"))) == 1


async def test_topics_get_their_messages_and_general_is_not_named(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(-5, threads=(42,))
    for address in ("tg:-5/42", "tg:-5/1", "tg:-5"):
        await bridge.typing(address)
        await post(bridge, address, Content(text=f"to {address}"))
    assert [shown.thread for shown in server.messages(-5)] == [42, None, None]
    actions = [call.params for call in server.calls if call.method == "sendChatAction"]
    assert [params.get("message_thread_id") for params in actions] == ["42", "1", None]
    with pytest.raises(ChatGone, match="thread not found"):
        await post(bridge, "tg:-5/43", Content(text="to nowhere"))


async def test_markup_telegram_refuses_goes_as_plain_text(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    broken = Part(body="<b>never closed", fallback="**never closed")
    ref = await bridge.send("tg:1000", broken)
    (shown,) = server.messages(1000)
    assert (shown.text, shown.entities) == ("**never closed", [])
    await bridge.edit("tg:1000", ref, broken)
    await bridge.edit("tg:1000", ref, Part(body="<nope>", fallback="plain"))
    assert shown.text == "plain"


async def test_untrusted_text_is_never_markup(server: TelegramServer, bridge: TelegramBridge) -> None:
    server.add_chat(1000)
    text = "</b><a href='tg://user?id=1'>Ana</a> & <script>"
    await post(bridge, "tg:1000", Content(text=text, headline=True))
    await post(bridge, "tg:1000", Content(text=text, markup=Markup.MARKDOWN))
    for shown in server.messages(1000):
        assert shown.text == text
        assert [entity.type for entity in shown.entities] in ([], ["bold"])


@pytest.mark.parametrize("data", ["", "x" * 65, "é" * 33])
async def test_callback_data_that_does_not_fit_is_refused_before_anything_is_sent(
    server: TelegramServer, bridge: TelegramBridge, data: str
) -> None:
    server.add_chat(1000)
    with pytest.raises(ContentRefused, match="64 bytes"):
        await post(bridge, "tg:1000", Content(text="card", buttons=((Button(label="OK", data=data),),)))
    assert server.calls == []


async def test_deleting_takes_the_message_away_once(server: TelegramServer, bridge: TelegramBridge) -> None:
    server.add_chat(1000)
    (ref,) = await post(bridge, "tg:1000", Content(text="preview"))
    await bridge.delete("tg:1000", ref)
    assert server.messages(1000) == []
    with pytest.raises(MessageGone):
        await bridge.delete("tg:1000", ref)
    with pytest.raises(MessageGone):
        await bridge.edit("tg:1000", ref, Part(body="x", fallback="x"))
    with pytest.raises(MessageGone):
        await bridge.edit("tg:1000", "not-a-number", Part(body="x", fallback="x"))


async def test_chats_that_are_gone_are_named_with_the_reason(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.block(1000)
    server.block(-6, "bot was kicked from the supergroup chat")
    server.move(-7, to=-100777)
    for address, words in {
        "tg:1000": "blocked by the user",
        "tg:-6": "was kicked",
        "tg:-7": "tg:-100777",
        "tg:4711": "Chat not found",
        "tg:abc": "not a Telegram address",
        "web:local": "not a Telegram address",
    }.items():
        with pytest.raises(ChatGone, match=words):
            await post(bridge, address, Content(text="hi"))


async def test_a_broken_connection_tells_whether_it_may_have_been_delivered(
    server: TelegramServer, bridge: TelegramBridge, settings: TelegramSettings
) -> None:
    server.add_chat(1000)
    server.drop_next("sendMessage", after=True)
    with pytest.raises(DeliveryUnknown):
        await post(bridge, "tg:1000", Content(text="it arrived"))
    assert [shown.text for shown in server.messages(1000)] == ["it arrived"]
    server.fail_next("sendMessage", 502, "Bad Gateway")
    with pytest.raises(BridgeUnavailable):
        await post(bridge, "tg:1000", Content(text="hi"))
    server.fail_next("sendMessage", 504, "Gateway Timeout")
    with pytest.raises(DeliveryUnknown):
        await post(bridge, "tg:1000", Content(text="hi"))


async def test_an_answer_that_comes_too_late_leaves_the_delivery_unknown(server: TelegramServer) -> None:
    server.add_chat(1000)
    settings = TelegramSettings(token=TOKEN, api_base=server.url, request_timeout=0.2)
    gate = server.hold_next("sendMessage")
    async with TelegramBridge(settings, SystemClock()).opened() as bridge:
        with pytest.raises(DeliveryUnknown):
            await post(bridge, "tg:1000", Content(text="hi"))
    gate.set()


async def test_nothing_was_sent_when_nobody_listens(settings: TelegramSettings) -> None:
    nowhere = TelegramSettings(token=TOKEN, api_base="http://127.0.0.1:9")
    async with TelegramBridge(nowhere, SystemClock()).opened() as bridge:
        with pytest.raises(BridgeUnavailable) as caught:
            await post(bridge, "tg:1000", Content(text="hi"))
    assert not isinstance(caught.value, RateLimited)


async def test_a_flooded_chat_is_held_and_the_others_are_not_delayed(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    server.add_chat(1001)
    server.flood(1000, 15)
    with pytest.raises(RateLimited) as caught:
        await post(bridge, "tg:1000", Content(text="hi"))
    assert caught.value.retry_after >= 15
    asked = len(server.calls)
    with pytest.raises(RateLimited):  # known by now, Telegram is not asked again
        await post(bridge, "tg:1000", Content(text="hi"))
    await bridge.typing("tg:1000")
    assert len(server.calls) == asked
    begin = time.monotonic()
    await post(bridge, "tg:1001", Content(text="hi"))
    assert time.monotonic() - begin < 0.5


async def test_a_refused_token_is_for_a_person_to_mend(server: TelegramServer) -> None:
    settings = TelegramSettings(token="12345:revoked", api_base=server.url)
    async with TelegramBridge(settings, SystemClock()).opened() as bridge:
        with pytest.raises(BridgeMisconfigured, match="@BotFather"):
            await post(bridge, "tg:1000", Content(text="hi"))


async def test_other_refusals_are_final(server: TelegramServer, bridge: TelegramBridge) -> None:
    server.add_chat(1000)
    with pytest.raises(ContentRefused, match="too long") as caught:
        await bridge.send("tg:1000", Part(body="x" * 5000, fallback="x" * 5000))
    assert isinstance(caught.value, BridgeError)


async def test_a_tap_is_answered_once_and_late_answers_are_no_error(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    (ref,) = await post(bridge, "tg:1000", Content(text="card", buttons=BUTTONS))
    server.tap(1000, int(ref), "approve:K7Q2MD", user=1000)
    await bridge.answer("tap-1", "x" * 300, alert=True)
    await bridge.answer("tap-1", "again")
    await bridge.answer("tap-99", "never heard of it")
    (answer,) = server.answers
    assert (len(answer.text), answer.text[-1], answer.alert) == (200, "…", True)


async def test_typing_is_shown_seldom_and_never_fails(server: TelegramServer, bridge: TelegramBridge) -> None:
    server.add_chat(1000)
    await bridge.typing("tg:1000")
    await bridge.typing("tg:1000")
    assert [call.method for call in server.calls] == ["sendChatAction"]
    await bridge.typing("tg:4711")


async def test_the_doctor_hears_who_the_bot_is(server: TelegramServer, bridge: TelegramBridge) -> None:
    me = await bridge.check()
    assert (me.username, me.reads_groups) == ("intercom_test_bot", False)
    server.set_webhook("https://elsewhere.example/x")
    with pytest.raises(BridgeMisconfigured, match=r"elsewhere\.example"):
        await bridge.check()
