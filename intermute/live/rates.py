"""How often a sender may have its words typed into one recipient's terminal, over all replicas."""

from collections.abc import Sequence
from datetime import timedelta
from math import ceil

from intermute.errors import LimitReached
from storage import sql
from storage.clock import Clock
from storage.database import Database

WINDOW = timedelta(minutes=1)

_SQL = sql.load("intermute", "live_rates")


class Rates:
    def __init__(self, db: Database, clock: Clock, most: int) -> None:
        self._db = db
        self._clock = clock
        self._most = most

    async def take(self, project: str, sender: str, recipients: Sequence[str]) -> None:
        """Count one delivery to each. Raises LimitReached when it is one too many for any of them."""
        now = self._clock.now()
        names = sorted(set(recipients))
        rows = await self._db.fetch(_SQL["live_rates.take"], project, sender, names, now, now - WINDOW)
        late = [row["began"] + WINDOW for row in rows if row["taken"] > self._most]
        if late:
            wait = max(1, ceil((max(late) - now).total_seconds()))
            raise LimitReached(
                f"A sender may type into one agent's terminal {self._most} times a minute.",
                code="rate_limit",
                retry_after=wait,
                details={"retry_after_seconds": wait},
            )
