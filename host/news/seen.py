"""What has been seen and told of active runs, so that events and the watch together tell each thing once."""

from collections.abc import Collection
from datetime import datetime

from demarch.kernel import Run
from storage import sql
from storage.database import Connection, Database

_SQL = sql.load("host", "news")


class Seen:
    """Methods with a connection belong to the caller's transaction, which tells what they say is new."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def in_phase(self, conn: Connection, project: str, run: Run, now: datetime) -> datetime:
        """Since when the run is in its phase, as far as anybody knows; its row is locked from here on."""
        since = run.phase_at or min(run.updated_at, now)
        row = await conn.fetchrow(_SQL["news.watch"], project, run.id, run.phase, since)
        known: datetime = since if row is None else row["since"]
        return run.phase_at or known

    async def stale(self, conn: Connection, project: str, run: Run) -> bool:
        """True the first time in a phase."""
        return await conn.fetchval(_SQL["news.tell_stale"], project, run.id) is not None

    async def warned(self, conn: Connection, project: str, run: Run, now: datetime) -> bool:
        """True the first time for this size of the budget."""
        return await self._first(conn, "news.tell_warned", project, run, now)

    async def exceeded(self, conn: Connection, project: str, run: Run, now: datetime) -> bool:
        """The same; whoever was told that it is used up needs no warning any more."""
        return await self._first(conn, "news.tell_exceeded", project, run, now)

    async def knows_exceeded(self, project: str, run: Run) -> bool:
        """Without a lock: whether it has been told for this size of the budget."""
        told = await self._database.fetchval(_SQL["news.exceeded"], project, run.id)
        return bool(told == run.budget)

    async def runs(self, project: str) -> frozenset[str]:
        """Those of which anything is known."""
        rows = await self._database.fetch(_SQL["news.seen_runs"], project)
        return frozenset(row["run"] for row in rows)

    async def forget(self, project: str, runs: Collection[str]) -> None:
        await self._database.execute(_SQL["news.forget_runs"], project, list(runs))

    async def _first(self, conn: Connection, statement: str, project: str, run: Run, now: datetime) -> bool:
        since = run.phase_at or min(run.updated_at, now)
        told = await conn.fetchval(_SQL[statement], project, run.id, run.phase, since, run.budget)
        return told is not None
