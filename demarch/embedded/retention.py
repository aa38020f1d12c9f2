"""Retention: old events may go, at the old end of the log only and never ahead of a reader."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from demarch.embedded.ledger import Change
from demarch.kernel import Marks
from storage import sql

SLICE = 10_000  #: events of one source that go in one transaction

_SQL = sql.load("demarch", "retention")


async def prune(change: Change, before: datetime, readers: Sequence[Marks]) -> int:
    """Remove events that happened before the time; how many. Call it until there are none.

    Of every source its last event and the last one each reader has read stay: they say where the log stands.
    """
    removed = 0
    for row in await change.conn.fetch(_SQL["retention.old"], before):
        through = min(row["old"], row["last"] - 1, row["first"] + SLICE - 1, *_read(row["source"], readers))
        if through >= row["first"]:
            await change.conn.execute(
                _SQL["retention.announce"], row["source"], through, change.now, change.actor
            )
            removed += await change.conn.fetchval(_SQL["retention.remove"], row["source"], through)
    return removed


def _read(source: str, readers: Sequence[Marks]) -> Iterable[int]:
    """Up to where nobody needs the source any more. Whoever has no mark of it has read nothing of it."""
    return [reader.get(source, 0) - 1 for reader in readers]
