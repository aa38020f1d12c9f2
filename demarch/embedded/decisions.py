"""What people decided about a gate: rejected or deferred. The run stays; the decision is on record."""

from typing import Any

from asyncpg.protocol import Record

from demarch.embedded.ledger import Change, Reads
from storage import sql

_SQL = sql.load("demarch", "runs", "gates")


async def record(change: Change, row: Record, to_phase: str, decision: str, reason: str) -> dict[str, Any]:
    """Keep the decision as state and as an event. A rejected gate waits for nobody until a new attempt."""
    payload = {
        "decision": decision,
        "run_id": row["id"],
        "from_phase": row["phase"],
        "to_phase": to_phase,
        "reason": reason,
        "by": change.actor,
        "at": int(change.now.timestamp()),
    }
    await change.conn.execute(_SQL["gates.decide"], row["id"], payload, change.now)
    if decision == "rejected":
        await change.conn.execute(_SQL["runs.decided"], row["id"], change.now)
    change.tell(
        f"gate.{decision}",
        row["id"],
        source="interspect",
        from_state=row["phase"],
        to_state=to_phase,
        reason=reason,
    )
    return payload


async def latest(db: Reads, row: Record) -> dict[str, Any] | None:
    """The decision that still says something: made about the phase the run is in, since it is there."""
    payload = await db.fetchval(_SQL["gates.decision"], row["id"])
    if payload is None or payload["from_phase"] != row["phase"]:
        return None
    return dict(payload) if payload["at"] >= int(row["phase_at"].timestamp()) else None
