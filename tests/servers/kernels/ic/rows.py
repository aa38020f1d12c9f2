"""Rows of the database as the command line prints them, and the one way a phase event is written."""

from __future__ import annotations

import time

from tests.servers.kernels import notation, shell
from tests.servers.kernels.ic.database import stamp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: fields that are printed only when they hold something
_OPTIONAL = ("completed_at", "scope_id", "goal_id", "token_budget", "metadata", "parent_run_id")


def run_map(row: Any) -> dict[str, Any]:
    """A run, keys sorted as Go prints a map."""
    shown: dict[str, Any] = {
        "id": row["id"],
        "project_dir": row["project_dir"],
        "goal": row["goal"],
        "status": row["status"],
        "phase": row["phase"],
        "complexity": row["complexity"],
        "force_full": bool(row["force_full"]),
        "auto_advance": bool(row["auto_advance"]),
        "created_at": row["created_at"],
        "updated_at": row["updated_at"],
    }
    shown |= {name: row[name] for name in _OPTIONAL if row[name] is not None}
    if row["phases"]:
        shown["phases"] = notation.Raw(row["phases"])
    if row["token_budget"] is not None:
        shown["budget_warn_pct"] = row["budget_warn_pct"]
    if row["max_dispatches"]:
        shown["max_dispatches"] = row["max_dispatches"]
    if row["budget_enforce"]:
        shown["budget_enforce"] = True
    if row["max_agents"]:
        shown["max_agents"] = row["max_agents"]
    if row["gate_rules"]:
        shown["gate_rules"] = notation.Raw(row["gate_rules"])
    return dict(sorted(shown.items()))


def kept(row: Any, *names: str) -> dict[str, Any]:
    """These fields, without the empty ones."""
    return {name: row[name] for name in names if row[name] is not None}


def print_json(value: Any) -> None:
    shell.say(shell.json_text(value))


def add_event(
    db: Any,
    run_id: str,
    kind: str,
    before: str,
    after: str,
    *,
    gate: tuple[str, str] | None = None,
    reason: str | None = None,
) -> int:
    """One row of the log of phases, with the provenance that the kernel adds by itself."""
    envelope = {
        "policy_version": "phase-machine/v1",
        "caller_identity": "phase.store",
        "capability_scope": f"run:{run_id}",
        "trace_id": run_id,
        "span_id": f"phase:{kind}:{time.monotonic_ns()}",
        "parent_span_id": f"phase-state:{before}",
    }
    if before:
        envelope["input_artifact_refs"] = [f"phase:{before}"]  # type: ignore[assignment]
    if after:
        envelope["output_artifact_refs"] = [f"phase:{after}"]  # type: ignore[assignment]
    result, tier = gate or (None, None)
    cursor = db.execute(
        "INSERT INTO phase_events (run_id, from_phase, to_phase, event_type, gate_result, gate_tier, reason,"
        " envelope_json, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (run_id, before, after, kind, result, tier, reason, notation.written(envelope), stamp()),
    )
    return int(cursor.lastrowid)
