"""Files both ways: what people send is fetched within bounds, what agents send arrives."""

import struct
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridges.messages import AttachmentKind, ChatMessage, Content, Document
from bridges.port import BridgeUnavailable, ContentRefused, FileRefused, RateLimited
from bridges.telegram import TelegramBridge, TelegramSettings
from bridges.telegram.reading import Me, read_update
from storage.clock import SystemClock
from tests.bridges.telegram.letters import Letters, receiving
from tests.servers.telegram import TOKEN, TelegramServer

ME = Me(id=999, username="intercom_test_bot")
MEGABYTE = 1_000_000


def png(width: int = 2, height: int = 2) -> bytes:
    """A picture any decoder takes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\x00" + b"\x80" * (3 * width) for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


async def post(bridge: TelegramBridge, address: str, content: Content) -> list[str]:
    return [await bridge.send(address, part) for part in bridge.parts(content)]


def read(**fields: Any) -> ChatMessage:
    body = {
        "message_id": 1,
        "date": 1_767_600_000,
        "chat": {"id": 1000, "type": "private", "first_name": "Ana"},
        "from": {"id": 1000, "is_bot": False, "first_name": "Ana"},
    }
    update = read_update({"update_id": 7, "message": body | fields}, ME)
    assert isinstance(update, ChatMessage)
    return update


async def test_of_a_photo_the_largest_size_is_fetched_through_the_network(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    sizes = [
        {"file_id": "small", "file_unique_id": "s", "width": 90, "height": 60, "file_size": 800},
        {"file_id": "large", "file_unique_id": "l", "width": 1280, "height": 960, "file_size": len(png())},
    ]
    server.keep_file("large", png())
    server.say(1000, 1000, photo=sizes, caption="what is wrong here?")
    intake = Letters()
    async with receiving(bridge, intake):
        await intake.until(1)
    (message,) = intake.messages
    assert message.text == "[Photo] what is wrong here?"
    (photo,) = message.attachments
    assert (photo.kind, photo.handle, photo.mime) == (AttachmentKind.IMAGE, "large", "image/jpeg")
    assert await bridge.fetch(photo.handle, MEGABYTE) == png()


@pytest.mark.parametrize(
    ("fields", "kind", "name", "mime"),
    [
        ({"voice": {"file_id": "v", "mime_type": "audio/ogg"}}, "voice", "voice.ogg", "audio/ogg"),
        ({"audio": {"file_id": "a", "file_name": "so\nng.mp3"}}, "audio", "so ng.mp3", "audio/mpeg"),
        ({"video": {"file_id": "m"}}, "video", "video.mp4", "video/mp4"),
        ({"video_note": {"file_id": "n"}}, "video", "video-message.mp4", "video/mp4"),
        (
            {"document": {"file_id": "d", "file_name": "report.pdf", "mime_type": "application/pdf"}},
            *("document", "report.pdf", "application/pdf"),
        ),
        ({"document": {"file_id": "d"}}, "document", "document", "application/octet-stream"),
        (
            {"animation": {"file_id": "g"}, "document": {"file_id": "g", "file_name": "a.mp4"}},
            *("video", "animation.mp4", "video/mp4"),
        ),
    ],
)
def test_every_kind_of_file_has_a_name_and_a_type(
    fields: dict[str, Any], kind: str, name: str, mime: str
) -> None:
    (found,) = read(**fields).attachments
    assert (found.kind.value, found.name, found.mime) == (kind, name, mime)


@pytest.mark.parametrize(
    "fields",
    [
        {"sticker": {"file_id": "s", "emoji": "🎉"}},
        {"document": {"file_id": "../../getMe", "file_name": "x"}},
        {"document": {"file_id": 7}},
        {"photo": {"file_id": "not-a-list"}},
        {"photo": [{"file_id": "x" * 257}]},
        {"voice": {"file_id": "v", "file_size": -1}},
        {"location": {"latitude": 1, "longitude": 2}},
    ],
)
def test_stickers_and_what_is_malformed_are_words_only(fields: dict[str, Any]) -> None:
    message = read(**fields)
    assert message.attachments == ()
    assert message.text.startswith("[")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["file_id", "file_size", "file_name", "mime_type", "width", "height", "x"]), inner
        )
    ),
    max_leaves=10,
)


@given(JSON, st.sampled_from(["photo", "voice", "audio", "video", "video_note", "animation", "document"]))
def test_no_media_makes_reading_fail(value: Any, field: str) -> None:
    for found in read(text="hi", **{field: value}).attachments:
        assert 1 <= len(found.handle) <= 256
        assert found.name
        assert len(found.name) <= 128
        assert found.name.isprintable()


@pytest.mark.parametrize(
    ("said", "served", "words"),
    [
        (2 * MEGABYTE, 10, "larger than 1 MB"),
        (10, 2 * MEGABYTE, "larger than 1 MB"),
        (21 * 2**20, 10, "20 MB"),
    ],
)
async def test_a_file_is_never_larger_than_allowed_whatever_telegram_says(
    server: TelegramServer, bridge: TelegramBridge, said: int, served: int, words: str
) -> None:
    server.keep_file("f", b"x" * served, size=said)
    with pytest.raises(FileRefused, match=words):
        await bridge.fetch("f", MEGABYTE)


async def test_a_file_nobody_knows_is_refused(server: TelegramServer, bridge: TelegramBridge) -> None:
    with pytest.raises(FileRefused, match="does not know it"):
        await bridge.fetch("nope", MEGABYTE)


async def test_a_place_that_expired_is_asked_for_anew_once(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.keep_file("f", b"content", path="documents/file 1.pdf")
    server.fail_next("file", 404, "Not Found")
    assert await bridge.fetch("f", MEGABYTE) == b"content"
    assert [call.method for call in server.calls] == ["getFile", "file", "getFile", "file"]
    server.fail_next("file", 404, "Not Found", times=2)
    with pytest.raises(FileRefused, match="any more"):
        await bridge.fetch("f", MEGABYTE)


@pytest.mark.parametrize(
    "path", ["../../bot1:2/getMe", "/etc/passwd", "a/../../b", "a//b", "a?b", "http://x/y"]
)
async def test_a_place_that_leads_elsewhere_is_not_followed(
    server: TelegramServer, bridge: TelegramBridge, path: str
) -> None:
    server.keep_file("f", b"content", path=path)
    with pytest.raises(FileRefused):
        await bridge.fetch("f", MEGABYTE)
    assert [call.method for call in server.calls] == ["getFile"]


async def test_what_broke_on_the_way_may_be_tried_again_and_tells_no_token(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.keep_file("f", b"content" * 100_000)
    server.drop_next("file", after=True)
    with pytest.raises(BridgeUnavailable) as broken:
        await bridge.fetch("f", MEGABYTE)
    server.fail_next("file", 502, "Bad Gateway")
    with pytest.raises(BridgeUnavailable) as failed:
        await bridge.fetch("f", MEGABYTE)
    server.drop_next("getFile")
    with pytest.raises(BridgeUnavailable) as dropped:
        await bridge.fetch("f", MEGABYTE)
    for caught in (broken, failed, dropped):
        assert TOKEN.partition(":")[2] not in repr(caught.value) + repr(caught.value.__context__)
    assert await bridge.fetch("f", MEGABYTE) == b"content" * 100_000


async def test_a_file_that_never_ends_is_given_up(server: TelegramServer) -> None:
    server.keep_file("f", b"content")
    gate = server.hold_next("file")
    settings = TelegramSettings(token=TOKEN, api_base=server.url, file_patience=0.2)
    async with TelegramBridge(settings, SystemClock()).opened() as bridge:
        with pytest.raises(BridgeUnavailable, match="too slow"):
            await bridge.fetch("f", MEGABYTE)
    gate.set()


async def test_a_file_is_sent_under_its_name_and_a_picture_is_shown(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    report = Document(name="Bericht (Q3) ü.pdf", mime="application/pdf", data=b"%PDF-1.7")
    chart = Document(name="chart.png", mime="image/png", data=png())
    await post(bridge, "tg:1000", Content(text="The report", document=report, silent=True))
    await post(bridge, "tg:1000", Content(text="", document=chart))
    first, second = server.messages(1000)
    assert first.document == (report.name, report.data)
    assert (first.text, first.silent) == ("The report", True)
    assert (second.picture, second.document) == (png(), None)


async def test_a_picture_telegram_refuses_goes_as_a_file(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    broken = Document(name="chart.webp", mime="image/webp", data=b"RIFF0000WEBP")
    await post(bridge, "tg:1000", Content(text="", document=broken))
    (shown,) = server.messages(1000)
    assert shown.document == ("chart.webp", b"RIFF0000WEBP")


async def test_a_caption_that_is_too_long_follows_its_file(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    report = Document(name="r.txt", mime="text/plain", data=b"x")
    refs = await post(bridge, "tg:1000", Content(text="x" * 1025, document=report))
    first, second = server.messages(1000)
    assert (len(refs), first.document, first.text, second.text) == (2, ("r.txt", b"x"), "", "x" * 1025)


async def test_what_a_file_says_can_change_but_an_empty_one_is_refused(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    report = Document(name="r.txt", mime="text/plain", data=b"x")
    (ref,) = await post(bridge, "tg:1000", Content(text="old", document=report))
    (part,) = bridge.parts(Content(text="new", document=report))
    await bridge.edit("tg:1000", ref, part)
    assert [shown.text for shown in server.messages(1000)] == ["new"]
    with pytest.raises(ContentRefused):
        await post(bridge, "tg:1000", Content(text="", document=Document(name="e", mime="", data=b"")))


def test_another_file_or_another_name_is_another_part(bridge: TelegramBridge) -> None:
    def digest(name: str, data: bytes) -> str:
        (part,) = bridge.parts(Content(text="x", document=Document(name=name, mime="", data=data)))
        return part.digest

    assert len({digest("a", b"1"), digest("b", b"1"), digest("a", b"2")}) == 3
    assert digest("a", b"1") == digest("a", b"1")


async def test_whoever_of_several_agents_speaks_is_named_and_cannot_be_markup(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    await post(bridge, "tg:1000", Content(text="Done & <i>dusted</i>", sender="<b>Rev\niewer</b>"))
    (shown,) = server.messages(1000)
    assert shown.text == "<b>Rev iewer</b>\nDone & <i>dusted</i>"
    assert [(entity.type, entity.offset, entity.length) for entity in shown.entities] == [("bold", 0, 16)]


async def test_a_file_to_a_flooded_chat_waits_like_any_message(
    server: TelegramServer, bridge: TelegramBridge
) -> None:
    server.add_chat(1000)
    server.flood(1000, 9)
    with pytest.raises(RateLimited):
        await post(bridge, "tg:1000", Content(text="", document=Document(name="a", mime="", data=b"x")))
