"""Who has the page open, and how frames reach them: a slow browser never holds up another."""

import asyncio

from aiohttp import WSCloseCode, web

from bridges.web import wire
from bridges.web.port import Visitor


class Client:
    """One open page. What it cannot take in time it is told to read again."""

    def __init__(self, socket: web.WebSocketResponse, visitor: Visitor, page: str, queue: int) -> None:
        self.socket = socket
        self.visitor = visitor
        self.page = page  #: chosen by the page, the same after it reconnects
        self._waiting: asyncio.Queue[str] = asyncio.Queue(queue)

    def push(self, frame: wire.Frame) -> None:
        """Hand over without waiting. Too much waiting already: all of it becomes one "reload"."""
        if self._waiting.full():
            while not self._waiting.empty():
                self._waiting.get_nowait()
            frame = {"type": "reload"}
        self._waiting.put_nowait(wire.write(frame))

    async def write(self, patience: float) -> None:
        """Send what is pushed. Raises TimeoutError when the browser stops reading."""
        while True:
            frame = await self._waiting.get()
            async with asyncio.timeout(patience):
                await self.socket.send_str(frame)


class Audience:
    """All open pages."""

    def __init__(self) -> None:
        self._clients: set[Client] = set()

    def join(self, client: Client) -> None:
        self._clients.add(client)

    def leave(self, client: Client) -> None:
        self._clients.discard(client)

    def of(self, person: str) -> int:
        return sum(client.visitor.person == person for client in self._clients)

    def tell_all(self, frame: wire.Frame) -> None:
        for client in self._clients:
            client.push(frame)

    def tell(self, person: str, page: str, frame: wire.Frame) -> None:
        """Only to this page of this person; nobody when it is closed."""
        for client in self._clients:
            if client.page == page and client.visitor.person == person:
                client.push(frame)

    async def close(self) -> None:
        """Say goodbye so that pages reconnect on their own."""
        async with asyncio.TaskGroup() as group:
            for client in list(self._clients):
                group.create_task(_close(client))


async def _close(client: Client) -> None:
    try:
        async with asyncio.timeout(1):
            await client.socket.close(code=WSCloseCode.GOING_AWAY, message=b"the host stops")
    except (TimeoutError, ConnectionError):
        pass  # it will notice by itself
