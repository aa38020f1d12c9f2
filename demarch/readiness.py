"""Is a run ready for a person: what it waits for, what is still open, what there is to look at. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from demarch.gates import GateCheck
from demarch.kernel import Run

SHOWN = 5  #: verdicts and artifacts

Data = Mapping[str, Any]


class Stage(StrEnum):
    """What there is for a person to do."""

    DECIDE = "decide"  #: it waits for a decision
    LOOK = "look"  #: it is done: its results are there
    MOVES_ON = "moves-on"  #: nothing is open; it goes on by itself
    WORKING = "working"  #: something is still open
    OVER = "over"  #: cancelled or failed


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """All that one look at a run finds."""

    run: Run
    since: datetime  #: in its phase, or at its end
    gate: GateCheck | None = None
    waiting: str | None = None  #: pause or block, while nobody decided
    decision: Data | None = None
    verdicts: Sequence[Data] = ()
    artifacts: Sequence[Data] = ()


def stage(seen: Seen) -> Stage:
    if seen.run.status == "completed":
        return Stage.LOOK
    if seen.run.status != "active":
        return Stage.OVER
    if seen.waiting:
        return Stage.DECIDE
    open_checks = seen.gate.open_checks if seen.gate else ()
    if open_checks:
        return Stage.WORKING
    # A run that asks before every phase will ask, and has not yet.
    return Stage.MOVES_ON if seen.run.auto_advance else Stage.WORKING


def readiness(seen: Seen) -> dict[str, Any]:
    at = stage(seen)
    here = [each for each in seen.artifacts if each.get("status") == "active"]
    current = [each for each in here if each.get("phase") == seen.run.phase] or here
    return {
        "found": True,
        "run_id": seen.run.id,
        "goal": seen.run.goal,
        "phase": seen.run.phase,
        "status": seen.run.status,
        "ready": at in (Stage.DECIDE, Stage.LOOK),
        "stage": at.value,
        "waiting": seen.waiting,
        "next_phase": seen.gate.to_phase if seen.gate else None,
        "open": list(seen.gate.open_checks) if seen.gate else [],
        "decision": dict(seen.decision) if seen.decision else None,
        "verdicts": [dict(each) for each in seen.verdicts[:SHOWN]],
        "artifacts": [dict(each) for each in current[-SHOWN:]],
    }
