"""How a run moves: advance through the gate, override it, skip ahead, roll back. One event per move."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from asyncpg.protocol import Record

from demarch.embedded import runs
from demarch.embedded.ledger import Change, Reads
from demarch.errors import Conflict, InvalidCall
from demarch.gates import Facts, GateCheck, Tier, evaluate, rules_from
from demarch.phases import next_phase
from demarch.phrases import duration, one_line, quoted
from storage import sql

CATEGORIES = ("justified", "expedient", "uncategorized")

_SQL = sql.load("demarch", "runs", "gates")


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What became of an attempt to move a run."""

    run: Record  #: as it is now
    from_phase: str
    to_phase: str
    event: str  #: advance, override, rollback, or what kept it: pause, block
    check: GateCheck | None = None
    reason: str = ""

    @property
    def moved(self) -> bool:
        return self.event not in {"pause", "block"}

    @property
    def completed(self) -> bool:
        return bool(self.run["status"] == "completed")


async def check(db: Reads, row: Record, tier: Tier = Tier.HARD) -> GateCheck:
    """How the gate ahead of an active run stands; nothing is recorded."""
    facts = await db.fetchrow(_SQL["gates.facts"], row["id"])
    known: Mapping[str, Any] = dict(facts) if facts else {}
    return evaluate(
        (row["phase"], _ahead(row)),
        tier,
        Facts(**known, used=row["used"], budget=row["token_budget"], enforce_budget=row["budget_enforce"],
              held=row["held"], portfolio=row["portfolio"]),
        rules_from(row["gates"]) if row["gates"] else None,
    )  # fmt: skip


async def locked_at(change: Change, run_id: str, from_phase: str | None, to_phase: str | None) -> Record:
    """The run, locked, if it stands where the caller believes it to stand."""
    row = await runs.lock(change, run_id)
    if row["status"] != "active" or from_phase not in (None, row["phase"]):
        raise _moved_on(change, row)
    if to_phase not in (None, _ahead(row)):
        way = f"from {row['phase']} to {_ahead(row)} now, not to {to_phase}"
        raise Conflict(f"The gate of {quoted(row['goal'])} leads {way}. Nothing was done.", now=row["phase"])
    return row


async def advance(change: Change, row: Record, *, tier: Tier = Tier.HARD, skip_reason: str = "") -> Move:
    """Try the gate ahead. Without `skip_reason` a run that must not advance by itself pauses."""
    if not row["auto_advance"] and not skip_reason:
        return await _stay(change, row, "pause", "auto_advance disabled", None)
    gate = await check(change.conn, row, tier)
    evidence = gate.evidence() if gate.result == "fail" else ""
    reason = " | ".join(part for part in (skip_reason, evidence) if part)
    if gate.blocks:
        return await _stay(change, row, "block", reason, gate)
    envelope = {"gate_result": gate.result, "gate_tier": gate.tier.value}
    return await _go(change, row, _ahead(row), "advance", reason, gate=gate, envelope=envelope)


async def override(change: Change, row: Record, *, reason: str, category: str = "uncategorized") -> Move:
    """Go one phase on whatever the gate says; the reason is kept with the move."""
    if not reason:
        raise InvalidCall("An override needs a reason.")
    if category not in CATEGORIES:
        raise InvalidCall(f"An override is one of {', '.join(CATEGORIES)}.")
    stored = json.dumps({"override_category": category, "reason": one_line(reason)}, ensure_ascii=False)
    return await _go(change, row, _ahead(row), "override", stored)


async def block(change: Change, row: Record, reason: str) -> Move:
    """Close the gate by hand: it opens by an override, a release or a rollback."""
    held = one_line(reason)
    row = await change.one(_SQL["runs.wait"], row["id"], "block", change.now, held)
    gate = await check(change.conn, row)
    return await _stay(change, row, "block", gate.evidence(), gate)


async def release(change: Change, row: Record) -> Record:
    """Take a hold back that `block` set."""
    after = await change.one(_SQL["runs.release"], row["id"], change.now)
    change.tell("set", row["id"], from_state=row["phase"], to_state=row["phase"], reason="hold released")
    return after


async def skip(change: Change, row: Record, phase: str, reason: str) -> Record:
    """Mark a phase ahead: the run stays and will walk past it."""
    ahead = row["phases"][row["phases"].index(row["phase"]) + 1 : -1]
    if phase not in ahead:
        raise InvalidCall(f"{one_line(phase, 64)} is not ahead of {row['phase']}, or it is the last phase.")
    if phase in row["skipped"]:
        raise Conflict(f"{phase} is skipped already.", now=row["phase"])
    if not reason:
        raise InvalidCall("Skipping a phase needs a reason.")
    after = await change.one(_SQL["runs.skip"], row["id"], phase, change.now)
    change.tell("skip", row["id"], from_state=row["phase"], to_state=phase, reason=reason)
    return after


async def rollback(change: Change, row: Record, phase: str, reason: str) -> Move:
    """Go back, also from the end; what the phases in between made counts for no gate any more."""
    if row["status"] not in {"active", "completed"}:
        raise Conflict(f"The run {quoted(row['goal'])} is {row['status']}.", now=row["status"])
    chain = row["phases"]
    here = chain.index(row["phase"])
    if phase not in chain[:here]:
        raise InvalidCall(f"{one_line(phase, 64)} does not lie behind {row['phase']}.")
    left = chain[chain.index(phase) + 1 : here + 1]
    await change.conn.execute(_SQL["runs.forget_ahead"], row["id"], left, change.now)
    return await _go(change, row, phase, "rollback", reason)


async def _go(
    change: Change,
    row: Record,
    to_phase: str,
    event: str,
    reason: str,
    *,
    gate: GateCheck | None = None,
    envelope: Mapping[str, Any] | None = None,
) -> Move:
    status = "completed" if to_phase == row["phases"][-1] else "active"
    after = await change.one(_SQL["runs.move"], row["id"], to_phase, status, change.now)
    change.tell(
        event, row["id"], from_state=row["phase"], to_state=to_phase, reason=reason, envelope=envelope
    )
    return Move(run=after, from_phase=row["phase"], to_phase=to_phase, event=event, check=gate, reason=reason)


async def _stay(change: Change, row: Record, event: str, reason: str, gate: GateCheck | None) -> Move:
    after = await change.one(_SQL["runs.wait"], row["id"], event, change.now, None)
    change.tell(event, row["id"], from_state=row["phase"], to_state=_ahead(row), reason=reason)
    return Move(
        run=after, from_phase=row["phase"], to_phase=_ahead(row), event=event, check=gate, reason=reason
    )


def _ahead(row: Record) -> str:
    return next_phase(row["phases"], row["phase"], row["skipped"]) or row["phase"]


def _moved_on(change: Change, row: Record) -> Conflict:
    active = row["status"] == "active"
    since = duration((change.now - (row["phase_at"] if active else row["updated_at"])).total_seconds())
    now = str(row["phase"] if active else row["status"])
    where = f"in {now}" if active else now
    return Conflict(
        f"The run {quoted(row['goal'])} has moved on: it has been {where} for {since}. Nothing was done.",
        now=now,
    )


def move_data(move: Move) -> dict[str, Any]:
    """What `ic run advance` prints."""
    data: dict[str, Any] = {
        "run_id": move.run["id"],
        "from_phase": move.from_phase,
        "to_phase": move.to_phase,
        "event_type": move.event,
        "advanced": move.moved,
        "completed": move.completed,
        "reason": move.reason,
    }
    if move.check is not None:
        data |= {"gate_result": move.check.result, "gate_tier": move.check.tier.value}
        data["evidence"] = {"conditions": [dict(condition) for condition in move.check.conditions]}
    return data
