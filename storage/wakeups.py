"""Wake-ups between processes: LISTEN on one connection of its own, with a slow poll as the truth.

A notification only shortens the wait. The tables are the truth: whoever is woken without a payload looks at
everything, and that happens when the poll comes due, when LISTEN has just begun (also after a lost
connection) and when more payloads arrived than a subscriber keeps.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog

from storage import sql
from storage.background import background
from storage.clock import Clock
from storage.database import Connection, OwnConnection, connect, reaching
from storage.errors import DatabaseUnavailable

log = structlog.get_logger()

APPLICATION = "intercom-wakeups"
#: payloads kept for a subscriber between two of its waits
KEPT = 256
#: seconds after which a silent connection is asked whether it is still there
HEARTBEAT = 30.0
BACKOFF = (0.1, 0.3, 1.0, 3.0, 5.0)

_SQL = sql.load("storage", "wakeups")


class Wakeup:
    """One subscriber to one channel. Only one task may wait on it."""

    def __init__(self, channel: str, wakeups: "Wakeups") -> None:
        self.channel = channel
        self._wakeups = wakeups
        self._payloads: list[str] = []
        self._all = False
        self._ready = asyncio.Event()

    async def wait(self, clock: Clock, poll_every: float) -> list[str]:
        """The payloads since the last wait, or [] for "look at everything", `poll_every` at the latest."""
        if not self._ready.is_set():
            async with asyncio.TaskGroup() as tasks:
                poll = tasks.create_task(clock.sleep(poll_every))
                poll.add_done_callback(self._on_poll)
                await self._ready.wait()
                poll.cancel()
        self._ready.clear()
        payloads, self._payloads = self._payloads, []
        everything, self._all = self._all, False
        return [] if everything else payloads

    def _on_poll(self, poll: asyncio.Task[None]) -> None:
        if not poll.cancelled():
            self._ready.set()

    def close(self) -> None:
        """Hear no more."""
        self._wakeups.forget(self)

    def notified(self, payload: str) -> None:
        if len(self._payloads) >= KEPT:
            self._all = True
        if not self._all:
            self._payloads.append(payload)
        self._ready.set()

    def look(self) -> None:
        """Wake without a payload."""
        self._all = True
        self._payloads.clear()
        self._ready.set()


class Wakeups:
    """All subscribers of this process and the one connection that listens for them."""

    def __init__(self, url: str, connection: OwnConnection) -> None:
        self._url = url
        self._connection = connection
        self._subscribers: dict[str, set[Wakeup]] = {}
        self._listening: set[str] = set()
        self._changed = asyncio.Event()

    @classmethod
    @asynccontextmanager
    async def open(cls, url: str) -> AsyncIterator["Wakeups"]:
        """Listen until leave. Only the first connection must succeed, later ones are tried again for ever."""
        wakeups = cls(url, await connect(url, application=APPLICATION))
        try:
            async with background(wakeups._run()):
                yield wakeups
        finally:
            wakeups._connection.terminate()

    def subscribe(self, channel: str) -> Wakeup:
        """Hear a channel. The first wait returns [] as soon as LISTEN is in force."""
        wakeup = Wakeup(channel, self)
        self._subscribers.setdefault(channel, set()).add(wakeup)
        if channel in self._listening:
            wakeup.look()
        self._changed.set()
        return wakeup

    def forget(self, wakeup: Wakeup) -> None:
        subscribers = self._subscribers.get(wakeup.channel, set())
        subscribers.discard(wakeup)
        if not subscribers:
            self._subscribers.pop(wakeup.channel, None)
            self._changed.set()

    async def _run(self) -> None:
        while True:
            try:
                await self._listen(self._connection)
            except DatabaseUnavailable as error:
                log.warning("wakeups.lost", reason=str(error))
            self._listening.clear()
            self._connection.terminate()
            self._connection = await self._reconnect()

    async def _listen(self, connection: OwnConnection) -> None:
        """Keep the connection's LISTENs equal to the subscriptions until it is lost."""
        connection.add_termination_listener(self._on_loss)
        while True:
            self._changed.clear()
            with reaching():
                await self._adjust(connection)
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await self._changed.wait()
            except TimeoutError:
                pass
            with reaching():
                await connection.fetchval(_SQL["wakeups.heartbeat"], timeout=HEARTBEAT)

    async def _adjust(self, connection: OwnConnection) -> None:
        for channel in self._subscribers.keys() - self._listening:
            await connection.add_listener(channel, self._on_notification)
            self._listening.add(channel)
            for wakeup in self._subscribers.get(channel, ()):
                wakeup.look()
        for channel in self._listening - self._subscribers.keys():
            self._listening.discard(channel)
            await connection.remove_listener(channel, self._on_notification)

    async def _reconnect(self) -> OwnConnection:
        attempt = 0
        while True:
            await asyncio.sleep(BACKOFF[min(attempt, len(BACKOFF) - 1)])
            attempt += 1
            try:
                return await connect(self._url, application=APPLICATION)
            except DatabaseUnavailable as error:
                log.warning("wakeups.unreachable", reason=str(error), attempt=attempt)

    def _on_notification(self, _connection: Any, _pid: int, channel: str, payload: object) -> None:
        for wakeup in self._subscribers.get(channel, ()):
            wakeup.notified(str(payload))

    def _on_loss(self, _connection: Any) -> None:
        self._changed.set()


async def notify(connection: Connection, channel: str, payload: str = "") -> None:
    """Wake the channel's subscribers in all processes when the caller's transaction commits."""
    await connection.execute(_SQL["wakeups.notify"], channel, payload)
