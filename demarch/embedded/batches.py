"""Group commit: writes of one process that come at the same time share a transaction and its commit.

Nobody waits for company. A write that finds a lane free leads a batch at once, with whatever else waits by
then; what comes while all lanes are busy is the next batch. A lane is a transaction under way, and leading is
done by the writer's own task, so nothing runs in the background and everybody leads once at most.

Whatever breaks a batch as a whole (its leader is cancelled, the connection is lost, a lock does not come) has
no say about the others in it: each of them goes on alone, and its key tells what has happened already. The
same holds for a caller that is cancelled while its write is in somebody's batch: it may go through.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from enum import Enum, auto
from typing import TypeAlias

from demarch.embedded.entries import CONTENTION, Entries, Entry, Result, Spoiled
from demarch.kernel import Outcome
from storage.database import Database

LANES = 3  #: while one commits, others work
MOST = 64  #: writes in one batch; those behind it are not held up for long
CAUTION = 20  #: batches in which every write has a savepoint, after one without them was spoiled


class _Turn(Enum):
    LEAD = auto()
    ALONE = auto()


_Told: TypeAlias = "asyncio.Future[Outcome | _Turn]"


class Batches:
    """Executes entries, together where they come together."""

    def __init__(self, db: Database, entries: Entries) -> None:
        self._db = db
        self._entries = entries
        self.waiting: deque[tuple[Entry, _Told]] = deque()
        self._busy = 0  #: lanes
        self._guarded = 0  #: for how many batches more

    async def execute(self, entry: Entry) -> Outcome | None:
        """What it did, or what refused it; None when it has to be tried alone."""
        if self._busy < LANES:
            self._busy += 1
        else:
            turn = await self._queue(entry)
            if isinstance(turn, Outcome):
                return turn
            if turn is _Turn.ALONE:
                return None
        try:
            return await self._lead(entry)
        finally:
            self._hand_over()

    async def _queue(self, entry: Entry) -> Outcome | _Turn:
        told: _Told = asyncio.get_running_loop().create_future()
        place = (entry, told)
        self.waiting.append(place)
        try:
            return await told
        except asyncio.CancelledError:
            if told.cancelled():
                self._forget(place)
            elif told.exception() is None and told.result() is _Turn.LEAD:
                self._hand_over()
            raise

    def _forget(self, place: tuple[Entry, _Told]) -> None:
        # It may be in a batch under way, which then tells nobody.
        if place in self.waiting:
            self.waiting.remove(place)

    def _hand_over(self) -> None:
        """Let the first who waits lead; the lane stays taken."""
        while self.waiting:
            _, told = self.waiting[0]
            if not told.done():
                self.waiting.popleft()
                told.set_result(_Turn.LEAD)
                return
            self.waiting.popleft()
        self._busy -= 1

    async def _lead(self, entry: Entry) -> Outcome | None:
        await asyncio.sleep(0)  # whoever the batch before has just let go may ask for more
        others = self._company(entry)
        try:
            results = await self._together([entry, *(other for other, _ in others)])
        except BaseException:
            _tell(others, [_Turn.ALONE] * len(others))
            raise
        _tell(others, [_verdict(result) for result in results[1:]])
        mine = _verdict(results[0])
        if isinstance(mine, Exception):
            raise mine
        return mine if isinstance(mine, Outcome) else None

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

    def _company(self, entry: Entry) -> list[tuple[Entry, _Told]]:
        """The first of those who wait, without a key that is in the batch already."""
        keys = {entry.key}
        taken: list[tuple[Entry, _Told]] = []
        left: deque[tuple[Entry, _Told]] = deque()
        while self.waiting and len(taken) < MOST - 1:
            other, told = place = self.waiting.popleft()
            if told.done():
                continue
            if other.key in keys:
                left.append(place)
            else:
                keys.add(other.key)
                taken.append(place)
        self.waiting.extendleft(reversed(left))
        return taken


def _verdict(result: Result) -> Result | _Turn:
    return _Turn.ALONE if isinstance(result, CONTENTION) else result


def _tell(others: Sequence[tuple[Entry, _Told]], verdicts: Sequence[Result | _Turn]) -> None:
    for (_, told), verdict in zip(others, verdicts, strict=True):
        if told.done():
            continue
        if isinstance(verdict, Exception):
            told.set_exception(verdict)
        else:
            told.set_result(verdict)
