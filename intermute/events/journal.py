"""Writes events in the transaction of what they tell of, and tells this process once that is committed."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from intermute.events.event import Event, NewEvent
from intermute.events.frames import slim
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database

CHANNEL = "intermute_events"  #: wakes other processes on the same database; its payload is the last cursor
KNOWN = 10_000  #: projects remembered as existing

_SQL = sql.load("intermute", "journal")

#: called after each commit of this process, now and then not in the order of cursors; must not wait
Committed = Callable[[Sequence[Event]], None]


class Entry:
    """One transaction under way. Its `conn` is for the caller's own statements."""

    def __init__(self, conn: Connection, clock: Clock) -> None:
        self.conn = conn
        self._clock = clock
        self.events: list[Event] = []

    async def tell(self, events: Sequence[NewEvent]) -> Sequence[Event]:
        """Number and write the events. Everything else that locks comes before this."""
        if not events:
            return ()
        now = self._clock.now()
        events = [_slim(event) for event in events]
        first = await self.conn.fetchval(_SQL["journal.append"], [event.row() for event in events], now)
        told = numbered(events, first, now)
        self.events += told
        return told


class Journal:
    """The one way to write events. `heard` are told after each commit."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._heard: list[Committed] = []
        self._projects: set[str] = set()

    def subscribe(self, committed: Committed) -> None:
        self._heard.append(committed)

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Entry]:
        """One transaction: committed on leave, rolled back on an exception."""
        async with self._db.transaction() as conn:
            entry = Entry(conn, self._clock)
            yield entry
        self.committed(entry.events)

    def committed(self, events: Sequence[Event]) -> None:
        """For writers with a statement of their own that numbers events like `journal.append`."""
        if events:
            for committed in self._heard:
                committed(events)

    async def ensure_project(self, name: str) -> None:
        """Make sure the project has its row; before the transaction that needs it."""
        if name in self._projects:
            return
        await self._db.execute(_SQL["journal.project"], name, self._clock.now())
        if len(self._projects) >= KNOWN:
            self._projects.clear()
        self._projects.add(name)


def _slim(event: NewEvent) -> NewEvent:
    return replace(event, data=slim(event.data)) if "data" in event.data else event


def numbered(events: Sequence[NewEvent], before: int, now: datetime) -> list[Event]:
    """The events as they are on record when the counter stood at `before`."""
    return [
        Event(
            cursor=before + number,
            project=event.project,
            type=event.type,
            audience=None if event.audience is None else tuple(event.audience),
            data=event.data,
            at=now,
        )
        for number, event in enumerate(events, start=1)
    ]
