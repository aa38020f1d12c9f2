"""Reads the figures that stand in tables into the metrics, and measures how late the event loop is."""

import asyncio
from datetime import datetime, timedelta

import structlog

from host.metrics import Metrics
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.errors import DatabaseUnavailable

log = structlog.get_logger()

EVERY = 5.0
TICK = 0.5

_SQL = sql.load("host", "metrics")


class Sampler:
    """Two loops: tables every five seconds, the event loop twice a second."""

    def __init__(self, *, db: Database, metrics: Metrics, clock: Clock) -> None:
        self._db = db
        self._metrics = metrics
        self._clock = clock

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch_loop())
            tasks.create_task(self._watch_tables())

    async def _watch_loop(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + TICK
            await asyncio.sleep(TICK)
            self._metrics.loop_lag.set(max(0.0, loop.time() - due))

    async def _watch_tables(self) -> None:
        since = self._clock.now()
        while True:
            await self._clock.sleep(EVERY)
            try:
                since = await self.sample(since)
            except DatabaseUnavailable as error:
                log.warning("metrics.not_sampled", reason=str(error))

    async def sample(self, since: datetime) -> datetime:
        """Read what happened after `since`; returns until when."""
        now = self._clock.now()
        row = await self._db.fetchrow(_SQL["metrics.now"])
        assert row is not None  # noqa: S101 - a SELECT of scalars always has a row
        oldest = row["oldest_update"]
        self._metrics.inbox_lag.set((now - oldest).total_seconds() if oldest else 0.0)
        self._metrics.outbox_waiting.set(row["posts_waiting"])
        self._metrics.approvals_open.set(row["approvals_open"])
        self._metrics.turns_running.set(row["turns_running"])
        for post in await self._db.fetch(_SQL["metrics.cards_sent"], since, now, since - timedelta(hours=1)):
            took = post["sent_at"] - post["created_at"]
            self._metrics.card_seconds.observe(took.total_seconds())
        return now
