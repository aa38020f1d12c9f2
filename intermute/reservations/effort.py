"""How much comparing of patterns one decision may cost.

One comparison is bounded, but there are as many as there are reservations, and patterns can be made so that
each takes some hundredths of a second. Who asks for too much is told so: others wait for the same decision.
"""

import asyncio
import time

from intermute.errors import LimitReached
from intermute.globs.pattern import Pattern

ASKING = 1.5  #: seconds of one core for the answer to a request
SETTLING = 0.5  #: seconds of one core for who stands in line meanwhile
TURN = 0.005  #: seconds of it until the loop may do something else


class TooCostly(LimitReached):
    """There is too much to compare with."""

    def __init__(self) -> None:
        super().__init__(
            "It takes too long to compare these patterns with all that are held here: "
            "name fewer or simpler ones.",
            code="patterns_too_costly",
        )


class Effort:
    """Counts what comparisons cost, whoever else has the machine meanwhile."""

    def __init__(self, seconds: float = ASKING) -> None:
        self._left = seconds
        self._turn = TURN

    async def meet(self, mine: Pattern, theirs: Pattern) -> bool:
        """Whether they overlap. Raises TooCostly."""
        if not (mine.heavy or theirs.heavy) and (mine.path or theirs.path):
            return mine.overlaps(theirs)
        if self._left <= 0:
            raise TooCostly
        if mine.heavy or theirs.heavy:
            met, spent = await asyncio.to_thread(_timed, mine, theirs)
        else:
            met, spent = _timed(mine, theirs)
            await self._give_way(spent)
        self._left -= spent
        return met

    async def _give_way(self, spent: float) -> None:
        self._turn -= spent
        if self._turn <= 0:
            self._turn = TURN
            await asyncio.sleep(0)


def _timed(mine: Pattern, theirs: Pattern) -> tuple[bool, float]:
    begun = time.thread_time()
    met = mine.overlaps(theirs)
    return met, time.thread_time() - begun
