"""The page's WebSocket: reads what it sends, pushes what changes in its rooms."""

import asyncio
import re

import structlog
from aiohttp import WSMsgType, web

from bridges.web import wire
from bridges.web.audience import Audience, Client
from bridges.web.letterbox import Letterbox, Refused
from bridges.web.port import Health, HealthChanged, Rooms, Visitor
from bridges.web.settings import WebSettings

log = structlog.get_logger()

HEARTBEAT = 25.0  # seconds between pings of the protocol
HARD_LIMIT = 16  # times the frame limit: up to here an over-long frame gets words, beyond it is cut off

_PAGE_ID = re.compile(r"^[A-Za-z0-9-]{8,64}$")


class Live:
    """Serves one socket per open page."""

    def __init__(
        self, *, settings: WebSettings, rooms: Rooms, health: Health, letterbox: Letterbox, audience: Audience
    ) -> None:
        self._settings = settings
        self._rooms = rooms
        self._health = health
        self._letterbox = letterbox
        self._audience = audience

    async def serve(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """Until either side closes."""
        page = request.query.get("page", "")
        if not _PAGE_ID.match(page):
            raise web.HTTPBadRequest(text="The page did not say which one it is. Reload it.")
        if self._audience.of(visitor.person) >= self._settings.sockets:
            raise web.HTTPServiceUnavailable(text="Too many pages are open. Close some of them.")
        socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT, compress=False, max_msg_size=self._settings.frame_limit * HARD_LIMIT
        )
        await socket.prepare(request)
        client = Client(socket, visitor, page, self._settings.queue)
        try:
            await self._talk(client)
        except* (ConnectionError, TimeoutError):
            log.info("web.page_lost", person=visitor.person)
        except* Exception:
            log.exception("web.page_failed", person=visitor.person)
        finally:
            self._audience.leave(client)
            await socket.close()
        return socket

    async def _talk(self, client: Client) -> None:
        async with self._rooms.changes(client.visitor.person) as changes, asyncio.TaskGroup() as group:
            client.push({"type": "hello", "notes": list(self._health.banner())})
            self._audience.join(client)
            writing = group.create_task(client.write(self._settings.patience))
            watching = group.create_task(self._watch(client, changes))
            await self._read(client)
            writing.cancel()
            watching.cancel()

    async def _watch(self, client: Client, changes: wire.Changes) -> None:
        async for change in changes:
            if isinstance(change, HealthChanged):
                client.push({"type": "health", "notes": list(self._health.banner())})
            elif frame := wire.change(change, client.visitor.person):
                client.push(frame)

    async def _read(self, client: Client) -> None:
        async for message in client.socket:
            if message.type is not WSMsgType.TEXT:
                _refuse(client, None, "Not sent: only text can be sent.")
            elif len(message.data) > self._settings.frame_limit:
                size = len(message.data) / 1_000_000
                _refuse(client, None, f"Not sent: {size:.1f} MB is too long for one message.")
            else:
                await self._handle(client, message.data)

    async def _handle(self, client: Client, data: str) -> None:
        try:
            request = wire.read(data)
        except wire.NotUnderstood:
            _refuse(client, None, "Not sent: the host does not understand this page. Reload it.")
            return
        try:
            if not isinstance(request, wire.Ping):
                await self._letterbox.take(client.visitor, client.page, request)
        except Refused as refusal:
            _refuse(client, request.client_id, str(refusal), refusal.retry)
        else:
            client.push({"type": "taken", "client_id": request.client_id})


def _refuse(client: Client, client_id: str | None, words: str, retry: float | None = None) -> None:
    client.push({"type": "refused", "client_id": client_id, "text": words, "retry": retry})
