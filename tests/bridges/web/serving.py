"""Serving the page for a test, and talking to it as a browser would without being one."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse, CookieJar

from bridges.web.bridge import WebBridge
from bridges.web.settings import WebSettings
from storage.ids import new_ids
from tests.bridges.web.memory import MemoryHost

PAGE = "page-of-the-test"


@asynccontextmanager
async def serving(host: MemoryHost, settings: WebSettings) -> AsyncIterator[WebBridge]:
    """The bridge, running until the block ends."""
    new_id = new_ids(host.clock)
    bridge = WebBridge(
        settings=settings,
        rooms=host,
        files=host,
        doorkeeper=host,
        health=host,
        clock=host.clock,
        new_id=new_id,
    )
    async with asyncio.TaskGroup() as group:
        running = group.create_task(bridge.run(host))
        async with asyncio.timeout(10):
            await bridge.url()
        try:
            yield bridge
        finally:
            running.cancel()


@dataclass
class Socket:
    """An open page: sends frames, and waits for those it is interested in."""

    raw: ClientWebSocketResponse
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def say(self, text: str, client_id: str, room: str = "main", files: Sequence[str] = ()) -> None:
        frame = {"type": "say", "client_id": client_id, "room": room, "text": text, "files": list(files)}
        await self.raw.send_json(frame)

    async def tap(self, item: str, data: str, client_id: str) -> None:
        frame = {"type": "tap", "client_id": client_id, "room": "main", "item": item, "data": data}
        await self.raw.send_json(frame)

    async def next(self, kind: str) -> dict[str, Any]:
        """The next frame of this kind; others are kept in `seen`."""
        async with asyncio.timeout(10):
            while True:
                frame: dict[str, Any] = await self.raw.receive_json()
                self.seen.append(frame)
                if frame["type"] == kind:
                    return frame


@dataclass
class Visit:
    """A client that holds the cookie."""

    session: ClientSession
    url: str

    @asynccontextmanager
    async def open(self, page: str = PAGE) -> AsyncIterator[Socket]:
        address = f"{self.url}/api/live?page={page}"
        async with self.session.ws_connect(address, headers={"Origin": self.url}) as raw:
            socket = Socket(raw)
            await socket.next("hello")
            yield socket


@asynccontextmanager
async def visiting(
    host: MemoryHost, settings: WebSettings | None = None
) -> AsyncIterator[tuple[WebBridge, Visit]]:
    """A served page and a visitor who came in by the one-time link."""
    async with serving(host, settings or WebSettings(port=0)) as bridge:
        url = await bridge.url()
        async with ClientSession(cookie_jar=CookieJar(unsafe=True)) as session:
            host.tokens["visit"] = "cookie-of-the-visit"
            async with session.get(f"{url}/open", params={"token": "visit"}) as response:
                assert response.status == 200
            yield bridge, Visit(session, url)
