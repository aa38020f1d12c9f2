"""Group commit of the kernel's writes: those that come at the same time share a transaction and its commit.

How they come together is `storage.grouping`. Here is what a batch does: all of it in one transaction, without
savepoints as long as nothing is refused.
"""

from collections.abc import Sequence
from operator import attrgetter

from demarch.embedded.entries import CONTENTION, Entries, Entry, Result, Spoiled
from demarch.kernel import Outcome
from storage.database import Database
from storage.grouping import Grouping

LANES = 3  #: while one commits, others work
MOST = 64  #: writes in one batch; those behind it are not held up for long
CAUTION = 20  #: batches in which every write has a savepoint, after one without them was spoiled


class Batches:
    """Executes entries, together where they come together."""

    def __init__(self, db: Database, entries: Entries) -> None:
        self._db = db
        self._entries = entries
        self._grouping: Grouping[Entry, Outcome] = Grouping(
            self._verdicts, attrgetter("key"), lanes=LANES, most=MOST
        )
        self._guarded = 0  #: for how many batches more

    @property
    def waiting(self) -> int:
        """How many writes wait for a lane."""
        return len(self._grouping.waiting)

    async def execute(self, entry: Entry) -> Outcome | None:
        """What it did, or what refused it; None when it has to be tried alone."""
        return await self._grouping.execute(entry)

    async def _verdicts(self, entries: Sequence[Entry]) -> Sequence[Result | None]:
        return [
            None if isinstance(result, CONTENTION) else result for result in await self._together(entries)
        ]

    async def _together(self, entries: Sequence[Entry]) -> Sequence[Result]:
        alone = len(entries) == 1
        if alone or not self._guarded:
            try:
                async with self._db.transaction() as conn:
                    return await self._entries.several(conn, entries, guarded=False)
            except Spoiled as spoiled:
                if alone:
                    raise spoiled.error from None
                self._guarded = CAUTION
        self._guarded = max(self._guarded - 1, 0)
        async with self._db.transaction() as conn:
            return await self._entries.several(conn, entries, guarded=True)
