"""How a run moves: advance, skip, roll back, override. Each is one transaction."""

from __future__ import annotations

from tests.servers.kernels import shell
from tests.servers.kernels.ic import chain, checks, rows
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def find(db: Any, run_id: str) -> Any:
    return db.execute("SELECT * FROM runs WHERE id = ?", (run_id,)).fetchone()


def found(db: Any, run_id: str, command: str) -> Any:
    run = find(db, run_id)
    if run is None:
        said.negative(command, ": not found", id=run_id)
    return run


def next_of(db: Any, run: Any, command: str) -> str:
    """The next phase that nobody marked as skipped; the end of the command when there is none."""
    steps = chain.of(run)
    if run["status"] in chain.OVER:
        said.negative(command, " failed", error="run is in a terminal status")
    if chain.is_last(steps, run["phase"]):
        said.negative(command, " failed", error="run is already in terminal phase")
    to = chain.after(steps, run["phase"])
    if to is None:
        said.broken(command, f'advance: phase "{run["phase"]}" not found in chain')
    skipped = {
        row[0]
        for row in db.execute(
            "SELECT to_phase FROM phase_events WHERE run_id = ? AND event_type = 'skip'", (run["id"],)
        )
    }
    while to in skipped and not chain.is_last(steps, to):
        to = chain.after(steps, to) or to
    return to


def enter(db: Any, run: Any, to: str) -> None:
    """Go into a phase; the last one ends the run."""
    now = stamp()
    db.execute("UPDATE runs SET phase = ?, updated_at = ? WHERE id = ?", (to, now, run["id"]))
    if chain.is_last(chain.of(run), to):
        db.execute(
            "UPDATE runs SET status = 'completed', updated_at = ?, completed_at = ? WHERE id = ?",
            (now, now, run["id"]),
        )


def advance(place: Database, given: Words) -> int:
    priority = given.number("priority", 1, "run advance")
    if not given.loose:
        said.misused(
            "run advance: usage: ic run advance <id> [--priority=N] [--disable-gates] [--skip-reason=S]"
        )
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    run = found(db, given.loose[0], "run advance")
    to = next_of(db, run, "run advance")
    move = _judged(db, run, to, priority, given)
    db.execute("COMMIT")
    if move["advanced"]:
        active = db.execute(
            "SELECT count(*) FROM run_agents WHERE run_id = ? AND status = 'active'", (run["id"],)
        ).fetchone()[0]
        move["active_agent_count"] = active
        behind = chain.after(chain.of(run), to)
        needs = [rule["check"] for rule in checks.RULES.get((to, behind or ""), ())]
        if needs:
            move["next_gate_requirements"] = needs
    if place.json:
        rows.print_json(dict(sorted(move.items())))
    elif move["advanced"]:
        shell.say(f"{run['phase']} → {to}")
    else:
        shell.say(f"{run['phase']} (blocked: {move['event_type']})")
    return 0 if move["advanced"] else 1


def _judged(db: Any, run: Any, to: str, priority: int, given: Words) -> dict[str, Any]:
    """Move it, stop it at its gate, or let it wait for a person, and write that down."""
    why = given.text("skip-reason")
    if not run["auto_advance"] and not why:
        return _noted(db, run, to, "pause", ("none", "none"), "auto_advance disabled")
    gate = checks.evaluate(db, run, to, priority, disabled=given.flag("disable-gates"))
    evidence = shell.json_text(gate.evidence) if gate.evidence is not None else ""
    reason = " | ".join(part for part in (why, evidence) if part)
    if gate.result == "fail" and gate.tier == "hard":
        return _noted(db, run, to, "block", (gate.result, gate.tier), reason or "gate blocked advance")
    enter(db, run, to)
    return _noted(db, run, to, "advance", (gate.result, gate.tier), reason)


def _noted(db: Any, run: Any, to: str, kind: str, gate: tuple[str, str], reason: str) -> dict[str, Any]:
    rows.add_event(db, run["id"], kind, run["phase"], to, gate=gate, reason=reason or None)
    return {
        "from_phase": run["phase"],
        "to_phase": to,
        "event_type": kind,
        "gate_result": gate[0],
        "gate_tier": gate[1],
        "advanced": kind == "advance",
        "reason": reason,
    }


def skip(place: Database, given: Words) -> int:
    if len(given.loose) < 2:
        said.misused("run skip: usage: ic run skip <id> <phase> --reason=<text> [--actor=<name>]")
    run_id, target = given.loose[:2]
    reason, actor = given.text("reason"), given.text("actor")
    if not reason:
        said.usage("run skip", "--reason is required")
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    run = find(db, run_id)
    problem = _why_not_skip(run, target)
    if problem:
        said.negative("run skip", " failed", error=problem)
    rows.add_event(
        db, run_id, "skip", run["phase"], target, reason=f"actor={actor}: {reason}" if actor else reason
    )
    db.execute("COMMIT")
    if place.json:
        rows.print_json({"phase": target, "status": "skipped"})
    else:
        shell.say(f"skipped: {target}")
    return 0


def _why_not_skip(run: Any, target: str) -> str:
    if run is None:
        return "run not found"
    if run["status"] in chain.OVER:
        return "run is in a terminal status"
    steps = chain.of(run)
    if target not in steps:
        return f'skip: phase "{target}" not in chain'
    if chain.index(steps, target) <= chain.index(steps, run["phase"]):
        return f'skip: phase "{target}" is not ahead of current phase "{run["phase"]}"'
    return f'skip: cannot skip terminal phase "{target}"' if chain.is_last(steps, target) else ""


def rollback(place: Database, given: Words) -> int:
    if not given.loose:
        said.misused(
            "run rollback: usage: ic run rollback <id> --to-phase=<phase> [--reason=<text>] [--dry-run]"
        )
    to, reason = given.text("to-phase"), given.text("reason")
    if not to:
        said.usage("run rollback", "--to-phase or --layer required")
    db = place.open()
    db.execute("BEGIN IMMEDIATE")
    run = found(db, given.loose[0], "run rollback")
    undone = chain.between(chain.of(run), to, run["phase"])
    if undone is None:
        said.negative(
            "run rollback", ": target phase is not behind current phase", target=to, current=run["phase"]
        )
    told: dict[str, Any] = {"from_phase": run["phase"], "rolled_back_phases": undone, "to_phase": to}
    if given.flag("dry-run"):
        shell.say(shell.json_text({"dry_run": True, **told}, indent=2))
        return 0
    if run["status"] in {"cancelled", "failed"}:
        said.broken("run rollback", "rollback: run is in a terminal status")
    told |= _undo(db, run, to, undone) | {"reason": reason}
    rows.add_event(db, run["id"], "rollback", run["phase"], to, reason=reason or None)
    db.execute("COMMIT")
    shell.say(shell.json_text(dict(sorted(told.items())), indent=2))
    return 0


def _undo(db: Any, run: Any, to: str, undone: list[str]) -> dict[str, int]:
    now = stamp()
    db.execute(
        "UPDATE runs SET phase = ?, status = 'active', updated_at = ?, completed_at = NULL WHERE id = ?",
        (to, now, run["id"]),
    )
    marks = ", ".join("?" for _ in undone)
    artifacts = db.execute(
        "UPDATE run_artifacts SET status = 'rolled_back'"  # noqa: S608 - only question marks are put in
        f" WHERE run_id = ? AND phase IN ({marks}) AND status = 'active'",
        (run["id"], *undone),
    )
    dispatches = db.execute(
        "UPDATE dispatches SET status = 'cancelled', completed_at = ?"
        " WHERE scope_id = ? AND status IN ('spawned', 'running')",
        (now, run["id"]),
    )
    agents = db.execute(
        "UPDATE run_agents SET status = 'failed', updated_at = ? WHERE run_id = ? AND status = 'active'",
        (now, run["id"]),
    )
    return {
        "cancelled_dispatches": dispatches.rowcount,
        "failed_agents": agents.rowcount,
        "marked_artifacts": artifacts.rowcount,
    }
