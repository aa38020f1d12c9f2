"""Reads what happened from the log, in stretches that cost a bounded amount of work each."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg.protocol import Record

from intermute.events.event import Event
from storage import sql
from storage.database import Database

LOOKED_AT = 1000  #: events of the project that one stretch looks at
AT_ONCE = 3  #: stretches read at the same time
FETCHED = 500  #: events that a tail fetches at once

_SQL = sql.load("intermute", "journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """`events` are those asked for up to the cursor `through`; `more`: what lies behind was not looked at."""

    events: Sequence[Event]
    through: int
    more: bool


class History:
    """The log in the database."""

    def __init__(self, db: Database) -> None:
        self._db = db
        # Everybody comes back at once when a service was away; senders need connections meanwhile.
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def head(self) -> int:
        """The cursor of the last event there is."""
        head: int = await self._db.fetchval(_SQL["journal.head"])
        return head

    async def oldest(self) -> int:
        """The cursor of the oldest event that is still there; 0 where there is none."""
        oldest: int = await self._db.fetchval(_SQL["journal.oldest"])
        return oldest

    async def after(self, cursor: int, through: int) -> Sequence[Event]:
        """Events of all projects after the cursor, the first of them when there are many."""
        return [_event(row) for row in await self._db.fetch(_SQL["journal.after"], cursor, through, FETCHED)]

    async def stretch(
        self,
        project: str,
        *,
        after: int,
        through: int | None = None,
        agent: str = "",
        types: Sequence[str] | None = None,
        limit: int = 200,
    ) -> Stretch:
        """What the agent may hear of a project, or everything there where no agent is named."""
        types = None if types is None else list(types)
        arguments = (project, after, through, agent or None, types, LOOKED_AT, limit)
        async with self._turns:
            *rows, last = await self._db.fetch(_SQL["journal.stretch"], *arguments)
        events = [_event(row) for row in rows]
        full = len(events) == limit
        reached = events[-1].cursor if full else max(after, last["cursor"])
        return Stretch(events=events, through=reached, more=full or last["more"])


def _event(row: Record) -> Event:
    audience = row["audience"]
    return Event(
        cursor=row["cursor"],
        project=row["project"],
        type=row["type"],
        audience=None if audience is None else tuple(audience),
        data=row["data"],
        at=row["at"],
    )
