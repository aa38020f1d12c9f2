"""The kernel port: what executes operations and tells what happened. Its refusals stand in `errors`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from demarch.errors import Conflict as Conflict
from demarch.errors import DemarchError as DemarchError
from demarch.errors import EvidenceUnknown as EvidenceUnknown
from demarch.errors import InvalidCall as InvalidCall
from demarch.errors import KernelUnavailable as KernelUnavailable
from demarch.errors import NotFound as NotFound
from demarch.errors import NotPossible as NotPossible
from demarch.operations import Call

Marks = Mapping[str, int]  #: event source -> id of the last event seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an operation answered: a text a person can read as it is, and the same as data."""

    text: str
    data: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelEvent:
    """One row of the kernel's append-only log, in the shape `ic events tail` prints."""

    id: int
    source: str  #: phase, dispatch, discovery, review, coordination
    type: str
    run_id: str
    from_state: str = ""
    to_state: str = ""
    reason: str = ""
    envelope: Mapping[str, Any] = field(default_factory=dict)
    timestamp: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run as cards and pictures need it."""

    id: str
    goal: str
    status: str  #: active, completed, cancelled, failed
    phase: str
    phases: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    phase_at: datetime | None = None  #: since when it is in its phase, if the kernel can say
    budget: int | None = None  #: tokens
    used: int = 0  #: tokens
    warn_pct: int = 80
    #: spending over time, oldest first: (when, tokens used so far)
    spent: tuple[tuple[datetime, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelState:
    ok: bool
    reason: str = ""


class Kernel(Protocol):
    """Executes operations. All methods raise DemarchError."""

    async def state(self) -> KernelState: ...

    async def read(self, call: Call) -> Outcome: ...

    async def write(self, call: Call, *, actor: str, key: str) -> Outcome:
        """Execute once per key: a second call with the key of a write that happened returns its outcome.

        A write that was refused has not happened; its key stays free.
        """
        ...

    async def written(self, key: str) -> Outcome | None:
        """For recovery: what the write with this key did, or None when it certainly did not happen.

        Raises EvidenceUnknown when the kernel cannot say.
        """
        ...

    async def run(self, run_id: str) -> Run: ...

    async def runs(self, *, active: bool = True) -> Sequence[Run]: ...

    async def head(self) -> Marks:
        """Marks just behind the newest event, for a consumer that starts now."""
        ...

    async def events(self, marks: Marks, limit: int) -> Sequence[KernelEvent]:
        """Events behind the marks in the order they happened; empty means drained."""
        ...
