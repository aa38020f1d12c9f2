"""What changed since some moment, from events, runs, issues and discoveries of whichever kernel. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from demarch.kernel import KernelEvent, Run
from demarch.notices import person_s_words

DAY = 24 * 3600  #: seconds looked back when nobody says since when
MOST = 500  #: events that are read
ISSUES = 200

_MOVES = frozenset({"advance", "override", "rollback", "skip"})
_HELD = frozenset({"block", "pause"})
_BUDGETS = {"budget.warning": "nears its token budget", "budget.exceeded": "used up its token budget"}
_GATES = {"gate.rejected": "was turned down at its gate", "gate.deferred": "has a gate decision put off"}
_TRIAGED = {
    "discovery.submitted": "found",
    "discovery.promoted": "promoted",
    "discovery.dismissed": "dismissed",
}

Data = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """All that was read; whoever reads it bounds it."""

    since: datetime
    now: datetime
    events: Sequence[KernelEvent] = ()  #: oldest first
    runs: Sequence[Run] = ()  #: those of the events, and the young ones
    issues: Sequence[Data] = ()  #: changed since, in the shape `bd` prints
    titles: Mapping[str, str] = field(default_factory=dict)  #: of discoveries
    missing: tuple[str, ...] = ()  #: what could not be read, one sentence each


def changes(of: Material) -> dict[str, Any]:
    """Runs with what became of them, issues and discoveries by what happened to them."""
    told = [event for event in of.events if event.timestamp >= of.since]
    return {
        "since": int(of.since.timestamp()),
        "until": int(of.now.timestamp()),
        "runs": [about for run in of.runs if (about := _run(run, told, of.since))],
        "issues": _issues(of.issues, of.since),
        "discoveries": _discoveries(told, of.titles),
        "cut": len(of.events) >= MOST,
        "missing": list(of.missing),
    }


def _run(run: Run, events: Sequence[KernelEvent], since: datetime) -> dict[str, Any] | None:
    own = [event for event in events if event.run_id == run.id and event.source != "discovery"]
    fresh = run.created_at >= since
    if not own and not fresh:
        return None
    return {
        "id": run.id,
        "goal": run.goal,
        "status": run.status,
        "phase": run.phase,
        "what": list(dict.fromkeys([*(["was started"] if fresh else []), *_path(own), *_rest(run, own)])),
    }


def _path(events: Sequence[KernelEvent]) -> list[str]:
    """Where it went: review → polish → done."""
    moves = [event for event in events if event.source == "phase" and event.type in _MOVES and event.to_state]
    if not moves:
        return []
    places = [moves[0].from_state, *(event.to_state for event in moves)]
    return [f"went {' → '.join(places)}"]


def _rest(run: Run, events: Sequence[KernelEvent]) -> list[str]:
    words = []
    for event in events:
        if event.type in _HELD and run.status == "active" and event.from_state == run.phase:
            words.append(f"waits for a person: {event.from_state} → {event.to_state}")
        elif event.type == "cancel":
            words.append("was cancelled")
        elif event.type == "disagreement_resolved":
            words.append("has reviewers who agree now")
        elif told := {**_BUDGETS, **_GATES}.get(event.type):
            words.append(told)
    return words


def _issues(issues: Sequence[Data], since: datetime) -> dict[str, list[dict[str, Any]]]:
    sorted_out: dict[str, list[dict[str, Any]]] = {"opened": [], "closed": [], "changed": []}
    for issue in issues:
        kind = "closed" if _after(issue.get("closed_at"), since) else "changed"
        kind = "opened" if kind == "changed" and _after(issue.get("created_at"), since) else kind
        kept = ("id", "title", "status", "priority", "issue_type", "close_reason")
        sorted_out[kind].append({name: issue[name] for name in kept if name in issue})
    return sorted_out


def _after(written: object, since: datetime) -> bool:
    """Times of issues are told in whole seconds."""
    if not isinstance(written, str):
        return False
    return datetime.fromisoformat(written) >= since.replace(microsecond=0)


def _discoveries(events: Sequence[KernelEvent], titles: Mapping[str, str]) -> dict[str, list[dict[str, str]]]:
    sorted_out: dict[str, dict[str, str]] = {kind: {} for kind in _TRIAGED.values()}
    for event in events:
        if event.source == "discovery" and (kind := _TRIAGED.get(event.type)):
            sorted_out[kind][event.run_id] = titles.get(event.run_id) or person_s_words(event)
    return {
        kind: [{"id": discovery, "title": title} for discovery, title in found.items()]
        for kind, found in sorted_out.items()
    }
