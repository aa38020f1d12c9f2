"""Whose move was it: what the events of a run tell about one attempt to move it. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from demarch.cli.marks import name_of, unmarked
from demarch.cli.parsing import line_of, number_of, text_of
from demarch.gates import GateCheck, Tier
from demarch.phrases import one_line

_MOVES = frozenset({"advance", "override", "rollback", "skip"})
_HELD = frozenset({"block", "pause"})
_ATTEMPTS = frozenset({"advance", "override", "skip"}) | _HELD

Event = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What an attempt came to."""

    kind: str  #: advance, override, or what kept the run: block, pause
    from_phase: str
    to_phase: str
    reason: str = ""
    result: str = "none"
    tier: str = "none"
    conditions: tuple[Mapping[str, Any], ...] = field(default=())

    @property
    def moved(self) -> bool:
        return self.kind not in _HELD

    @property
    def gate(self) -> GateCheck:
        return GateCheck(
            from_phase=self.from_phase,
            to_phase=self.to_phase,
            result=self.result,
            tier=Tier(self.tier) if self.tier in set(Tier) else Tier.NONE,
            conditions=self.conditions,
        )


def newest(events: Sequence[Event]) -> int:
    return max((number_of(event, "id") for event in events), default=0)


def step_of(event: Event) -> Step:
    """From a row of `ic run events`, or from what `ic run advance` and `ic gate override` print."""
    reason, _ = unmarked(text_of(event, "reason"))
    words, conditions = _apart(reason)
    return Step(
        kind=line_of(event, "event_type"),
        from_phase=line_of(event, "from_phase"),
        to_phase=line_of(event, "to_phase"),
        reason=one_line(words, 500),
        result=line_of(event, "gate_result") or "none",
        tier=line_of(event, "gate_tier") or "none",
        conditions=conditions,
    )


def own_step(key: str, here: str, there: str, mark: int, phase: str, events: Sequence[Event]) -> Step | None:
    """What the attempt with this key came to; None when it has done nothing.

    It saw the run at `here` with `there` ahead and `mark` as the newest event; now the run is at `phase`.
    """
    for event in reversed(events):
        if line_of(event, "event_type") in _ATTEMPTS and _key(event) == name_of(key):
            return step_of(event)
    if _gap(here, there, phase, [event for event in events if number_of(event, "id") > mark]):
        return Step(kind="advance", from_phase=here, to_phase=there)
    return None


def is_last(step: Step, key: str, events: Sequence[Event]) -> bool:
    """Whether nobody moved the run after that step: else undoing it would undo the work of others."""
    moves = [event for event in events if line_of(event, "event_type") in _MOVES - {"skip"}]
    if not moves:
        return False
    way = (line_of(moves[-1], "from_phase"), line_of(moves[-1], "to_phase"))
    # A log that does not keep our marks leaves the way itself to know it by.
    mark = name_of(key) if any(_key(event) == name_of(key) for event in moves) else ""
    return way == (step.from_phase, step.to_phase) and _key(moves[-1]) == mark


def taken_back(key: str, events: Sequence[Event]) -> bool:
    """Whether the attempt was undone by us."""
    return any(line_of(e, "event_type") == "rollback" and _key(e) == name_of(key) for e in events)


def _key(event: Event) -> str:
    return unmarked(text_of(event, "reason"))[1]


def _gap(here: str, there: str, phase: str, events: Sequence[Event]) -> bool:
    """Whether a step from `here` to `there` was taken that no event tells of.

    An older kernel moves the run first and writes the event after: killed in between, it leaves that.
    """
    if here == there:
        return False
    places = {here}
    for event in events:
        kind = line_of(event, "event_type")
        before, after = line_of(event, "from_phase"), line_of(event, "to_phase")
        if kind not in _MOVES:
            continue
        if before == there and here in places and there not in places:
            return True
        # Skipping marks a phase ahead; older kernels go there.
        places = places | {after} if kind == "skip" else {after}
    return phase == there and here in places and there not in places


def _apart(reason: str) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    """What a person wrote, and the checks behind " | "; an override keeps both in an object."""
    before, found, after = reason.partition(" | ")
    for words, rest in (("", reason), (before, after if found else "")):
        value = _object(rest)
        if value is None:
            continue
        conditions = value.get("conditions")
        return (
            words or text_of(value, "reason"),
            tuple(c for c in conditions if isinstance(c, dict)) if isinstance(conditions, list) else (),
        )
    return reason, ()


def _object(text: str) -> dict[str, Any] | None:
    if not text.startswith("{"):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None
