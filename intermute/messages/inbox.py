"""What came to an agent: its inbox, how much of it is unread, and what waits for an acknowledgement."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from asyncpg.protocol import Record

from storage import sql
from storage.clock import Clock
from storage.database import Database

_SQL = sql.load("intermute", "inbox")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    total: int
    unread: int


class Inbox:
    """Reads only. Rows are those of messages, in the order of their cursors."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    async def page(self, project: str, agent: str, since: int, limit: int) -> Sequence[Record]:
        return await self._db.fetch(_SQL["inbox.page"], agent, project, since, limit)

    async def page_of_all(self, agent: str, since: int, limit: int) -> Sequence[Record]:
        """Like `page`, of all projects together."""
        return await self._db.fetch(_SQL["inbox.page_of_all"], agent, since, limit)

    async def topic(self, project: str, topic: str, since: int, limit: int) -> Sequence[Record]:
        """What was said on a topic, to whomever."""
        return await self._db.fetch(_SQL["inbox.topic"], project, topic, since, limit)

    async def counts(self, project: str, agent: str) -> Counts:
        row = await self._db.fetchrow(_SQL["inbox.counts"], agent, project)
        return Counts(total=row["total"], unread=row["unread"]) if row else Counts(total=0, unread=0)

    async def stale(
        self, project: str, agent: str, ttl: timedelta, limit: int, *, since: int = 0
    ) -> Sequence[tuple[Record, int]]:
        """What is to be acknowledged and has waited for `ttl`, oldest first, each with its age in seconds.

        Only what came behind the cursor `since`.
        """
        now = self._clock.now()
        rows = await self._db.fetch(_SQL["inbox.stale"], agent, project, now - ttl, limit, since)
        return [(row, int((now - row["created_at"]).total_seconds())) for row in rows]
