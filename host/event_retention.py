"""Retention of the embedded kernel's log: by the setting, and never ahead of what the news have read."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import structlog

from demarch.embedded import EmbeddedKernel
from demarch.errors import DemarchError
from demarch.kernel import Marks
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId

EVERY = 6 * 3600.0  #: seconds between two looks
ACTOR = "retention"
PROJECT = ""  #: the key of the embedded kernel's one project

log = structlog.get_logger()
_SQL = sql.load("host", "feed")


async def readers(db: Database) -> Sequence[Marks]:
    """How far the news have read; nothing before their first start, which begins at the head."""
    rows = await db.fetch(_SQL["feed.readers"], PROJECT)
    return [{row["source"]: row["mark"] for row in rows}] if rows else []


class EventRetention:
    """Removes what is older than the setting says. Without a setting it does nothing for ever."""

    def __init__(self, kernel: EmbeddedKernel, clock: Clock, new_id: NewId, *, days: int) -> None:
        self._kernel = kernel
        self._clock = clock
        self._new_id = new_id
        self._days = days

    async def run(self) -> None:
        if not self._days:
            await asyncio.Event().wait()
        while True:
            await self.look()
            await self._clock.sleep(EVERY)

    async def look(self) -> None:
        before = self._clock.now() - timedelta(days=self._days)
        try:
            removed = await self._kernel.prune(before, actor=ACTOR, key=f"retention {self._new_id()}")
        except DemarchError as error:
            log.warning("events.not_pruned", reason=str(error))
            return
        if removed:
            log.info("events.pruned", removed=removed, days=self._days)
