"""What people send, in our words: addresses, senders, mentions, commands, media."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.messages import ButtonTap, ChatMessage, Unreadable
from bridges.telegram.reading import Me, read_update

ME = Me(id=999, username="intercom_test_bot")
ANA = {"id": 1000, "is_bot": False, "first_name": "Ana", "last_name": "Kovač"}
GROUP = {"id": -100123, "type": "supergroup", "title": "Engineering"}


def wire(**fields: Any) -> dict[str, Any]:
    message = {"message_id": 7, "date": 1_767_600_000, "chat": GROUP, "from": ANA, **fields}
    return {"update_id": 5, "message": message}


def read(**fields: Any) -> ChatMessage:
    message = read_update(wire(**fields), ME)
    assert isinstance(message, ChatMessage)
    return message


def test_a_message_keeps_who_where_and_when() -> None:
    message = read(text="hi")
    assert (message.update_id, message.ref, message.address) == ("5", "7", "tg:-100123")
    assert (message.sender.address, message.sender.name) == ("tg:1000", "Ana Kovač")
    assert (message.title, message.private) == ("Engineering", False)
    assert message.sent_at.isoformat() == "2026-01-05T08:00:00+00:00"


def test_a_topic_is_part_of_the_address() -> None:
    assert read(text="hi", message_thread_id=42, is_topic_message=True).address == "tg:-100123/42"


def test_a_thread_of_replies_in_an_ordinary_group_is_no_topic() -> None:
    replied = {"message_id": 3, "from": ANA}
    message = read(text="hi", message_thread_id=3, reply_to_message=replied)
    assert (message.address, message.reply_to) == ("tg:-100123", "3")


def test_the_first_message_of_a_topic_is_not_what_one_replies_to() -> None:
    created = {"message_id": 42, "from": {"id": 999, "is_bot": True, "first_name": "Bot"}}
    message = read(text="hi", message_thread_id=42, is_topic_message=True, reply_to_message=created)
    assert (message.reply_to, message.mentioned) == (None, False)


def test_a_reply_to_the_bot_addresses_it() -> None:
    replied = {"message_id": 3, "from": {"id": 999, "is_bot": True, "first_name": "Bot"}}
    assert read(text="yes", reply_to_message=replied).mentioned


@pytest.mark.parametrize(
    ("text", "entities", "mentioned"),
    [
        ("@Intercom_Test_Bot what runs?", [], True),
        ("🎉 @intercom_test_bot", [{"type": "mention", "offset": 3, "length": 18}], True),
        ("🎉 @someone_else_bot", [{"type": "mention", "offset": 3, "length": 17}], False),
        ("hey bot", [{"type": "text_mention", "offset": 4, "length": 3, "user": {"id": 999}}], True),
        ("@intercom_test_bots", [], False),
        ("mail a@intercom_test_bot.dev", [], False),
        ("@x", [{"type": "mention", "offset": 4_000_000, "length": 90}], False),
    ],
)
def test_a_mention_is_recognised_and_the_text_stays(
    text: str, entities: list[dict[str, Any]], mentioned: bool
) -> None:
    message = read(text=text, entities=entities)
    assert (message.text, message.mentioned) == (text, mentioned)


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("/help@intercom_test_bot", "/help"),
        ("/model@INTERCOM_test_bot 2", "/model 2"),
        ("/help@other_bot", "/help@other_bot"),
        ("/help", "/help"),
        ("see /help@intercom_test_bot", "see /help@intercom_test_bot"),
    ],
)
def test_a_command_named_for_this_bot_is_an_ordinary_command(text: str, own: str) -> None:
    assert read(text=text).text == own


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"photo": [{"file_id": "x"}], "caption": "the error"}, "[Photo] the error"),
        ({"video": {"file_id": "x"}}, "[Video]"),
        ({"voice": {"file_id": "x"}}, "[Voice message]"),
        ({"audio": {"file_id": "x"}}, "[Audio]"),
        ({"document": {"file_name": "../../etc/pass\nwd\u202e.txt"}}, "[Document: ../../etc/pass wd.txt]"),
        ({"document": {"file_name": "n" * 500}}, f"[Document: {'n' * 128}]"),
        ({"document": {}}, "[Document: unnamed]"),
        ({"animation": {"file_id": "x"}, "document": {"file_name": "a.mp4"}}, "[Animation]"),
        ({"sticker": {"emoji": "🎉"}}, "[Sticker 🎉]"),
        ({"sticker": {}}, "[Sticker]"),
        ({"location": {"latitude": 1, "longitude": 2}}, "[Location]"),
        ({"contact": {"phone_number": "1"}}, "[Contact]"),
        ({"poll": {"question": "Ship it?"}}, "[Poll: Ship it?]"),
    ],
)
def test_media_are_placeholders_with_their_caption(fields: dict[str, Any], text: str) -> None:
    assert read(**fields).text == text


def test_an_anonymous_admin_is_the_chat_itself() -> None:
    anonymous = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}
    update = wire(text="hi", sender_chat=GROUP)
    update["message"]["from"] = anonymous
    message = read_update(update, ME)
    assert isinstance(message, ChatMessage)
    assert (message.sender.address, message.sender.name) == ("tg:-100123", "Engineering")


def test_a_channel_post_comes_from_the_channel() -> None:
    channel = {"id": -100777, "type": "channel", "title": "News"}
    post = {
        "message_id": 1,
        "date": 1_767_600_000,
        "chat": channel,
        "sender_chat": channel,
        "text": "out now",
    }
    message = read_update({"update_id": 6, "channel_post": post}, ME)
    assert isinstance(message, ChatMessage)
    assert (message.address, message.sender.address) == ("tg:-100777", "tg:-100777")


def test_other_bots_are_not_listened_to() -> None:
    update = wire(text="loop?")
    update["message"]["from"] = {"id": 555, "is_bot": True, "first_name": "Other"}
    assert read_update(update, ME) is None


def test_a_group_that_became_a_supergroup_is_on_record() -> None:
    update = read_update(wire(migrate_to_chat_id=-100999), ME)
    assert isinstance(update, Unreadable)
    assert update.reason == "tg:-100123 became the supergroup tg:-100999"


def test_names_are_one_bounded_line_without_tricks() -> None:
    trick = {"id": 1, "is_bot": False, "first_name": "Ana\n\u202eBen\u200b" + "x" * 400}
    update = wire(text="hi")
    update["message"]["from"] = trick
    message = read_update(update, ME)
    assert isinstance(message, ChatMessage)
    assert message.sender.name.startswith("Ana Benxxx")
    assert len(message.sender.name) == 128


def test_what_a_database_cannot_hold_is_taken_out() -> None:
    assert read(text="a\x00b\ud800c").text == "ab?c"


def test_a_tap_on_a_message_too_old_to_be_shown_still_names_it() -> None:
    old = {"message_id": 9, "date": 0, "chat": GROUP}
    tap = read_update(
        {"update_id": 8, "callback_query": {"id": "q", "from": ANA, "message": old, "data": "view:K7Q2MD"}},
        ME,
    )
    assert isinstance(tap, ButtonTap)
    assert (tap.address, tap.ref, tap.data) == ("tg:-100123", "9", "view:K7Q2MD")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    [
        *("message_id", "date", "chat", "from", "sender_chat", "text", "caption", "entities", "photo"),
        *("document", "sticker", "poll", "reply_to_message", "message_thread_id", "is_topic_message"),
        "migrate_to_chat_id",
    ]
)


@given(st.sampled_from(["message", "channel_post", "callback_query"]), st.dictionaries(FIELDS, JSON), JSON)
def test_no_json_makes_the_reader_fail(kind: str, fields: dict[str, Any], body: Any) -> None:
    spoiled = wire(text="hi")["message"] | fields
    for value in (spoiled, {"id": "q", "from": ANA, "data": "x", "message": spoiled}, body):
        read = read_update({"update_id": 5, kind: value}, ME)
        assert read is None or read.update_id == "5"
