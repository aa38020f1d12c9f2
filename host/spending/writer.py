"""Stores what is set aside and settled: beside the requests, many rows in one transaction, nothing lost."""

import asyncio
from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

import structlog

from container.broker.port import Unrecorded
from host.spending.words import not_recorded
from storage import sql
from storage.clock import Clock
from storage.database import Database

log = structlog.get_logger()

MOST = 5000  #: reservations not stored yet; beyond that nothing new is let through
PATIENCE = 10.0  #: seconds a request waits for its reservation to be stored
PAUSE = 1.0  #: seconds before a store that failed is tried again
_SQL = sql.load("host", "spending")


class Reserved(NamedTuple):
    """One new row, in the order of its statement."""

    id: UUID
    folder: str
    lane: str
    turn: UUID | None
    runtime: str
    api: str
    model: str
    day: date
    amount: int
    made_at: datetime


class Settled(NamedTuple):
    """How a row ends, in the order of its statement."""

    id: UUID
    state: str
    cost: int
    input: int
    cache_read: int
    cache_write: int
    output: int
    settled_at: datetime


class Writer:
    """One writer for all groups. Rows gather while the transaction before them runs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._reserved: list[Reserved] = []
        self._settled: list[Settled] = []
        self._stored: dict[UUID, asyncio.Event] = {}  #: of what is not stored yet
        self._stir = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._failing = False

    @property
    def refuses(self) -> bool:
        """True while what is let through could not be stored."""
        return self._failing or len(self._stored) >= MOST

    def reserve(self, row: Reserved) -> None:
        self._stored[row.id] = asyncio.Event()
        self._reserved.append(row)
        self._wake()

    def settle(self, row: Settled) -> None:
        self._settled.append(row)
        self._wake()

    async def recorded(self, reservation: UUID) -> None:
        """Return when it is stored. Raises Unrecorded when that takes too long."""
        stored = self._stored.get(reservation)
        if stored is None:
            return
        try:
            async with asyncio.timeout(PATIENCE):
                await stored.wait()
        except TimeoutError:
            raise Unrecorded(not_recorded()) from None

    async def idle(self) -> None:
        """Return when everything is stored."""
        await self._idle.wait()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._stir.wait()
            self._stir.clear()
            await self._write()

    def _wake(self) -> None:
        self._idle.clear()
        self._stir.set()

    async def _write(self) -> None:
        """One transaction of all there is; what cannot be stored waits in front of what comes next."""
        reserved, self._reserved = self._reserved, []
        settled, self._settled = self._settled, []
        try:
            await self._store(reserved, settled)
        except Exception as error:  # noqa: BLE001 - whatever it was, what is spent must not be forgotten
            self._failing = True
            self._reserved[:0], self._settled[:0] = reserved, settled
            log.warning("spending.not_stored", rows=len(self._reserved), reason=str(error))
            await self._clock.sleep(PAUSE)
            self._stir.set()
            return
        self._failing = False
        for row in reserved:
            self._stored.pop(row.id).set()
        if not self._reserved and not self._settled:
            self._idle.set()

    async def _store(self, reserved: Sequence[Reserved], settled: Sequence[Settled]) -> None:
        async with self._database.transaction() as conn:
            if reserved:
                await conn.executemany(_SQL["spending.reserve"], reserved)
            if settled:
                await conn.executemany(_SQL["spending.settle"], settled)
