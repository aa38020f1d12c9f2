"""`ic events record`: what others write into the log, each source with its own required fields."""

from __future__ import annotations

import json
import os

from tests.servers.kernels import shell
from tests.servers.kernels.ic import words as said
from tests.servers.kernels.ic.database import Database, stamp
from tests.servers.kernels.ic.words import Words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

_NEEDS: Mapping[str, tuple[str, ...]] = {
    "interspect": ("agent_name",),
    "review": ("finding_id", "resolution", "chosen_severity", "impact"),
    "coordination": ("lock_id", "owner", "pattern", "scope"),
    "intent": ("intent_type", "bead_id", "idempotency_key"),
}
_REVIEWS = frozenset({"disagreement_resolved", "execution_defect"})


def record(place: Database, given: Words) -> int:
    source, kind, text = given.text("source"), given.text("type"), given.text("payload")
    if not source:
        said.usage("events record", "--source is required (interspect, review, coordination, intent)")
    if not kind:
        said.usage("events record", "--type is required")
    if given.text("idempotency-key") and source != "interspect":
        said.usage("events record", "--idempotency-key is supported only for interspect events")
    payload = _payload(text)
    db = place.open()
    if source not in _NEEDS:
        said.usage(
            "events record",
            "unsupported source (use interspect, review, coordination, intent)",
            source=source,
        )
    _check(source, kind, text, payload)
    act = {"interspect": _interspect, "review": _review, "coordination": _coordination, "intent": _intent}[
        source
    ]
    shell.say(act(db, given, payload))
    return 0


def _payload(text: str) -> dict[str, Any]:
    try:
        payload = json.loads(text) if text else {}
    except ValueError:
        said.usage("events record", "--payload must be valid JSON")
    if not isinstance(payload, dict):
        said.usage("events record", "failed to parse payload", error="json: cannot unmarshal")
    return payload


def _check(source: str, kind: str, text: str, payload: Mapping[str, Any]) -> None:
    if source == "review" and kind not in _REVIEWS:
        said.usage(
            "events record", "review --type must be disagreement_resolved or execution_defect", type=kind
        )
    if source != "interspect" and not text:
        said.usage("events record", f"{source} source requires --payload")
    missing = [name for name in _NEEDS[source] if not payload.get(name)]
    if missing:
        said.usage("events record", f"{source} payload requires {', '.join(_NEEDS[source])}")
    if source == "review" and not payload.get("agents"):
        said.usage("events record", "review payload requires non-empty agents map")


def _insert(db: Any, table: str, values: Mapping[str, Any]) -> int:
    row = {**values, "created_at": stamp()}
    names, marks = ", ".join(row), ", ".join("?" for _ in row)
    done = db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))  # noqa: S608
    return int(done.lastrowid)


def _interspect(db: Any, given: Words, payload: Mapping[str, Any]) -> str:
    key = given.text("idempotency-key") or given.text("session")
    run_id, agent, kind = given.text("run"), payload["agent_name"], given.text("type")
    db.execute("BEGIN IMMEDIATE")
    if given.text("idempotency-key"):
        seen = db.execute(
            "SELECT min(id) FROM interspect_events"
            " WHERE coalesce(run_id, '') = ? AND agent_name = ? AND event_type = ? AND session_id = ?",
            (run_id, agent, kind, key),
        ).fetchone()[0]
        if seen is not None:
            db.execute("COMMIT")
            return str(seen)
    values = {"run_id": run_id or None, "agent_name": agent, "event_type": kind, "session_id": key or None}
    values |= {"override_reason": payload.get("override_reason"), "context_json": payload.get("context")}
    number = _insert(db, "interspect_events", values | {"project_dir": given.text("project") or os.getcwd()})
    db.execute("COMMIT")
    return str(number)


def _review(db: Any, given: Words, payload: Mapping[str, Any]) -> str:
    values = {"run_id": given.text("run") or None, "event_type": given.text("type")}
    values |= {name: payload[name] for name in _NEEDS["review"]}
    values |= {"agents_json": json.dumps(payload["agents"], sort_keys=True)}
    values |= {
        "dismissal_reason": payload.get("dismissal_reason"),
        "session_id": given.text("session") or None,
    }
    return str(_insert(db, "review_events", values | {"project_dir": given.text("project") or os.getcwd()}))


def _coordination(db: Any, given: Words, payload: Mapping[str, Any]) -> str:
    values = {name: payload[name] for name in _NEEDS["coordination"]}
    values |= {
        "run_id": given.text("run") or None,
        "event_type": given.text("type"),
        "reason": payload.get("reason"),
    }
    _insert(db, "coordination_events", values)
    return "ok"


def _intent(db: Any, given: Words, payload: Mapping[str, Any]) -> str:
    values: dict[str, Any] = {name: payload[name] for name in _NEEDS["intent"]}
    values |= {"run_id": given.text("run") or None, "session_id": given.text("session")}
    values |= {"success": int(bool(payload.get("success"))), "error_detail": payload.get("error_detail")}
    _insert(db, "intent_events", values)
    return "ok"
