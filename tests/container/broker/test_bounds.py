"""A hostile container costs little and harms nobody else; see `container/broker/bounds.py`."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from container.agent import ModelApi
from container.broker.bounds import Bounds
from container.broker.broker import Broker
from tests.container.broker.scene import (
    Books,
    Naps,
    ask,
    bases,
    body_of,
    error_of,
    path_of,
    provider,
    served,
)
from tests.servers.models import Hold, ModelServer, Say

API = ModelApi.ANTHROPIC


async def test_of_a_thousand_connections_most_are_refused_and_the_others_served(
    server: ModelServer, tmp_path: Path
) -> None:
    bounds = Bounds(connections=8)
    async with served(tmp_path, Books(API), bases(server)[API], bounds=bounds) as client:
        streams = []
        for _ in range(20):
            async with asyncio.TaskGroup() as group:
                opening = [
                    group.create_task(asyncio.open_unix_connection(tmp_path / "model.sock"))
                    for _ in range(50)
                ]
            streams += [task.result() for task in opening]
        refused = [reader for reader, _ in streams if await _ended(reader)]
        assert len(streams) - len(refused) == 8
        for _, writer in streams:
            writer.close()
        await _until_served(client)


async def _ended(reader: asyncio.StreamReader) -> bool:
    try:
        async with asyncio.timeout(0.02):
            return await reader.read(1) == b""
    except ConnectionError:
        return True
    except TimeoutError:
        return False


async def _until_served(client: object) -> None:
    async with asyncio.timeout(5):
        while True:
            try:
                assert (await ask(client, API))[0] == 200  # type: ignore[arg-type] # a session
            except OSError:
                await asyncio.sleep(0)  # the ends of the others are still on their way
            else:
                return


async def test_a_connection_that_asks_nothing_is_closed(server: ModelServer, tmp_path: Path) -> None:
    async with served(tmp_path, Books(API), bases(server)[API], bounds=Bounds(idle=0.1)):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "model.sock")
        writer.write(b"POST /anthropic/v1/messages HTTP/1.1\r\nhost: x\r\nx-slow: ")  # and nothing more
        async with asyncio.timeout(5):
            assert await reader.read() == b""
        writer.close()


async def test_a_body_that_comes_too_slowly_is_not_awaited(server: ModelServer, tmp_path: Path) -> None:
    books = Books(API)
    async with served(tmp_path, books, bases(server)[API], bounds=Bounds(upload=0.1)):
        reader, writer = await asyncio.open_unix_connection(tmp_path / "model.sock")
        writer.write(b"POST /anthropic/v1/messages HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{")
        async with asyncio.timeout(5):
            answer = await reader.readuntil(b"too slowly")
        assert answer.startswith(b"HTTP/1.1 400")
        writer.close()
    assert books.asked == []


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_that_is_too_large_is_refused(
    server: ModelServer, tmp_path: Path, api: ModelApi, declared: bool
) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    data: Any = io.BytesIO(b"x" * (3 * 2**20)) if declared else chunks()
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api], bounds=Bounds(body=2**20)) as client:
        async with asyncio.timeout(10):
            async with client.post(path_of(api), data=data) as response:
                assert response.status == 400
                assert "larger than 1 MB" in error_of(api, await response.json())
        assert (await ask(client, api))[0] == 200
    assert len(server.requests) == 1


async def test_large_bodies_at_once_are_bounded_together_and_freed_after(
    server: ModelServer, tmp_path: Path
) -> None:
    go = asyncio.Event()
    server.script = lambda talk: (Hold(go), Say("done"))
    large = "x" * 600_000
    bounds = Bounds(bodies=1_000_000)
    async with served(tmp_path, Books(API), bases(server)[API], bounds=bounds) as client:
        async with asyncio.TaskGroup() as group:
            first = group.create_task(ask(client, API, large))
            await server.until(lambda server: len(server.asked()) == 1)
            status, text = await ask(client, API, large)
            assert status == 400
            assert "too many large requests" in error_of(API, json.loads(text))
            go.set()
        assert first.result()[0] == 200
        assert (await ask(client, API, large))[0] == 200


@pytest.mark.parametrize(
    "raw",
    [
        b"\x00\x01\x02\r\n\r\n",
        b"POST\r\n\r\n",
        b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n",
        b"POST / HTTP/1.1\r\nx: " + b"y" * 100_000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\n" + b"x: y\r\n" * 5000 + b"\r\n",
        b"POST /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n",
    ],
)
async def test_what_is_no_http_is_not_understood(server: ModelServer, tmp_path: Path, raw: bytes) -> None:
    async with served(tmp_path, Books(API), bases(server)[API]) as client:
        reader, writer = await asyncio.open_unix_connection(tmp_path / "model.sock")
        writer.write(raw)
        if writer.can_write_eof():
            writer.write_eof()
        async with asyncio.timeout(5):
            answer = await _rest(reader)
        assert answer[:12] in (b"", b"HTTP/1.1 400", b"HTTP/1.0 400")
        writer.close()
        assert (await ask(client, API))[0] == 200
    assert len(server.requests) == 1


async def _rest(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.read()
    except ConnectionError:
        return b""


async def test_a_packed_body_is_refused(server: ModelServer, tmp_path: Path) -> None:
    async with served(tmp_path, Books(API), bases(server)[API]) as client:
        response = await client.post(
            path_of(API), json=body_of(API), headers={"content-encoding": "zstd"}, compress=False
        )
        assert response.status == 400
        assert "packed" in error_of(API, await response.json())
    assert server.requests == []


async def test_an_agent_that_asks_too_often_waits(server: ModelServer, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    bounds = Bounds(requests=20.0)  # a burst of 80
    async with served(tmp_path, Books(API), bases(server)[API], bounds=bounds) as client:
        started = loop.time()
        for _ in range(80):
            await _looked(client)
        soon = loop.time() - started
        for _ in range(20):
            await _looked(client)
        assert loop.time() - started - soon > 0.4
    assert soon < 3.0


async def _looked(client: aiohttp.ClientSession) -> None:
    async with client.get("/anthropic") as response:
        assert response.status == 404


async def test_an_agent_that_sends_too_much_waits(server: ModelServer, tmp_path: Path) -> None:
    loop = asyncio.get_running_loop()
    bounds = Bounds(megabytes=1.0)  # a burst of eight
    async with served(tmp_path, Books(API), bases(server)[API], bounds=bounds) as client:
        started = loop.time()
        async with client.post("/anthropic/v1/messages", data=io.BytesIO(b" " * 9 * 2**20)) as response:
            assert response.status == 400
        assert loop.time() - started > 0.5


async def test_one_connection_serves_many_requests(server: ModelServer, tmp_path: Path) -> None:
    async with served(tmp_path, Books(API), bases(server)[API], bounds=Bounds(connections=1)) as client:
        for _ in range(20):
            assert (await ask(client, API))[0] == 200


async def test_the_end_of_the_broker_ends_what_is_under_way(server: ModelServer, tmp_path: Path) -> None:
    server.then((Say("so"), Hold(asyncio.Event())))
    books, path = Books(API), str(tmp_path / "model.sock")
    async with aiohttp.ClientSession("http://model", connector=aiohttp.UnixConnector(path)) as client:
        providers = {API: provider(API, bases(server)[API])}
        async with Broker.open(providers, sleep=Naps().sleep) as broker:
            loop = asyncio.get_running_loop()
            listener = await loop.create_unix_server(broker.service(books), path)
            response = await client.post(path_of(API), json=body_of(API))
            assert b"so" in await response.content.readuntil(b"so")
            listener.close()
        with pytest.raises(aiohttp.ClientError):
            await response.read()
    assert len(books.used) == 1
    await server.until(lambda server: server.requests[0].outcome == "left")
