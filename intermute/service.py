"""The whole service, wired: what it knows, what it serves, and what it does by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from intermute.events.journal import Journal
from intermute.http import health
from intermute.http.app import App
from intermute.http.endpoint import AnyEndpoint, Socket
from intermute.http.guard import Guard
from intermute.http.server import Listening, listen
from intermute.keys import Keyring
from intermute.limits import Limits, LiveRules, Retention
from intermute.patience import Patience
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


async def _nobody(_token: str) -> str | None:
    return None


class Service:
    def __init__(self, given: Given) -> None:
        self.given = given
        self.journal = Journal(given.db, given.clock)
        endpoints: list[AnyEndpoint] = [*health.endpoints(given.db)]
        sockets: list[Socket] = []
        self._app = App(endpoints, sockets, guard=Guard(given.keyring, _nobody), patience=Patience())

    @classmethod
    @asynccontextmanager
    async def open(cls, given: Given) -> AsyncIterator["Service"]:
        """Build it, ready to serve; nothing runs by itself before `run`."""
        yield cls(given)

    async def run(self) -> None:
        """What the service does by itself, until cancelled."""
        await asyncio.Event().wait()

    def serve(
        self, *, host: str = "127.0.0.1", port: int = 7338, socket: Path | None = None
    ) -> AbstractAsyncContextManager[Listening]:
        """Answer requests until leave. Raises OSError where the port or the socket cannot be had."""
        return listen(
            self._app, host=host, port=port, socket=socket, connections=self.given.limits.connections
        )
