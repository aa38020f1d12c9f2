"""Ends what is over: reservations past their time, places in line given up, what dead agents hold.

Of several replicas one sweeps at a time. An agent is dead when nothing was heard of it for the grace period;
but a service that was not there to listen (started, stopped for a while, on a machine that slept or whose
clock was set) gives everybody that time again.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from intermute.events.journal import Journal
from intermute.limits import Limits
from intermute.reservations.ruling import Ruling
from storage import sql
from storage.clock import Clock
from storage.database import Database

log = structlog.get_logger()

LATE = timedelta(seconds=30)  #: so much later than planned, and we were not there to listen
GONE = 200  #: dead agents of a project that one transaction deals with
SHORTEST = 0.05  #: seconds between two sweeps

_SQL = sql.load("intermute", "reservations", "waiting")


class Sweeper:
    """`run` is the loop."""

    def __init__(self, db: Database, journal: Journal, clock: Clock, limits: Limits) -> None:
        self._db = db
        self._journal = journal
        self._clock = clock
        self._limits = limits
        self._listening_since: datetime | None = None
        self._expected: datetime | None = None

    async def run(self) -> None:
        while True:
            pause = self._limits.sweep_every.total_seconds()
            try:
                await self.sweep()
                pause = await self.pause()
            except Exception as error:  # noqa: BLE001 - a database that is away comes back
                log.warning("reservations.not_swept", reason=str(error) or type(error).__name__)
            self._expected = self._clock.now() + timedelta(seconds=pause)
            await self._clock.sleep(pause)

    async def sweep(self) -> int:
        """End what is over. Answers in how many projects there was something."""
        now = self._clock.now()
        gone = self._gone_before(now)
        swept = 0
        for row in await self._db.fetch(_SQL["reservations.due"], now, gone, GONE):
            if not await self._sweep(row["project"], gone, row["gone"]):
                break
            swept += 1
        return swept

    async def pause(self) -> float:
        """Seconds until something is over, but not for long."""
        longest = self._limits.sweep_every.total_seconds()
        due = await self._db.fetchval(_SQL["reservations.next"])
        if due is None:
            return longest
        left: float = (due - self._clock.now()).total_seconds()
        return min(max(left, SHORTEST), longest)

    def _gone_before(self, now: datetime) -> datetime | None:
        """Whoever was last heard of before then is dead. None while we cannot know."""
        late = self._expected is not None and abs(now - self._expected) > LATE
        if self._listening_since is None or late or now < self._listening_since:
            self._listening_since = now
        self._expected = now + self._limits.sweep_every
        known = now - self._listening_since >= self._limits.grace
        return now - self._limits.grace if known else None

    async def _sweep(self, project: str, gone: datetime | None, agents: Sequence[str]) -> bool:
        """`agents` were not heard of since `gone`. False: another replica sweeps."""
        await self._journal.ensure_project(project)
        async with self._journal.writing() as entry:
            if not await entry.conn.fetchval(_SQL["reservations.sweeping"]):
                return False
            ruling = await Ruling.open(entry, project, self._limits, self._clock)
            if agents:
                over = (project, ruling.now, gone, agents)
                ruling.end(await entry.conn.fetch(_SQL["reservations.end_gone"], *over))
                ruling.leave(await entry.conn.fetch(_SQL["waiting.leave_gone"], project, gone, agents))
            await ruling.settle()
            await ruling.write()
        log.info("reservations.swept", project=project, agents_gone=len(agents))
        return True
