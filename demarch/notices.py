"""What a kernel event means to people: the notices derived from the event log."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from demarch.kernel import KernelEvent, Run


class NoticeKind(StrEnum):
    GATE_PENDING = "gate.pending"
    GATE_RESOLVED = "gate.resolved"  #: the transition an approval may wait for happened or became void
    RUN_COMPLETED = "run.completed"
    RUN_CANCELLED = "run.cancelled"
    BUDGET_WARNING = "budget.warning"
    BUDGET_EXCEEDED = "budget.exceeded"
    PHASE_CHANGED = "phase.changed"


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
