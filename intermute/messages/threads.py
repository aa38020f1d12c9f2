"""Conversations: which ones an agent takes part in, and what was said in one."""

from collections.abc import Sequence

from asyncpg.protocol import Record

from storage import sql
from storage.database import Database

NEWEST = 2**63 - 1  #: behind every cursor

_SQL = sql.load("intermute", "threads")


class Threads:
    """Reads only."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def page(self, project: str, agent: str, before: int, limit: int) -> Sequence[Record]:
        """Threads of the agent, the one with the newest message first; `before` 0 begins at the newest."""
        return await self._db.fetch(_SQL["threads.page"], project, agent, before or NEWEST, limit)

    async def messages(self, project: str, thread_id: str, since: int, limit: int) -> Sequence[Record]:
        return await self._db.fetch(_SQL["threads.messages"], project, thread_id, since, limit)
