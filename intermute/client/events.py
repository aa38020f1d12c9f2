"""Events as they happen, over a WebSocket that is opened again when it breaks, from where it broke."""

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import aiohttp
import structlog
from pydantic import ValidationError

from intermute.client.errors import ClientError, Forbidden, Invalid, Missing, Strange, Unauthenticated
from intermute.client.shapes import Event
from intermute.client.wire import Wire, part
from storage.clock import Clock, SystemClock

log = structlog.get_logger()

FIRST_PAUSE = 1.0  #: seconds before the second attempt; each next one waits twice as long
LONGEST_PAUSE = 30.0
_FINAL = (Unauthenticated, Forbidden, Missing, Invalid)  #: trying again would not help


class Events:
    """An endless iterator. `cursor` is the last event that was handed out; give it to go on there later."""

    def __init__(
        self,
        wire: Wire,
        project: str,
        agent: str,
        since: int | None,
        types: Sequence[str],
        clock: Clock,
        jitter: Callable[[], float],
    ) -> None:
        self._wire = wire
        self._project = project
        self._path = f"/ws/agents/{part(agent)}" if agent else "/ws/events"
        self._types = tuple(types)
        self._clock = clock
        self._jitter = jitter
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self.cursor = since

    async def connect(self) -> None:
        """Open the socket once. Raises ClientError."""
        query = {"project": self._project, "since_cursor": self.cursor, "types": ",".join(self._types)}
        self._socket, head = await self._wire.socket(self._path, query=query)
        if self.cursor is None:
            self.cursor = head

    async def close(self) -> None:
        if self._socket is not None:
            await self._socket.close()

    def __aiter__(self) -> "Events":
        return self

    async def __anext__(self) -> Event:
        """The next event. Raises what no further attempt would mend."""
        while True:
            event = await self._next()
            if event is None:
                await self._reconnect()
            elif self._is_new(event):
                return event

    def _is_new(self, event: Event) -> bool:
        """Whether it was not handed out before the last reconnect."""
        if event.cursor == 0:
            return True
        if self.cursor is not None and event.cursor <= self.cursor:
            return False
        self.cursor = event.cursor
        return True

    async def _next(self) -> Event | None:
        """None where the socket ended."""
        if self._socket is None:
            return None
        came = await self._socket.receive()
        if came.type is not aiohttp.WSMsgType.TEXT:
            return None
        try:
            return Event.model_validate_json(came.data)
        except ValidationError as error:
            raise Strange("An event cannot be understood.") from error

    async def _reconnect(self) -> None:
        pause = FIRST_PAUSE
        await self.close()
        while True:
            try:
                await self.connect()
            except _FINAL:
                raise
            except ClientError as error:
                log.info("client.reconnecting", why=str(error), seconds=pause)
                await self._clock.sleep(pause * (0.5 + self._jitter() / 2))
                pause = min(pause * 2, LONGEST_PAUSE)
            else:
                return


@asynccontextmanager
async def listening(
    wire: Wire,
    project: str,
    *,
    agent: str = "",
    since: int | None = None,
    types: Sequence[str] = (),
    clock: Clock | None = None,
    jitter: Callable[[], float] = random.random,
) -> AsyncIterator[Events]:
    """The events of an agent, or of the whole project; the first connection is open when this is entered."""
    events = Events(wire, project, agent, since, types, clock or SystemClock(), jitter)
    await events.connect()
    try:
        yield events
    finally:
        await events.close()
