"""The whole service, wired: what it knows, what it serves, and what it does by itself."""

import asyncio
import random
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from intermute.agents.guards import Guards
from intermute.agents.standings import Standings
from intermute.events.journal import Journal
from intermute.http import health
from intermute.http.app import App
from intermute.http.endpoint import AnyEndpoint, Socket
from intermute.http.guard import Guard
from intermute.http.metrics import Meters
from intermute.http.openapi import Document
from intermute.http.server import Bounds, Doorway, Listening, listen
from intermute.keys import Keyring
from intermute.limits import Limits, LiveRules, Retention
from intermute.patience import DEADLINE, Patience
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId
from storage.wakeups import Wakeups


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What the service is built on and told."""

    db: Database
    wakeups: Wakeups
    clock: Clock
    new_id: NewId
    keyring: Keyring = field(default_factory=Keyring)
    limits: Limits = field(default_factory=Limits)
    retention: Retention = field(default_factory=Retention)
    live: LiveRules = field(default_factory=LiveRules)
    deadline: float = DEADLINE  #: seconds for a request
    random_bytes: Callable[[int], bytes] = secrets.token_bytes
    randomness: Callable[[], float] = random.random


class Service:
    """Its attributes are the rooms: whoever runs it in the same process may ask them directly."""

    def __init__(self, given: Given) -> None:
        self.given = given
        db, clock = given.db, given.clock
        self.meters = Meters()
        self._patience = Patience(randomness=given.randomness, deadline=given.deadline)
        self.journal = Journal(db, clock)
        self.standings = Standings(db)
        self.guards = Guards(db, clock, self.standings)
        self._app = App(
            self._endpoints(),
            self._sockets(),
            guard=Guard(given.keyring, self.guards.owner_of, self._patience),
            patience=self._patience,
            meters=self.meters,
        )
        self._watch()

    def _endpoints(self) -> list[AnyEndpoint]:
        document = Document()
        endpoints = [
            *health.endpoints(self.given.db, self._patience, self.meters),
            *document.endpoints(),
        ]
        document.describe(endpoints, self._sockets())
        return endpoints

    def _sockets(self) -> list[Socket]:
        return []

    @classmethod
    @asynccontextmanager
    async def open(cls, given: Given) -> AsyncIterator["Service"]:
        """Build it, ready to serve; nothing runs by itself before `run`. Raises DatabaseUnavailable."""
        service = cls(given)
        async with service._patience.open():
            yield service

    async def run(self) -> None:
        """What the service does by itself, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.guards.run())

    @asynccontextmanager
    async def serve(
        self, *, host: str = "127.0.0.1", port: int = 7338, socket: Path | None = None
    ) -> AsyncIterator[Listening]:
        """Answer requests until leave. Raises OSError where the port or the socket cannot be had."""
        doorway = Doorway(self._app, Bounds(connections=self.given.limits.connections))
        self.meters.gauge("connections", "Connections open", lambda: doorway.connections)
        self.meters.counter("connections_refused", "Connections beyond the limit", lambda: doorway.refused)
        async with listen(doorway, host=host, port=port, path=socket, leaving=self._leave) as listening:
            yield listening

    async def reload_keys(self) -> None:
        """Read the keys file again. Raises BadKeys, OSError: then the old keys stay in force."""
        await self.given.keyring.reload()

    def metrics_text(self) -> bytes:
        """What `/metrics` says."""
        return self.meters.text()

    def _leave(self) -> None:
        """No new connection comes any more: ask the long ones to end."""

    def _watch(self) -> None:
        patience = self._patience
        self.meters.counter("storage_faults", "Requests the database failed", lambda: patience.faults)
        self.meters.gauge(
            "breaker_open", "1 while writes wait for the database", lambda: patience.breaker.open
        )
