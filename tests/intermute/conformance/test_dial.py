"""The WebSocket as the Go client opens it: byte by byte what it sends, and what would make it hang up."""

import asyncio
import base64
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.intermute.calling import Http
from tests.intermute.conformance import decoding as d
from tests.intermute.conformance.sdk import EVENT, Sdk

KEY = "dGhlIHNhbXBsZSBub25jZQ=="
_SIGNED = f"{KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()
ACCEPT = base64.b64encode(hashlib.sha1(_SIGNED).digest()).decode()  # noqa: S324 - as RFC 6455 has it
READ_LIMIT = 32_768
OFFERED = "permessage-deflate; client_no_context_takeover; server_no_context_takeover"


class Dialled:
    """One open connection, its frames read and written by hand."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    async def event(self) -> Any:
        """The next text frame, unmasked, unfragmented and no larger than what the client reads."""
        async with asyncio.timeout(10):
            first, second = await self._reader.readexactly(2)
            length = second & 0x7F
            if length == 126:
                length = int.from_bytes(await self._reader.readexactly(2), "big")
            assert (first, second & 0x80) == (0x81, 0), (first, second)
            assert length <= READ_LIMIT
            return d.decode(EVENT, (await self._reader.readexactly(length)).decode())

    async def write(self, value: Any) -> None:
        content = json.dumps(value).encode()
        assert len(content) < 126
        mask = b"\x01\x02\x03\x04"
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(content))
        self._writer.write(bytes([0x81, 0x80 | len(content)]) + mask + masked)
        await self._writer.drain()


@asynccontextmanager
async def dial(http: Http, path: str) -> AsyncIterator[Dialled]:
    """The handshake of nhooyr.io/websocket 1.8.7, which refuses an answer that adds anything to it."""
    at = urlsplit(http.url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    try:
        lines = [
            f"GET {path} HTTP/1.1",
            f"Host: {at.netloc}",
            "User-Agent: Go-http-client/1.1",
            "Connection: Upgrade",
            f"Sec-WebSocket-Extensions: {OFFERED}",
            f"Sec-WebSocket-Key: {KEY}",
            "Sec-WebSocket-Version: 13",
            "Upgrade: websocket",
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode())
        async with asyncio.timeout(10):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        status, *rest = head.strip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in rest)}
        assert status.split()[1] == "101", head
        assert headers["upgrade"].lower() == "websocket"
        assert headers["connection"].lower() == "upgrade"
        assert headers["sec-websocket-accept"] == ACCEPT
        assert "sec-websocket-extensions" not in headers
        assert "sec-websocket-protocol" not in headers
        yield Dialled(reader, writer)
    finally:
        writer.close()
        await writer.wait_closed()


@pytest.fixture
def sdk(http: Http) -> Sdk:
    return Sdk(http.session, http.url, "alpha")


async def test_an_agent_hears_of_its_message(http: Http, sdk: Sdk) -> None:
    async with dial(http, "/ws/agents/bob?project=alpha") as socket:
        await sdk.send("ann", ["bob"], "hello")
        event = await socket.event()
        assert (event["type"], event["project"]) == ("message.created", "alpha")


async def test_fault_02_without_an_agent_everything_in_the_project_is_heard(http: Http, sdk: Sdk) -> None:
    async with dial(http, "/ws/events?project=alpha") as socket:
        await socket.write({"type": "subscribe", "event_types": ["spec.created"], "project": "alpha"})
        # Only an answer to what came behind the subscription proves that it was read.
        await sdk.create("specs", title="One")
        event = await socket.event()
        assert event["type"] == "spec.created"
        assert event["data"]["title"] == "One"
        assert event["data"]["id"] == event["entity_id"]


async def test_an_entity_that_is_larger_than_what_is_read_does_not_end_the_connection(
    http: Http, sdk: Sdk
) -> None:
    async with dial(http, "/ws/agents/bob?project=alpha") as socket:
        large = await sdk.create("specs", title="Large", vision="é" * READ_LIMIT)
        event = await socket.event()
        assert (event["type"], event["entity_id"]) == ("spec.created", large["id"])
        await sdk.send("ann", ["bob"], "hello")
        assert (await socket.event())["type"] == "message.created"
