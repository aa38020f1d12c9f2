"""The connections of one container: HTTP/1.1 on its socket, and never too many at once."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

from container.broker.bounds import Bounds

LINGER = 2.0  #: seconds for the rest of a request that was refused before it was read
MOST_HEADERS = 100


class _Connection(RequestHandler):
    __slots__ = ("_most", "_refused", "_server")

    def __init__(self, server: "Connections", most: int, **settings: object) -> None:
        super().__init__(server, **settings)  # type: ignore[arg-type] # passed through
        self._server = server
        self._most = most
        self._refused = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._server.connections) >= self._most:
            self._refused = True
            cast(asyncio.Transport, transport).abort()
        else:
            super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        if not self._refused:
            super().connection_lost(exc)


class Connections(web.Server):
    """A protocol factory: one call per connection."""

    def __init__(
        self, handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], bounds: Bounds
    ) -> None:
        super().__init__(handler, handler_cancellation=True)  # who goes away does not want its answer
        self._bounds = bounds

    def __call__(self) -> RequestHandler:
        return _Connection(
            self,
            self._bounds.connections,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=self._bounds.idle,
            tcp_keepalive=False,
            access_log=None,
            logger=logging.getLogger(__name__),
            max_line_size=self._bounds.head,
            max_field_size=self._bounds.head,
            max_headers=MOST_HEADERS,
            lingering_time=LINGER,
            auto_decompress=False,
        )
