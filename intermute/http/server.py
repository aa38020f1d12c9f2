"""Listens on a port and on a Unix socket, bounds what is connected, and lets go of everything in order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import IPPROTO_TCP, socket
from typing import Any

import structlog
from aiohttp import web

from intermute.errors import InvalidRequest
from intermute.http import unix_socket
from intermute.http.refusals import refusal, unavailable

log = structlog.get_logger()

IDLE = 75.0  #: seconds a connection may say nothing
DRAIN = 5.0  #: seconds for requests under way when the service ends
LINGER = 2.0  #: seconds the rest of a refused body is read, so that its sender sees the answer
UNREAD = 30_000  #: milliseconds the other end may leave what we sent unread or unanswered
BACKLOG = 1024
SETTLING = 5  #: turns of the loop until what was accepted already has become a connection
_TCP_USER_TIMEOUT = 18  # not in `socket` on every system

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where callers find us."""

    url: str
    port: int
    socket: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is let in, and for how long without a word."""

    connections: int = 4096
    idle: float = IDLE
    drain: float = DRAIN


class Doorway:
    """Makes the protocol of each connection: a real one, or one sentence where there are too many."""

    def __init__(self, handler: Handler, bounds: Bounds) -> None:
        self._bounds = bounds
        self._server = _Server(
            handler,
            access_log=None,
            keepalive_timeout=bounds.idle,
            lingering_time=LINGER,
            auto_decompress=False,  # a small body must not become a big one
        )
        self.refused = 0

    @property
    def connections(self) -> int:
        return len(self._server._connections)  # noqa: SLF001 - the public one copies them all

    def __call__(self) -> asyncio.BaseProtocol:
        if self.connections >= self._bounds.connections:
            self.refused += 1
            return Full()
        return self._server()

    async def close(self) -> None:
        """Idle connections go at once, busy ones when they have answered."""
        self._server.pre_shutdown()
        await self._server.shutdown(self._bounds.drain)


class _Connection(web.RequestHandler):
    """Says in JSON, and not in the log with a traceback, that what came is no HTTP."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        if request.writer.output_size > 0:
            raise ConnectionError("the answer was under way already")
        log.info("request.unreadable", reason=type(exc).__name__)
        response = refusal(InvalidRequest("This is not HTTP that can be read.", code="bad_http"))
        response.force_close()
        return response


class _Server(web.Server):
    """Makes connections of our own kind."""

    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Full(asyncio.Protocol):
    """Says that there is no place left, and hangs up."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(unavailable("Too many connections are open."))
        transport.close()


@asynccontextmanager
async def listen(
    doorway: Doorway, *, host: str, port: int, path: Path | None, leaving: Callable[[], None]
) -> AsyncIterator[Listening]:
    """Serve until leave; `leaving` is called when nobody new comes any more, before those under way end.

    Raises OSError where the port or the socket cannot be had.
    """
    async with AsyncExitStack() as stack:
        tcp = await _server(stack, doorway, host=host, port=port, backlog=BACKLOG)
        for each in tcp.sockets:
            _bound_silence(each)
        servers = [tcp]
        if path is not None:
            sock = await asyncio.to_thread(unix_socket.bind, path)
            stack.callback(unix_socket.remove, path, unix_socket.identity(path))
            unix = await _unix(stack, doorway, sock)
            servers.append(unix)
            await unix.start_serving()
        await tcp.start_serving()
        bound = tcp.sockets[0].getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        log.info("intermute.listening", host=host, port=bound, socket=str(path or ""))
        try:
            yield Listening(url=f"http://{name}:{bound}", port=bound, socket=path)
        finally:
            await _stop_accepting(servers)
            await stack.aclose()
            leaving()
            await doorway.close()


async def _stop_accepting(servers: Sequence[asyncio.Server]) -> None:
    """A server that is closed loses what it has accepted in the same moment, so that comes first."""
    loop = asyncio.get_running_loop()
    for server in servers:
        for sock in server.sockets:
            loop.remove_reader(sock)
    for _ in range(SETTLING):
        await asyncio.sleep(0)


async def _server(stack: AsyncExitStack, doorway: Doorway, **where: Any) -> asyncio.Server:
    server = await asyncio.get_running_loop().create_server(
        doorway, reuse_address=True, start_serving=False, **where
    )
    stack.callback(server.close)
    return server


async def _unix(stack: AsyncExitStack, doorway: Doorway, sock: socket) -> asyncio.Server:
    server = await asyncio.get_running_loop().create_unix_server(
        doorway, sock=sock, start_serving=False, backlog=BACKLOG
    )
    stack.callback(server.close)
    return server


def _bound_silence(sock: socket) -> None:
    """Connections inherit it: who stops reading does not keep our memory for ever."""
    try:
        sock.setsockopt(IPPROTO_TCP, _TCP_USER_TIMEOUT, UNREAD)
    except OSError:
        log.debug("intermute.no_user_timeout")  # not Linux
