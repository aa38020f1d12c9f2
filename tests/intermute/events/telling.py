"""Things that happen, for tests, and clients that hear of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from intermute.events.event import Event, NewEvent
from intermute.events.journal import Journal
from tests.clock import START

WITHIN = 10.0  #: seconds for anything that must happen


def event(cursor: int, kind: str = "task.created", **rest: Any) -> Event:
    given = {"project": "alpha", "audience": None, "data": {}, "at": START} | rest
    return Event(cursor=cursor, type=kind, **given)


def note(kind: str = "task.created", project: str = "alpha", **data: Any) -> NewEvent:
    """Something that everybody in the project may know."""
    return NewEvent(project=project, type=kind, data=data)


def mail(*agents: str, project: str = "alpha", **data: Any) -> NewEvent:
    return NewEvent(project=project, type="message.created", data=data, audience=agents)


async def tell(journal: Journal, *events: NewEvent) -> Sequence[Event]:
    """One transaction in which all of them happen."""
    async with journal.writing() as entry:
        return await entry.tell(events)


class Ear:
    """The client's end of a WebSocket."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(WITHIN):
            message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.TEXT, message
        frame: dict[str, Any] = json.loads(message.data)
        return frame

    async def some(self, count: int) -> list[dict[str, Any]]:
        return [await self.next() for _ in range(count)]

    async def say(self, what: Any) -> None:
        await self.socket.send_str(json.dumps(what))

    async def heeded(self) -> None:
        """Everything said before has been heeded: a ping is answered in its turn."""
        await self.socket.ping(b"heeded?")
        async with asyncio.timeout(WITHIN):
            message = await self.socket.receive()
        assert message.type is aiohttp.WSMsgType.PONG, message

    async def closed(self) -> tuple[int | None, str]:
        """Why the other side has closed; fails where it says something instead."""
        async with asyncio.timeout(WITHIN):
            message = await self.socket.receive()
        assert message.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}, message
        return self.socket.close_code, str(message.extra or "")


@asynccontextmanager
async def listening(
    session: aiohttp.ClientSession, url: str, path: str = "/ws/agents/ann", **query: Any
) -> AsyncIterator[Ear]:
    """Connected; what happens from here on is heard. It does not answer the server's own pings."""
    parameters = {"project": "alpha"} | {name: str(value) for name, value in query.items()}
    async with session.ws_connect(url + path, params=parameters, autoping=False) as socket:
        yield Ear(socket)
