"""Listens on a port and on a Unix socket, bounds what is connected, and lets go of everything in order."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog
from aiohttp import web

log = structlog.get_logger()

IDLE = 75.0  #: seconds a connection may say nothing
DRAIN = 5.0  #: seconds for requests under way when the service ends

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listening:
    """Where callers find us."""

    url: str
    port: int
    socket: Path | None = None


@asynccontextmanager
async def listen(
    handler: Handler, *, host: str, port: int, socket: Path | None = None, connections: int = 4096
) -> AsyncIterator[Listening]:
    """Serve until leave. Raises OSError where the port or the socket cannot be had."""
    server = web.Server(handler, access_log=None, keepalive_timeout=IDLE, auto_decompress=False)
    loop = asyncio.get_running_loop()
    tcp = await loop.create_server(server, host, port, reuse_address=True)
    try:
        bound = tcp.sockets[0].getsockname()[1]
        name = f"[{host}]" if ":" in host else host
        yield Listening(url=f"http://{name}:{bound}", port=bound, socket=socket)
    finally:
        tcp.close()
        server.pre_shutdown()
        await server.shutdown(DRAIN)
        await tcp.wait_closed()
