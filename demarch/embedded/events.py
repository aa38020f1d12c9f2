"""Reads the append-only log."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from asyncpg.protocol import Record

from demarch.embedded.ledger import Reads
from demarch.kernel import KernelEvent, Marks
from storage import sql

_SQL = sql.load("demarch", "events")


async def head(db: Reads) -> Marks:
    return {row["source"]: row["last"] for row in await db.fetch(_SQL["events.head"])}


async def behind(db: Reads, marks: Marks, limit: int) -> Sequence[KernelEvent]:
    """What lies behind the marks, in the order it happened."""
    rows = await db.fetch(_SQL["events.behind"], list(marks), list(marks.values()), limit)
    return [event_of(row) for row in rows]


async def latest(db: Reads, limit: int, since: datetime | None, run_id: str | None) -> Sequence[KernelEvent]:
    """The newest events, oldest first, of one run or of everything."""
    if run_id is None:
        rows = await db.fetch(_SQL["events.latest"], limit, since)
    else:
        rows = await db.fetch(_SQL["events.latest_of_run"], limit, since, run_id)
    return [event_of(row) for row in reversed(rows)]


def event_of(row: Record) -> KernelEvent:
    return KernelEvent(
        id=row["id"],
        source=row["source"],
        type=row["type"],
        run_id=row["run_id"],
        from_state=row["from_state"],
        to_state=row["to_state"],
        reason=row["reason"],
        envelope=row["envelope"],
        timestamp=row["at"],
    )


def event_data(event: KernelEvent) -> dict[str, Any]:
    """The line `ic events tail` prints."""
    line: dict[str, Any] = {
        "id": event.id,
        "run_id": event.run_id,
        "source": event.source,
        "type": event.type,
        "from_state": event.from_state,
        "to_state": event.to_state,
    }
    if event.reason:
        line["reason"] = event.reason
    if event.envelope:
        line["envelope"] = dict(event.envelope)
    return line | {"timestamp": event.timestamp.strftime("%Y-%m-%dT%H:%M:%SZ")}
