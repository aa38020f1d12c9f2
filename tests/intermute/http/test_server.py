"""Connections: how many, how long, over which doors, and how they end."""

import asyncio
import socket
import stat
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from intermute.http.server import Bounds, Doorway, Listening, listen
from intermute.service import Service
from tests.intermute.calling import PATIENCE

REQUEST = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


async def hello(_request: web.BaseRequest) -> web.StreamResponse:
    return web.Response(text="hello")


@asynccontextmanager
async def serving(
    handler: object = hello, path: Path | None = None, bounds: Bounds | None = None
) -> AsyncIterator[tuple[Listening, Doorway]]:
    doorway = Doorway(handler, bounds or Bounds())  # type: ignore[arg-type]
    async with listen(doorway, host="127.0.0.1", port=0, path=path, leaving=lambda: None) as listening:
        yield listening, doorway


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(15):
            yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def test_a_client_that_connects_and_never_sends_is_let_go() -> None:
    async with (
        serving(bounds=Bounds(idle=0.2)) as (listening, doorway),
        connected(listening.port) as (reader, _writer),
    ):
        assert await reader.read() == b""
    assert doorway.connections == 0


async def test_a_client_that_sends_its_head_byte_by_byte_is_let_go() -> None:
    async with (
        serving(bounds=Bounds(idle=0.3)) as (listening, _doorway),
        connected(listening.port) as (reader, writer),
    ):
        writer.write(REQUEST[:20])
        await writer.drain()
        assert await reader.read() == b""


async def test_a_connection_that_asks_now_and_then_stays() -> None:
    async with (
        serving(bounds=Bounds(idle=5.0)) as (listening, _doorway),
        connected(listening.port) as (reader, writer),
    ):
        for _ in range(3):
            writer.write(REQUEST)
            assert await reader.readuntil(b"hello")


async def test_one_connection_too_many_gets_one_sentence_and_no_more() -> None:
    async with (
        serving(bounds=Bounds(connections=2)) as (listening, doorway),
        connected(listening.port) as (first, asking),
        connected(listening.port) as (second, asking_too),
    ):
        for reader, writer in ((first, asking), (second, asking_too)):
            writer.write(REQUEST)
            await reader.readuntil(b"hello")
        async with connected(listening.port) as (reader, _):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"Retry-After: 1\r\n" in answer
        assert b'"error":"unavailable"' in answer
        assert doorway.refused == 1
        asking.write(REQUEST)
        assert await first.readuntil(b"hello")


async def test_a_request_under_way_is_answered_before_the_service_ends() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_request: web.BaseRequest) -> web.StreamResponse:
        begun.set()
        await go_on.wait()
        return web.Response(text="at last")

    ending = asyncio.Event()
    got: list[str] = []

    async def ask(url: str) -> None:
        async with aiohttp.ClientSession(timeout=PATIENCE) as session, session.get(url) as response:
            got.append(await response.text())

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        doorway = Doorway(slow, Bounds())
        async with listen(doorway, host="127.0.0.1", port=0, path=None, leaving=ending.set) as listening:
            tasks.create_task(ask(listening.url))
            await begun.wait()
            tasks.create_task(_after(ending, go_on))
    assert got == ["at last"]


async def _after(first: asyncio.Event, then: asyncio.Event) -> None:
    await first.wait()
    then.set()


async def test_a_request_that_does_not_end_does_not_hold_up_the_end() -> None:
    begun = asyncio.Event()

    async def endless(_request: web.BaseRequest) -> web.StreamResponse:
        begun.set()
        await asyncio.Event().wait()
        return web.Response()

    async with asyncio.timeout(10):
        async with AsyncExitStack() as client:
            async with serving(endless, bounds=Bounds(drain=0.1)) as (listening, _doorway):
                reader, writer = await client.enter_async_context(connected(listening.port))
                writer.write(REQUEST)
                await begun.wait()
            assert await reader.read() == b""


async def test_the_socket_is_for_its_owner_and_group_and_goes_away(tmp_path: Path) -> None:
    path = tmp_path / "run" / "intermute.sock"
    async with serving(path=path):
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o660
        async with (
            aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path)), timeout=PATIENCE) as session,
            session.get("http://anything/") as response,
        ):
            assert await response.text() == "hello"
    assert not path.exists()


async def test_a_socket_that_a_killed_service_left_is_taken_over(tmp_path: Path) -> None:
    path = tmp_path / "intermute.sock"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    async with serving(path=path):
        assert stat.S_ISSOCK(path.stat().st_mode)
    assert not path.exists()


async def test_a_socket_that_somebody_serves_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "intermute.sock"
    async with serving(path=path):
        with pytest.raises(OSError, match="in use"):
            async with serving(path=path):
                pass
        assert path.exists()


async def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(OSError, match="not a socket"):
        async with serving(path=path):
            pass
    assert path.read_text() == "mine"


async def test_a_socket_put_in_our_place_is_not_removed_with_ours(tmp_path: Path) -> None:
    path = tmp_path / "intermute.sock"
    with socket.socket(socket.AF_UNIX) as other:
        async with serving(path=path):
            path.unlink()
            other.bind(str(path))
        assert path.exists()


async def test_a_taken_port_is_an_error_for_who_serves_and_nothing_else(service: Service) -> None:
    async with service.serve(port=0) as listening:
        with pytest.raises(OSError, match="in use"):
            async with service.serve(port=listening.port):
                pass
        async with (
            aiohttp.ClientSession(timeout=PATIENCE) as session,
            session.get(listening.url + "/health") as response,
        ):
            assert response.status == 200


async def test_one_address_that_is_left_does_not_close_the_other_to_listeners(service: Service) -> None:
    async with service.serve(port=0) as stays, aiohttp.ClientSession(timeout=PATIENCE) as session:
        async with service.serve(port=0):
            pass
        async with session.ws_connect(stays.url + "/ws/events?project=p") as listener:
            assert not listener.closed


async def test_a_listener_is_sent_away_when_the_service_ends(service: Service) -> None:
    async with aiohttp.ClientSession(timeout=PATIENCE) as session, asyncio.timeout(10):
        async with service.serve(port=0) as listening:
            listener = await session.ws_connect(listening.url + "/ws/events?project=p")
        message = await listener.receive()
        assert message.type is aiohttp.WSMsgType.CLOSE
        assert message.data == aiohttp.WSCloseCode.GOING_AWAY


async def test_a_service_can_be_served_again_after_it_was_left(service: Service) -> None:
    for _ in range(2):
        async with (
            service.serve(port=0) as listening,
            aiohttp.ClientSession(timeout=PATIENCE) as session,
            session.get(listening.url + "/health") as response,
        ):
            assert response.status == 200


@pytest.mark.parametrize(
    "garbage",
    [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 100],
)
async def test_what_is_not_http_is_refused_and_the_connection_ends(garbage: bytes) -> None:
    async with (
        serving(bounds=Bounds(idle=0.5)) as (listening, _doorway),
        connected(listening.port) as (reader, writer),
    ):
        writer.write(garbage)
        answer = await reader.read()
        assert answer.startswith((b"HTTP/1.0 400 ", b"HTTP/1.1 400 "))
        assert b'"error":"bad_http"' in answer
