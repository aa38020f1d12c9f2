"""The stand-in keeps Telegram's rules, in this process and in one of its own."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.servers.telegram import TOKEN, TelegramServer
from tests.servers.telegram.markup import parse_html, trim
from tests.servers.telegram.refusal import BadRequest

ROOT = Path(__file__).parents[3]


async def call(server: TelegramServer, method: str, **params: Any) -> dict[str, Any]:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{server.url}/bot{TOKEN}/{method}", data=params) as response,
    ):
        answer: dict[str, Any] = await response.json()
        assert answer.get("error_code", 200) == response.status
        return answer


async def test_confirmed_updates_are_forgotten(server: TelegramServer) -> None:
    first, second = server.say(1000, 1000, "a"), server.say(1000, 1000, "b")
    seen = await call(server, "getUpdates", limit=1)
    assert [update["update_id"] for update in seen["result"]] == [first]
    await call(server, "getUpdates", offset=second)
    again = await call(server, "getUpdates", offset=0)
    assert [update["update_id"] for update in again["result"]] == [second]


async def test_an_open_poll_ends_when_something_happens(server: TelegramServer) -> None:
    async with asyncio.TaskGroup() as group:
        poll = group.create_task(call(server, "getUpdates", timeout=30))
        await server.wait_for(lambda: server.polling == 1)
        server.say(1000, 1000, "now")
        assert len((await poll)["result"]) == 1


async def test_a_second_poll_ends_the_first_with_a_conflict(server: TelegramServer) -> None:
    async with asyncio.TaskGroup() as group:
        first = group.create_task(call(server, "getUpdates", timeout=30))
        await server.wait_for(lambda: server.polling == 1)
        assert (await call(server, "getUpdates", timeout=0))["ok"]
        assert (await first)["description"].startswith("Conflict: terminated by other getUpdates request")


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<b>open", 'Can\'t find end tag corresponding to start tag "b"'),
        ("a</b>", "Unexpected end tag at byte offset 1"),
        ("é<b>x</i>", 'Unmatched end tag at byte offset 6, expected "</b>", found "</i>"'),
        ("<script>", 'Unsupported start tag "script" at byte offset 0'),
        ("<b", "Unclosed start tag at byte offset 0"),
        ('<a href="x', "Unclosed start tag at byte offset 0"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_broken_markup_is_refused_in_telegrams_words(source: str, words: str) -> None:
    with pytest.raises(BadRequest) as caught:
        parse_html(source)
    assert caught.value.description == f"Bad Request: can't parse entities: {words}"


def test_markup_is_read_as_text_with_entities() -> None:
    text, entities = trim(*parse_html('<b>A &amp; 🎉</b> <a href="https://x.dev/?a&amp;b">x</a>\n'))
    assert text == "A & 🎉 x"
    assert [entity.wire() for entity in entities] == [
        {"type": "bold", "offset": 0, "length": 6},
        {"type": "text_link", "offset": 7, "length": 1, "url": "https://x.dev/?a&b"},
    ]


async def test_limits_are_enforced(server: TelegramServer) -> None:
    server.add_chat(1000)
    wide = {"inline_keyboard": [[{"text": "x", "callback_data": "é" * 33}]]}
    for params, words in (
        ({"text": "🎉" * 2049}, "message is too long"),
        ({"text": "<b> </b>", "parse_mode": "HTML"}, "message text is empty"),
        ({"text": "x", "reply_markup": json.dumps(wide)}, "BUTTON_DATA_INVALID"),
        ({"text": "x", "message_thread_id": "1"}, "message thread not found"),
        ({"text": "x", "reply_parameters": '{"message_id": 9}'}, "message to be replied not found"),
    ):
        answer = await call(server, "sendMessage", chat_id=1000, **params)
        assert answer["description"] == f"Bad Request: {words}"
    assert (await call(server, "sendMessage", chat_id=1000, text="🎉" * 2048))["ok"]


async def test_a_flood_names_the_seconds_to_wait(server: TelegramServer) -> None:
    server.add_chat(1000)
    server.flood(1000, 15)
    answer = await call(server, "sendMessage", chat_id=1000, text="x")
    assert (answer["error_code"], answer["parameters"]) == (429, {"retry_after": 15})


async def test_only_buttons_that_are_shown_can_be_tapped(server: TelegramServer) -> None:
    server.add_chat(1000)
    await call(server, "sendMessage", chat_id=1000, text="no buttons")
    with pytest.raises(AssertionError, match="is not on the message"):
        server.tap(1000, 1, "approve:K7Q2MD", user=1000)
    server.tap(1000, 1, "approve:K7Q2MD", user=1000, stale=True)


@asynccontextmanager
async def program() -> AsyncIterator[str]:
    """The server as a process; yields its address."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.servers.telegram", cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            ready = json.loads(await process.stdout.readline())
        assert ready["token"] == TOKEN
        yield ready["url"]
    finally:
        process.terminate()
        await process.wait()


async def test_another_process_can_drive_it() -> None:
    async with program() as url, aiohttp.ClientSession(url) as session:

        async def control(what: str, **body: Any) -> Any:
            async with session.post(f"/control/{what}", json=body) as response:
                assert response.status == 200, await response.text()
                return await response.json()

        said = await control("say", chat=1000, user=1000, text="hello")
        both = await control("say", all=[{"chat": 1001, "user": 1001, "text": t} for t in ("a", "b")])
        assert [one["update_id"] for one in both] == [said["update_id"] + 1, said["update_id"] + 2]
        keyboard = json.dumps({"inline_keyboard": [[{"text": "OK", "callback_data": "approve:X"}]]})
        form = {"chat_id": "1000", "text": "hi there", "reply_markup": keyboard}
        async with session.post(f"/bot{TOKEN}/sendMessage", data=form) as response:
            assert (await response.json())["ok"]
        shown = await control("wait", chat=1000, text="there")
        assert shown["text"] == "hi there"
        await control("tap", chat=1000, message_id=shown["message_id"], data="approve:X", user=1001)
        await control("flood", chat=1000, seconds=5)
        async with session.get("/control/sent?since=0") as response:
            (sent,) = await response.json()
        assert sent["at"] > said["at"]
        async with session.get("/control/state") as response:
            assert len((await response.json())["pending"]) == 4
        async with session.post("/control/wait", json={"sent": 2, "within": 0.05}) as response:
            assert response.status == 408
