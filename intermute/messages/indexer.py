"""Puts the words of messages down for the search, behind the sends and never in their way.

A search reads what has no words yet by itself, so nothing is missed meanwhile; it only takes longer. While
many messages come, the words wait until they stop coming, up to `LAG` messages.
"""

import asyncio
from collections.abc import Sequence

import structlog

from intermute.events.event import Event
from intermute.events.journal import Journal
from storage import sql
from storage.clock import Clock
from storage.database import Database

log = structlog.get_logger()

PIECE = 250  #: messages in one statement: some 20 ms of one core
REST = 1.0  #: seconds between two looks
BUSY = 200  #: events between two looks that are work enough
LAG = 20_000  #: messages a search reads without words in about a second
#: how often as long as a piece took nothing is done after it: with more to do than that, as long only
IDLE, HURRIED = 3, 1
LOST = 5.0  #: seconds after a fault

_SQL = sql.load("intermute", "search")


class Indexer:
    """`run` is its loop. Several processes on one database take turns."""

    def __init__(self, db: Database, journal: Journal, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._wake = asyncio.Event()
        self._wake.set()  # what was sent while nobody ran
        self._events = 0
        journal.subscribe(self._on_committed)

    def _on_committed(self, events: Sequence[Event]) -> None:
        self._events += len(events)
        self._wake.set()

    async def run(self) -> None:
        """Ends when cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            self._events = 0
            await self._clock.sleep(REST)
            leaving = LAG if self._events > BUSY else 0
            try:
                await self._catch_up(leaving)
            except Exception:  # the search finds words without us; the loop must survive a fault
                log.exception("words.not_put_down")
                self._wake.set()
                await self._clock.sleep(LOST)

    async def _catch_up(self, leaving: int) -> None:
        loop = asyncio.get_running_loop()
        begun = loop.time()
        while await self.put_down(leaving):
            idle = HURRIED if leaving else IDLE
            await self._clock.sleep(idle * (loop.time() - begun))
            begun = loop.time()

    async def put_down(self, leaving: int = 0) -> bool:
        """The words of one piece, unless at most `leaving` messages are left. Whether there may be more."""
        if int(await self._db.fetchval(_SQL["search.behind"])) <= leaving:
            return False
        return int(await self._db.fetchval(_SQL["search.put_down"], PIECE)) == PIECE
