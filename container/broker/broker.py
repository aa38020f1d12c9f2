"""The model broker: agents ask their model through it, on a key they never see."""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakSet

import aiohttp

from container.agent import ModelApi, Service
from container.broker.bounds import Bounds
from container.broker.connections import Connections
from container.broker.door import Door, Meter
from container.broker.port import Account
from container.broker.providers import Provider
from container.broker.upstream import Upstream

MOST_CONNECTIONS = 256  #: to one provider
KEPT_OPEN = 60.0  #: seconds a connection to a provider waits for its next request
PIECE = 64 * 1024
SHUTDOWN = 1.0


class Broker:
    """One per host."""

    def __init__(
        self,
        upstreams: Mapping[ModelApi, Upstream],
        bounds: Bounds,
        *,
        tick: Callable[[], float] = time.monotonic,
        meter: Meter | None = None,
    ) -> None:
        self._upstreams = upstreams
        self._bounds = bounds
        self._tick = tick
        self._meter = meter
        self._open: WeakSet[Connections] = WeakSet()

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        providers: Mapping[ModelApi, Provider],
        *,
        sleep: Callable[[float], Awaitable[None]],
        bounds: Bounds | None = None,
        chance: Callable[[], float] = random.random,
        tick: Callable[[], float] = time.monotonic,
        meter: Meter | None = None,
    ) -> AsyncIterator["Broker"]:
        """A broker for as long as the context lasts; what is under way at its end is cut.

        All three APIs must have a provider; one without a key says so when it is asked.
        """
        bounds = bounds or Bounds()
        async with AsyncExitStack() as stack:
            upstreams = {}
            for api, provider in providers.items():
                http = await stack.enter_async_context(_session(bounds))
                upstreams[api] = Upstream(provider, http, bounds, sleep=sleep, random=chance)
            broker = cls(upstreams, bounds, tick=tick, meter=meter)
            stack.push_async_callback(broker._shut)
            yield broker

    def service(self, account: Account) -> Service:
        """Answers the connections to one container's model socket, on that account."""
        door = Door(account, self._upstreams, self._bounds, tick=self._tick, meter=self._meter)
        self._open.add(door.connections)
        return door.connections

    async def _shut(self) -> None:
        for connections in list(self._open):
            await connections.shutdown(SHUTDOWN)


def _session(bounds: Bounds) -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS, keepalive_timeout=KEPT_OPEN),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None, connect=bounds.connect),
        read_bufsize=PIECE,
        skip_auto_headers={"User-Agent"},
    )
