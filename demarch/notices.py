"""What a kernel event means to people: the notices derived from the event log. Pure."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from demarch.gates import evidence_words
from demarch.kernel import Discovery, KernelEvent, Run
from demarch.phrases import one_line


class NoticeKind(StrEnum):
    GATE_PENDING = "gate.pending"
    GATE_RESOLVED = "gate.resolved"  #: the transition an approval may wait for happened or became void
    RUN_COMPLETED = "run.completed"
    RUN_CANCELLED = "run.cancelled"
    BUDGET_WARNING = "budget.warning"
    BUDGET_EXCEEDED = "budget.exceeded"
    PHASE_CHANGED = "phase.changed"
    RUN_STALE = "run.stale"  #: no event causes it: whoever watches the time tells it
    REVIEW_RESOLVED = "review.resolved"  #: reviewers who disagreed came to one verdict
    DISCOVERY_PROPOSED = "discovery.proposed"
    DISCOVERY_RESOLVED = "discovery.resolved"  #: it was promoted or dismissed


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One thing to tell people. One event may cause several (resolved + changed, for example)."""

    kind: NoticeKind
    event: KernelEvent
    run: Run  #: as read when the notice was derived
    from_phase: str = ""
    to_phase: str = ""
    reason: str = ""  #: one sentence
    evidence: tuple[str, ...] = ()  #: one line per check that is open, in words
    cause: str = ""  #: gates only: "block" (override it) or "pause" (advance it)
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscoveryNotice:
    """A discovery that asks to be triaged, or that somebody has triaged."""

    kind: NoticeKind
    event: KernelEvent
    discovery: Discovery  #: as read when the notice was derived


#: how relevant a finding is before people are asked about it; the kernel's own bar for promoting it
WORTH_ASKING = 0.5


def is_told(event: KernelEvent) -> bool:
    """Whether events of this source and type may cause anything; no need to read what others are about."""
    return (event.source, event.type) in _TELL or (event.source == "discovery" and event.type in _DISCOVERED)


def derive(event: KernelEvent, run: Run) -> tuple[Notice, ...]:
    """The notices an event causes; unknown sources and types cause none."""
    tell = _TELL.get((event.source, event.type))
    return tell(event, run) if tell else ()


def discovered(event: KernelEvent, discovery: Discovery) -> DiscoveryNotice | None:
    """Asked about while undecided. The real kernel has no command that proposes: its score counts as well."""
    kind = _DISCOVERED.get(event.type)
    if kind is None:
        return None
    decided = discovery.status in _TRIAGED
    if kind is NoticeKind.DISCOVERY_RESOLVED:
        fits = decided  # or it was taken back since
    else:
        proposed = discovery.status == "proposed" or event.type == "discovery.proposed"
        fits = not decided and (proposed or discovery.score >= WORTH_ASKING)
    return DiscoveryNotice(kind=kind, event=event, discovery=discovery) if fits else None


@dataclass(frozen=True, slots=True)
class _Reason:
    """An event's reason taken apart: what a person wrote, and the checks that were open."""

    text: str
    evidence: tuple[str, ...]


def _read(reason: str) -> _Reason:
    """Reasons are plain text, JSON, or plain text and JSON behind " | "."""
    before, found, after = reason.partition(" | ")
    for text, rest in (("", reason), (before, after if found else "")):
        value = _json(rest)
        if value is not None:
            words = evidence_words(value)
            return _Reason(one_line(text or str(value.get("reason") or ""), 300), words)
    return _Reason(one_line(reason, 300), ())


def reason_words(event: KernelEvent) -> str:
    """An event's reason in one line: what a person wrote and the checks that were open."""
    reason = _read(event.reason)
    return "; ".join(part for part in (reason.text, ", ".join(reason.evidence)) if part)


def person_s_words(event: KernelEvent) -> str:
    """What somebody wrote as the reason of an event, without the checks that were open."""
    return _read(event.reason).text


def _json(text: str) -> Mapping[str, Any] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _notice(kind: NoticeKind, event: KernelEvent, run: Run, *, cause: str = "", how: str = "") -> Notice:
    reason = _read(event.reason)
    data = {name: event.envelope[name] for name in ("actor", "key") if name in event.envelope}
    return Notice(
        kind=kind,
        event=event,
        run=run,
        from_phase=event.from_state,
        to_phase=event.to_state,
        reason=reason.text,
        evidence=reason.evidence,
        cause=cause,
        data=data | ({"how": how} if how else {}),
    )


def _pending(event: KernelEvent, run: Run) -> tuple[Notice, ...]:
    return (_notice(NoticeKind.GATE_PENDING, event, run, cause=event.type),)


def _moved(event: KernelEvent, run: Run) -> tuple[Notice, ...]:
    resolved = _notice(NoticeKind.GATE_RESOLVED, event, run, how=event.type)
    ended = event.to_state == run.phases[-1] and event.type != "rollback"
    kind = NoticeKind.RUN_COMPLETED if ended else NoticeKind.PHASE_CHANGED
    return resolved, _notice(kind, event, run)


def _skipped(event: KernelEvent, run: Run) -> tuple[Notice, ...]:
    # The kernel marks a phase ahead as skipped and stays where it is; older ones moved there.
    resolved = _notice(NoticeKind.GATE_RESOLVED, event, run, how=event.type)
    moved = run.phase == event.to_state
    return (resolved, _notice(NoticeKind.PHASE_CHANGED, event, run)) if moved else (resolved,)


def _cancelled(event: KernelEvent, run: Run) -> tuple[Notice, ...]:
    resolved = _notice(NoticeKind.GATE_RESOLVED, event, run, how=event.type)
    return resolved, _notice(NoticeKind.RUN_CANCELLED, event, run)


def _rejected(event: KernelEvent, run: Run) -> tuple[Notice, ...]:
    return (_notice(NoticeKind.GATE_RESOLVED, event, run, how="reject"),)


def _budget(event: KernelEvent, run: Run) -> tuple[Notice, ...]:
    return (_notice(NoticeKind(event.type), event, run),)


def _reviewed(event: KernelEvent, run: Run) -> tuple[Notice, ...]:
    # Here the states are the finding that was argued about and what became of it, the reason who argued.
    finding, resolution = one_line(event.from_state, 60), one_line(event.to_state, 60)
    reason = f"{resolution} (finding {finding})" if finding and resolution else resolution or finding
    data = {"finding": finding, "resolution": resolution}
    return (Notice(kind=NoticeKind.REVIEW_RESOLVED, event=event, run=run, reason=reason, data=data),)


_TELL: Mapping[tuple[str, str], Callable[[KernelEvent, Run], tuple[Notice, ...]]] = {
    ("phase", "block"): _pending,
    ("phase", "pause"): _pending,
    ("phase", "advance"): _moved,
    ("phase", "override"): _moved,
    ("phase", "rollback"): _moved,
    ("phase", "skip"): _skipped,
    ("phase", "cancel"): _cancelled,
    ("phase", "budget.warning"): _budget,
    ("phase", "budget.exceeded"): _budget,
    ("interspect", "gate.rejected"): _rejected,
    ("review", "disagreement_resolved"): _reviewed,
}

_TRIAGED = frozenset({"promoted", "dismissed"})
_DISCOVERED: Mapping[str, NoticeKind] = {
    "discovery.submitted": NoticeKind.DISCOVERY_PROPOSED,
    "discovery.scored": NoticeKind.DISCOVERY_PROPOSED,
    "discovery.proposed": NoticeKind.DISCOVERY_PROPOSED,
    "discovery.promoted": NoticeKind.DISCOVERY_RESOLVED,
    "discovery.dismissed": NoticeKind.DISCOVERY_RESOLVED,
}
