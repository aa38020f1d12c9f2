"""A lease on a database: of all processes that ask for the same name, one holds it for as long as it runs."""

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from storage import sql
from storage.background import background
from storage.database import OwnConnection, connect, reaching
from storage.errors import DatabaseTaken, DatabaseUnavailable, LeaseLost

log = structlog.get_logger()

#: seconds between two looks at a silent connection, and between two attempts to get a lost one back
HEARTBEAT = 10.0
RETRY = 0.5

_SQL = sql.load("storage", "lease")


@asynccontextmanager
async def exclusive(url: str, name: str) -> AsyncIterator[None]:
    """Hold the name on this database. Raises DatabaseTaken if another process holds it.

    The lock belongs to a connection of its own. When that breaks it is taken again as soon as PostgreSQL
    answers; if another process was faster, the body is cancelled and LeaseLost leaves.
    """
    lease = _Lease(url, name)
    try:
        if holder := await lease.take():
            raise DatabaseTaken(
                f"another Intercom {name} already uses this database ({holder}); "
                "stop it or name another database in INTERCOM_DATABASE_URL"
            )
        async with background(lease.keep()):
            yield
    finally:
        lease.drop()


def lock_key(name: str) -> int:
    """The number of the advisory lock that stands for the name."""
    return int.from_bytes(hashlib.sha256(f"lease {name}".encode()).digest()[:8], signed=True)


class _Lease:
    def __init__(self, url: str, name: str) -> None:
        self._url = url
        self._name = name
        self._application = f"intercom-{name}-{secrets.token_hex(6)}"
        self._key = lock_key(name)
        self._connection: OwnConnection | None = None
        self._lost = asyncio.Event()

    async def take(self) -> str | None:
        """Connect and take the lock; if somebody has it say who."""
        self.drop()
        self._connection = connection = await connect(self._url, application=self._application)
        self._lost = lost = asyncio.Event()
        connection.add_termination_listener(lambda _: lost.set())
        with reaching():
            # After a broken network PostgreSQL may still believe in our former connection.
            await connection.execute(_SQL["lease.forget"], self._application)
            if await connection.fetchval(_SQL["lease.take"], self._key):
                return None
            holder = await connection.fetchrow(_SQL["lease.holder"], self._key)
        if holder is None:
            return "gone this moment"
        if holder["application"] == self._application:
            raise DatabaseUnavailable("PostgreSQL has not yet ended our former connection")
        return f"{holder['application']} from {holder['address']}"

    async def keep(self) -> None:
        """Return only by raising LeaseLost."""
        while True:
            try:
                await self._watch()
            except DatabaseUnavailable as error:
                log.warning("lease.connection_lost", name=self._name, reason=str(error))
            if holder := await self._retake():
                raise LeaseLost(f"another Intercom {self._name} has taken this database over ({holder})")
            log.info("lease.retaken", name=self._name)

    def drop(self) -> None:
        if self._connection:
            self._connection.terminate()

    async def _watch(self) -> None:
        """Return or raise DatabaseUnavailable once the connection is gone."""
        while self._connection and not self._lost.is_set():
            try:
                async with asyncio.timeout(HEARTBEAT):
                    await self._lost.wait()
            except TimeoutError:
                with reaching():
                    await self._connection.execute(_SQL["lease.heartbeat"], timeout=HEARTBEAT)

    async def _retake(self) -> str | None:
        while True:
            try:
                return await self.take()
            except DatabaseUnavailable:
                await asyncio.sleep(RETRY)
