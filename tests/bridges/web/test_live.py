"""The page's socket: what is written arrives once, what changes is pushed, nobody holds up another."""

import asyncio
import base64
import socket

import pytest
from aiohttp import ClientSession, CookieJar, WSMsgType, WSServerHandshakeError

from bridges.messages import Button, ButtonTap, ChatMessage, Content, Markup, Person
from bridges.port import BridgeUnavailable, ChatGone, ContentRefused
from bridges.web.port import (
    Delivery,
    HealthChanged,
    ItemGone,
    Reload,
    Room,
    RoomsChanged,
    SideChanged,
    Typing,
)
from bridges.web.settings import WebSettings
from tests.bridges.web.memory import OWNER, MemoryHost, decided
from tests.bridges.web.serving import PAGE, serving, visiting
from tests.clock import HandClock

BUTTONS = ((Button(label="APPROVE", data="approve:K7Q2MD"),),)


async def test_a_message_is_acknowledged_after_it_was_accepted(host: MemoryHost, clock: HandClock) -> None:
    async with visiting(host) as (_, visit), visit.open() as page:
        await page.say("what is the current sprint", "client-id-1")
        await page.next("taken")
        assert await host.received(1) == [
            ChatMessage(
                update_id="web:owner/client-id-1",
                address="web:local",
                sender=Person(address=OWNER, name="Olga"),
                text="what is the current sprint",
                ref="client-id-1",
                sent_at=clock.now(),
                private=True,
                title="Main",
                mentioned=True,
            )
        ]


async def test_the_same_message_sent_again_after_a_reconnect_counts_once(host: MemoryHost) -> None:
    async with visiting(host) as (_, visit):
        async with visit.open() as page:
            await page.say("only once", "client-id-1")
            await page.next("taken")
        async with visit.open() as page:
            await page.say("only once", "client-id-1")
            assert (await page.next("taken"))["client_id"] == "client-id-1"
    assert [update.update_id for update in host.updates] == ["web:owner/client-id-1"]


async def test_a_message_shows_on_every_open_page(host: MemoryHost) -> None:
    async with visiting(host) as (_, visit), visit.open() as one, visit.open("another-page") as two:
        await one.say("hello", "client-id-1")
        for page in (one, two):
            item = (await page.next("item"))["item"]
            assert (item["mine"], item["ref"], item["body"]) == (
                True,
                "client-id-1",
                [["lines", {}, ["hello"]]],
            )


async def test_what_the_host_cannot_store_is_to_be_sent_again(host: MemoryHost) -> None:
    async with visiting(host) as (_, visit), visit.open() as page:
        host.broken = True
        await page.say("hello", "client-id-1")
        refused = await page.next("refused")
        assert refused["client_id"] == "client-id-1"
        assert refused["retry"] == 2
        assert "could not store" in refused["text"]
        host.broken = False
        await page.say("hello", "client-id-1")
        await page.next("taken")


async def test_a_ten_megabyte_message_is_refused_in_words_and_the_connection_goes_on(
    host: MemoryHost,
) -> None:
    async with visiting(host) as (_, visit), visit.open() as page:
        await page.say("x" * 10_000_000, "client-id-1")
        assert "10.0 MB is too long" in (await page.next("refused"))["text"]
        await page.say("short", "client-id-2")
        await page.next("taken")
    assert [update.text for update in host.updates if isinstance(update, ChatMessage)] == ["short"]


async def test_a_frame_beyond_all_measure_ends_the_connection_only(host: MemoryHost) -> None:
    settings = WebSettings(port=0, frame_limit=1000)
    async with visiting(host, settings) as (_, visit):
        async with visit.open() as page:
            await page.raw.send_str("x" * 17_000)
            async with asyncio.timeout(10):
                assert (await page.raw.receive()).type is WSMsgType.CLOSE
        async with visit.open() as page:
            await page.say("again", "client-id-1")
            await page.next("taken")


async def test_an_over_long_text_is_refused_with_its_length(host: MemoryHost) -> None:
    async with visiting(host) as (_, visit), visit.open() as page:
        await page.say("x" * 100_001, "client-id-1")
        refused = await page.next("refused")
        assert "100,001 characters, and one message holds 100,000" in refused["text"]
        assert refused["retry"] is None


@pytest.mark.parametrize(
    "frame",
    [
        "", "[]", "null", "{", '{"type":"say"}', '{"type":"other","client_id":"client-id-1"}',
        '{"type":"say","client_id":"client-id-1","room":"main","text":7}',
        '{"type":"say","client_id":"a/b","room":"main","text":"x"}',
        '{"type":"tap","client_id":"client-id-1","room":"main","item":"1","data":"' + "x" * 65 + '"}',
        "[" * 100_000,
    ],
)  # fmt: skip
async def test_what_is_not_understood_is_said_and_harms_nothing(host: MemoryHost, frame: str) -> None:
    async with visiting(host) as (_, visit), visit.open() as page:
        await page.raw.send_str(frame)
        assert "does not understand" in (await page.next("refused"))["text"]
        await page.raw.send_bytes(b"\x00\x01")
        assert "only text" in (await page.next("refused"))["text"]
        await page.raw.send_json({"type": "ping", "client_id": "client-id-1"})
        await page.next("taken")
    assert host.updates == []


async def test_characters_no_database_keeps_are_dropped(host: MemoryHost) -> None:
    async with visiting(host) as (_, visit), visit.open() as page:
        await page.raw.send_str(
            '{"type":"say","client_id":"client-id-1","room":"main","text":"a\\u0000b\\ud800c"}'
        )
        await page.next("taken")
    assert [update.text for update in host.updates if isinstance(update, ChatMessage)] == ["ab?c"]


@pytest.mark.parametrize(
    ("room", "text", "words"),
    [("main", " \n ", "nothing in it"), ("gone", "x", "not there"), ("reading", "x", "read-only")],
)
async def test_what_cannot_be_sent_is_explained(host: MemoryHost, room: str, text: str, words: str) -> None:
    host.rooms_by_folder["reading"] = Room(folder="reading", title="Reading", address=None, role="viewer")
    async with visiting(host) as (_, visit), visit.open() as page:
        await page.say(text, "client-id-1", room)
        assert words in (await page.next("refused"))["text"]


async def test_more_than_twenty_messages_in_ten_seconds_wait(host: MemoryHost, clock: HandClock) -> None:
    async with visiting(host) as (_, visit), visit.open() as page:
        for number in range(20):
            await page.say("x", f"client-id-{number}")
            await page.next("taken")
        await clock.advance(4)
        await page.say("x", "client-id-20")
        refused = await page.next("refused")
        assert "more than 20 messages in 10 s" in refused["text"]
        assert refused["retry"] == 6
        await clock.advance(6)
        await page.say("x", "client-id-20")
        await page.next("taken")
    assert len(host.updates) == 21


async def test_a_tap_names_the_message_of_the_card_in_its_own_chat(host: MemoryHost) -> None:
    card = host.post("Gate?", buttons=BUTTONS, address="tg:-100", ref="77")
    async with visiting(host) as (bridge, visit), visit.open() as page, visit.open("another-page") as other:
        await page.tap(card.id, "approve:K7Q2MD", "client-id-1")
        await page.next("taken")
        tap = (await host.received(1))[0]
        assert isinstance(tap, ButtonTap)
        assert (tap.address, tap.ref, tap.data) == ("tg:-100", "77", "approve:K7Q2MD")
        await bridge.answer(tap.tap_id, "Only approvers decide this.", alert=True)
        assert await page.next("answer") == {
            "type": "answer",
            "client_id": "client-id-1",
            "text": "Only approvers decide this.",
            "alert": True,
        }
        decided(host, tap, "Approved by Olga")
        assert (await page.next("item"))["item"]["buttons"] == []
        await other.next("item")
    assert "answer" not in [frame["type"] for frame in other.seen]


async def test_an_answer_finds_the_page_after_it_reconnected(host: MemoryHost) -> None:
    card = host.post("Gate?", buttons=BUTTONS)
    async with visiting(host) as (bridge, visit):
        async with visit.open() as page:
            await page.tap(card.id, "approve:K7Q2MD", "client-id-1")
            await page.next("taken")
        tap = host.updates[0]
        assert isinstance(tap, ButtonTap)
        await bridge.answer(tap.tap_id, "to nobody")
        async with visit.open() as page:
            await bridge.answer(tap.tap_id, "Approved")
            assert (await page.next("answer"))["text"] == "Approved"
        await bridge.answer("what no page ever sent", "x")


async def test_a_tap_on_a_card_that_is_gone_or_not_delivered_is_refused(host: MemoryHost) -> None:
    waiting = host.post("Gate?", buttons=BUTTONS, ref="")
    async with visiting(host) as (_, visit), visit.open() as page:
        for number, item in enumerate([waiting.id, "nothing"]):
            await page.tap(item, "approve:K7Q2MD", f"client-id-{number}")
            assert "not there any more" in (await page.next("refused"))["text"]
    assert host.updates == []


async def test_every_change_reaches_the_page(host: MemoryHost) -> None:
    async with visiting(host) as (bridge, visit), visit.open() as page:
        host.degrade("The kernel does not answer.")
        assert await page.next("health") == {"type": "health", "notes": ["The kernel does not answer."]}
        host.tell(Typing(folder="main"))
        assert await page.next("typing") == {"type": "typing", "room": "main", "on": True}
        await bridge.typing("web:local")
        assert await page.next("typing") == {"type": "typing", "address": "web:local", "on": True}
        for change, kind in (
            (RoomsChanged(), "rooms"),
            (SideChanged(folder="main"), "side"),
            (Reload(), "reload"),
        ):
            host.tell(change)
            await page.next(kind)
        host.tell(ItemGone(folder="main", id="7"))
        assert await page.next("gone") == {"type": "gone", "room": "main", "id": "7"}
        host.tell(HealthChanged())
        await page.next("health")


async def test_a_page_that_falls_behind_is_told_to_read_again(host: MemoryHost) -> None:
    async with visiting(host, WebSettings(port=0, queue=4)) as (_, visit), visit.open() as page:
        for number in range(20):
            host.post(f"{number}")
        await page.next("reload")
        host.post("the last")
        while (await page.next("item"))["item"]["body"] != [["lines", {}, ["the last"]]]:
            pass
        assert len(page.seen) < 20


async def test_a_browser_that_stops_reading_is_dropped_and_holds_up_nobody(host: MemoryHost) -> None:
    async with visiting(host, WebSettings(port=0, patience=0.5)) as (_, visit), visit.open() as quick:
        port = int(visit.url.rpartition(":")[2])
        cookie = f"intercom_{port}=cookie-of-the-visit"
        with await stuck_browser(port, cookie):
            await host.watched_by(2)
            for _ in range(40):  # far more than the buffers between the two hold
                host.post("x" * 200_000)
                await quick.next("item")
            await host.watched_by(1)


async def stuck_browser(port: int, cookie: str) -> socket.socket:
    """A WebSocket that was opened and is never read from."""
    stuck = socket.socket()
    stuck.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stuck.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(stuck, ("127.0.0.1", port))
    key = base64.b64encode(b"0" * 16).decode()
    request = (
        f"GET /api/live?page=page-that-is-stuck HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Origin: http://127.0.0.1:{port}\r\nCookie: {cookie}\r\n"
        "Connection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
    )
    await loop.sock_sendall(stuck, request.encode())
    return stuck


async def test_only_other_chats_have_items_waiting(host: MemoryHost) -> None:
    async with visiting(host) as (_, visit), visit.open() as page:
        for address, streaming, delivery in (
            ("web:local", False, "sent"),
            ("tg:1", False, "queued"),
            ("tg:1", True, "sent"),
        ):
            host.post("x", address=address, streaming=streaming, delivery=Delivery.QUEUED)
            assert (await page.next("item"))["item"]["delivery"] == delivery


async def test_the_number_of_open_pages_is_bounded(host: MemoryHost) -> None:
    async with visiting(host, WebSettings(port=0, sockets=1)) as (_, visit), visit.open():
        with pytest.raises(WSServerHandshakeError) as refused:
            await visit.session.ws_connect(f"{visit.url}/api/live?page={PAGE}", headers={"Origin": visit.url})
        assert refused.value.status == 503


async def test_pages_hear_that_the_host_stops(host: MemoryHost) -> None:
    async with asyncio.TaskGroup() as group, ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
        async with serving(host, WebSettings(port=0)) as bridge:
            url = await bridge.url()
            await session.get(f"{url}/open?token=once")
            page = await session.ws_connect(f"{url}/api/live?page={PAGE}", headers={"Origin": url})
            assert (await page.receive_json())["type"] == "hello"
            goodbye = group.create_task(page.receive())
        assert (await goodbye).type is WSMsgType.CLOSE
        assert page.close_code == 1001


async def test_history_comes_in_pages_oldest_first(host: MemoryHost) -> None:
    for number in range(5):
        host.post(f"{number}")
    async with visiting(host) as (_, visit):
        async with visit.session.get(f"{visit.url}/api/rooms/main/history?limit=2") as response:
            newest = await response.json()
        assert [item["id"] for item in newest["items"]] == ["00000004", "00000005"]
        assert newest["more"] is True
        path = f"/api/rooms/main/history?limit=9&before={newest['items'][0]['id']}"
        async with visit.session.get(visit.url + path) as response:
            older = await response.json()
        assert [item["id"] for item in older["items"]] == ["00000001", "00000002", "00000003"]
        assert older["more"] is False
        for path in ("/api/rooms/gone/history", "/api/rooms/gone/side", "/api/pictures/gone"):
            async with visit.session.get(visit.url + path) as response:
                assert response.status == 404


async def test_a_picture_is_served_as_what_it_is(host: MemoryHost) -> None:
    host.pictures["p1"] = b"\x89PNG"
    async with visiting(host) as (_, visit), visit.session.get(f"{visit.url}/api/pictures/p1") as response:
        assert response.content_type == "image/png"
        assert await response.read() == b"\x89PNG"


async def test_a_post_is_delivered_the_moment_it_is_stored(host: MemoryHost) -> None:
    async with serving(host, WebSettings(port=0)) as bridge:
        assert bridge.state().ok
        content = Content(text="long " * 5000, markup=Markup.MARKDOWN, headline=True, silent=True)
        (part,) = bridge.parts(content)
        assert await bridge.send("web:local", part) != await bridge.send("web:local", part)
        await bridge.edit("web:local", "ref", part)
        await bridge.delete("web:local", "ref")
        with pytest.raises(ChatGone):
            await bridge.send("tg:1", part)
        (huge,) = bridge.parts(Content(text="x" * 100_001))
        with pytest.raises(ContentRefused):
            await bridge.send("web:local", huge)
    assert not bridge.state().ok
    with pytest.raises(BridgeUnavailable):
        await bridge.send("web:local", part)
