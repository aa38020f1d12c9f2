"""The kernel port: what executes operations and tells what happened. Its refusals stand in `errors`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
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
    source: str  #: phase, dispatch, discovery, review, coordination, interspect
    type: str
    run_id: str
    from_state: str = ""
    to_state: str = ""
    reason: str = ""
    envelope: Mapping[str, Any] = field(default_factory=dict)
    timestamp: datetime


class Extension(StrEnum):
    """What EXTEND can do for a run whose budget is used up."""

    TOKENS = "tokens"  #: its budget grows
    DISPATCHES = "dispatches"  #: a portfolio may start more agents
    FOLLOW_UP = "follow-up"  #: a new run with a larger budget takes its place


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
    auto_advance: bool = True  #: False: it pauses before every phase
    extension: Extension = Extension.TOKENS
    #: spending over time, oldest first: (when, tokens used so far)
    spent: tuple[tuple[datetime, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """Something found that may be worth an issue."""

    id: str
    source: str  #: who or what found it
    title: str
    summary: str = ""
    url: str = ""
    score: float = 0.0  #: 0 to 1
    status: str = "new"  #: new, scored, proposed, promoted, dismissed
    issue_id: str = ""  #: what it was promoted to
    discovered_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelState:
    ok: bool
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a kernel cannot do. An operation that is absent is not even offered."""

    absent: Mapping[str, str] = field(default_factory=dict)  #: operation -> why, one sentence
    notes: tuple[str, ...] = ()  #: what else is missing, one sentence each


class Kernel(Protocol):
    """Executes operations. All methods raise DemarchError."""

    async def state(self) -> KernelState:
        """Whether it answers; looks again at what it can do."""
        ...

    def capabilities(self) -> Capabilities:
        """As the last look found them; no wait."""
        ...

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

    async def discovery(self, discovery_id: str) -> Discovery: ...

    async def discoveries(self, *, status: str, limit: int) -> Sequence[Discovery]:
        """The most relevant first."""
        ...

    async def head(self) -> Marks:
        """Marks just behind the newest event, for a consumer that starts now."""
        ...

    async def events(self, marks: Marks, limit: int) -> Sequence[KernelEvent]:
        """Events behind the marks in the order they happened; empty means drained."""
        ...
