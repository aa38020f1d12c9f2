"""The service that runs: its rooms, who may enter them, and what it does by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from intermute.caller import Mode
from intermute.http import health, interface
from intermute.http.app import App
from intermute.http.endpoint import AnyEndpoint
from intermute.http.guard import Guard
from intermute.http.metrics import Meters
from intermute.http.open_files import make_room
from intermute.http.openapi import Document
from intermute.http.seats import Seats
from intermute.http.server import Bounds, Doorway, Listening, listen
from intermute.http.sockets import Sockets
from intermute.patience import Patience
from intermute.rooms import Given as Given
from intermute.rooms import Rooms


class Service(Rooms):
    """Open it, `run` it, and `serve` it on as many addresses as wanted."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.given = given
        self.meters = Meters()
        self._patience = Patience(randomness=given.randomness, deadline=given.deadline)
        self._seats = Seats(given.limits.sockets)
        self._live = Sockets(self.feed, self.guards, self._seats, given.clock)
        self._app = self._build()
        self._doorways: set[Doorway] = set()
        self._refused = 0
        self._watch()

    @classmethod
    @asynccontextmanager
    async def open(cls, given: Given) -> AsyncIterator["Service"]:
        """Build it, ready to serve; nothing runs by itself before `run`. Raises DatabaseUnavailable."""
        service = cls(given)
        await service.feed.begin()
        async with service._patience.open():
            yield service

    async def run(self) -> None:
        """What the service does by itself, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.guards.run())
            tasks.create_task(self.feed.run())
            tasks.create_task(self._live.run())
            tasks.create_task(self.sweeper.run())
            tasks.create_task(self.mailroom.indexer.run())
            tasks.create_task(self.pruner.run())

    @asynccontextmanager
    async def serve(
        self, *, host: str = "127.0.0.1", port: int = 7338, socket: Path | None = None
    ) -> AsyncIterator[Listening]:
        """Answer requests until leave. Raises OSError where the port or the socket cannot be had."""
        doorway = Doorway(self._app, Bounds(connections=make_room(self.given.limits.connections)))
        try:
            async with listen(
                doorway, host=host, port=port, path=socket, leaving=self._seats.shut
            ) as listening:
                self._seats.open()
                self._doorways.add(doorway)
                yield listening
        finally:
            if doorway in self._doorways:
                self._doorways.discard(doorway)
                self._refused += doorway.refused
            if self._doorways:
                self._seats.open()  # listeners of another address were sent away too, and may come again

    async def reload_keys(self) -> None:
        """Read the keys file again. Raises BadKeys, OSError: then the old keys stay in force."""
        keyring = self.given.keyring
        before = keyring.keys
        await keyring.reload()
        lost, local = before.lost(keyring.keys), keyring.keys.local_without_key
        self._seats.revoke(
            lambda caller: (
                caller.project in lost if caller.mode is Mode.KEY else caller.mode is Mode.LOCAL and not local
            )
        )

    def metrics_text(self) -> bytes:
        """What `/metrics` says."""
        return self.meters.text()

    def _build(self) -> App:
        document = Document()
        endpoints: list[AnyEndpoint] = [
            *health.endpoints(self.given.db, self._patience, self.meters),
            *document.endpoints(),
            *interface.endpoints(self, self._seats),
        ]
        sockets = interface.sockets(self._live)
        document.describe(endpoints, sockets)
        guard = Guard(self.given.keyring, self.guards.owner_of, self._patience)
        return App(endpoints, sockets, guard=guard, patience=self._patience, meters=self.meters)

    def _watch(self) -> None:
        meters, patience, feed, seats = self.meters, self._patience, self.feed, self._seats
        meters.gauge("connections", "Connections open", self._connections)
        meters.counter("connections_refused", "Connections beyond the limit", self._refusals)
        meters.counter("storage_faults", "Requests the database failed", lambda: patience.faults)
        meters.gauge("breaker_open", "1 while writes wait for the database", lambda: patience.breaker.open)
        meters.gauge("listeners", "WebSockets and streams open", lambda: seats.taken)
        meters.counter("frames", "Events told to listeners", lambda: feed.hub.told)
        meters.counter("listeners_let_go", "Listeners that fell behind", lambda: feed.hub.let_go)
        meters.gauge("cursor", "The last event this process has seen", lambda: feed.tail.position)
        postbox = self.mailroom.postbox
        meters.counter("messages", "Messages kept", lambda: postbox.kept)
        meters.counter("message_commits", "Commits that kept them", lambda: postbox.commits)
        meters.gauge("messages_waiting", "Messages that wait for a commit", lambda: postbox.waiting)
        terminals = self.live.post
        meters.counter("live_typed", "Messages typed into terminals", lambda: terminals.typed)
        meters.counter("live_missed", "Terminals that could not be typed into", lambda: terminals.missed)

    def _connections(self) -> int:
        return sum(doorway.connections for doorway in self._doorways)

    def _refusals(self) -> int:
        return self._refused + sum(doorway.refused for doorway in self._doorways)
