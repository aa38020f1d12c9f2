"""Removes what is older than the operator's policy says, a little at a time and never in the way of requests.

A message stays, however old it is, as long as an agent that is still there has it to read or to acknowledge.
Of the events about an entity that is still there the last whole picture stays: the log is compacted, and
whoever reads it from the beginning learns how everything is now.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import structlog

from intermute.entities import features
from intermute.limits import Retention
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database

EVERY = 6 * 3600.0  #: seconds between two passes of the service
MESSAGES = 200  #: in one transaction; senders wait for it
ROWS = 2000  #: in one transaction of those nobody waits for
TRIES = 20  #: when requests hold what we want
PAUSE = 0.5  #: seconds between two tries

#: events that hold a link instead of the whole entity
_LINKS = ["insight.linked", features.LINKED, features.UNLINKED]
_SQL = sql.load("intermute", "retention")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Removed:
    """How many of each kind went."""

    messages: int = 0
    events: int = 0
    reservations: int = 0

    def __bool__(self) -> bool:
        return bool(self.messages or self.events or self.reservations)


class _Busy(Exception):
    """Another process removes things at this moment."""


class _Rehearsed(Exception):
    """Ends a transaction whose work is not wanted."""


class Pruner:
    """One policy on one database."""

    def __init__(self, db: Database, clock: Clock, retention: Retention) -> None:
        self._db = db
        self._clock = clock
        self._retention = retention

    @property
    def idle(self) -> bool:
        """Whether everything is kept for ever."""
        kept = self._retention
        return not (kept.messages or kept.events or kept.reservations)

    async def run(self) -> None:
        """A pass now and every few hours, until cancelled. Without a policy it does nothing for ever."""
        while not self.idle:
            try:
                await self.prune()
            except Exception:  # the next pass may find the database again
                log.exception("retention.failed")
            await self._clock.sleep(EVERY)
        await asyncio.Event().wait()

    async def prune(self, *, rehearse: bool = False) -> Removed:
        """Remove what the policy says, unless another process is at it; `rehearse` only counts."""
        kept = self._retention
        removed = Removed(
            messages=await self._messages(kept.messages, rehearse=rehearse),
            events=await self._events(kept.events, rehearse=rehearse),
            reservations=await self._reservations(kept.reservations, rehearse=rehearse),
        )
        if removed and not rehearse:
            log.info(
                "retention.pruned",
                messages=removed.messages,
                events=removed.events,
                reservations=removed.reservations,
            )
        return removed

    async def compact(self, removed: Removed) -> None:
        """Let the room of what was removed be used again at once, not when the database gets to it."""
        for name in ("messages", "events", "reservations"):
            if getattr(removed, name):
                await self._db.execute(_SQL[f"retention.vacuum_{name}"])

    async def _messages(self, days: int, *, rehearse: bool) -> int:
        return await self._walk("messages", days, MESSAGES, rehearse=rehearse)

    async def _events(self, days: int, *, rehearse: bool) -> int:
        return await self._walk("events", days, ROWS, _LINKS, rehearse=rehearse)

    async def _walk(self, what: str, days: int, most: int, *rest: Any, rehearse: bool) -> int:
        """Go through the old end in the order of cursors: what must stay is passed by."""
        removed, reached = 0, 0
        before = self._before(days)
        while before is not None:
            row = await self._slice(what, (reached, before, most, *rest), rehearse=rehearse)
            if row is None or row["reached"] is None:
                break
            removed += row["removed"]
            reached = row["reached"]
            if not row["old"]:
                break
        return removed

    async def _reservations(self, days: int, *, rehearse: bool) -> int:
        removed = 0
        before = self._before(days)
        at, name = datetime.min.replace(tzinfo=UTC), ""
        while before is not None:
            row = await self._slice("reservations", (at, before, ROWS, name), rehearse=rehearse)
            if row is None:
                break
            removed += row["removed"]
            at, name = row["reached_at"], row["reached_id"]
        return removed

    async def _slice(self, what: str, values: tuple[Any, ...], *, rehearse: bool) -> Any:
        """One transaction of the work; None when there is nothing more, or somebody else does it."""
        for _ in range(TRIES):
            try:
                async with self._alone(rehearse=rehearse) as conn:
                    if what == "messages":
                        await conn.execute(_SQL["retention.counter"])
                    row = await conn.fetchrow(_SQL[f"retention.{what}"], *values)
                    if row is not None and row.get("threads"):
                        await conn.execute(_SQL["retention.threads"], row["threads"])
                        await conn.execute(_SQL["retention.empty_threads"], row["threads"])
                    return row
            except _Busy:
                log.info("retention.done_elsewhere")
                return None
            except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
                await self._clock.sleep(PAUSE)
        log.warning("retention.gave_way", what=what)
        return None

    @asynccontextmanager
    async def _alone(self, *, rehearse: bool) -> AsyncIterator[Connection]:
        try:
            async with self._db.transaction() as conn:
                if not await conn.fetchval(_SQL["retention.alone"]):
                    raise _Busy
                await conn.execute(_SQL["retention.patience"])
                await conn.execute(_SQL["retention.by_index"])
                yield conn
                if rehearse:
                    raise _Rehearsed
        except _Rehearsed:
            pass

    def _before(self, days: int) -> datetime | None:
        return self._clock.now() - timedelta(days=days) if days else None
