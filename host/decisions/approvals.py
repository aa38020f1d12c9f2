"""An approval, one question to people: its kinds and states, the moves between them, who may say what."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from host.decisions.codes import Verb


class Kind(StrEnum):
    GATE = "gate"
    BUDGET = "budget"
    FINISHED = "finished"
    INTENT = "intent"  #: an agent's write that needs a person
    PERMISSION = "permission"  #: something an agent's own program asks before it does it
    SPEND = "spend"  #: a group's spend limit is reached
    SPAWN = "spawn"  #: one more helper than an agent may start by itself
    DISCOVERY = "discovery"  #: something found that may be worth an issue


class State(StrEnum):
    PENDING = "pending"
    EXECUTING = "executing"  #: decided; the kernel is being asked, under a lease
    DEFERRED = "deferred"  #: stays listed and can be asked again
    DONE = "done"
    CLOSED = "closed"  #: became void: moved on, resolved elsewhere, not possible
    DROPPED = "dropped"  #: rejected or expired without any effect


OPEN = (State.PENDING, State.EXECUTING, State.DEFERRED)


class Move(StrEnum):
    CLAIM = "claim"  #: a person decided first
    FAIL = "fail"  #: it could not be carried out; anyone may try again
    FINISH = "finish"
    DEFER = "defer"
    DROP = "drop"
    CLOSE = "close"
    ASK = "ask"  #: a deferred question is put again


#: Every move there is; the database applies each as an UPDATE that names the state it starts from.
MOVES: Mapping[tuple[State, Move], State] = {
    (State.PENDING, Move.CLAIM): State.EXECUTING,
    (State.PENDING, Move.DEFER): State.DEFERRED,
    (State.PENDING, Move.DROP): State.DROPPED,
    (State.PENDING, Move.CLOSE): State.CLOSED,
    (State.PENDING, Move.FINISH): State.DONE,
    (State.EXECUTING, Move.FAIL): State.PENDING,
    (State.EXECUTING, Move.FINISH): State.DONE,
    (State.EXECUTING, Move.DEFER): State.DEFERRED,
    (State.EXECUTING, Move.DROP): State.DROPPED,
    (State.EXECUTING, Move.CLOSE): State.CLOSED,
    (State.DEFERRED, Move.CLOSE): State.CLOSED,
    (State.DEFERRED, Move.ASK): State.PENDING,
}


def sources(move: Move) -> tuple[State, ...]:
    """The states a move may start from."""
    return tuple(state for state, name in MOVES if name is move)


def target(move: Move) -> State:
    """The one state a move leads to."""
    return next(state for (_, name), state in MOVES.items() if name is move)


#: What a person can say to each kind, in the order of the buttons.
VERBS: Mapping[Kind, tuple[Verb, ...]] = {
    Kind.GATE: (Verb.APPROVE, Verb.REJECT, Verb.DEFER),
    Kind.BUDGET: (Verb.EXTEND, Verb.CANCEL),
    Kind.FINISHED: (Verb.VIEW, Verb.NEXT),
    Kind.INTENT: (Verb.APPROVE, Verb.REJECT, Verb.DETAILS),
    Kind.PERMISSION: (Verb.APPROVE, Verb.REJECT, Verb.DETAILS),
    Kind.SPEND: (Verb.EXTEND, Verb.CANCEL),
    Kind.SPAWN: (Verb.APPROVE, Verb.REJECT, Verb.DETAILS),
    Kind.DISCOVERY: (Verb.PROMOTE, Verb.DISMISS, Verb.LATER),
}

#: These only look: they need a role in the group, not the right to decide, and leave the card as it is.
LOOKS = frozenset({Verb.VIEW, Verb.DETAILS})

#: These need a role in the group only; nothing in the kernel changes.
HARMLESS = LOOKS | {Verb.NEXT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A question before it has a code."""

    kind: Kind
    folder: str
    address: str  #: where the card goes first
    dedupe: str  #: at most one open approval with the same words
    subject: Mapping[str, Any]
    project: str = ""
    lane: str | None = None  #: whose agent asked
    run: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    id: UUID
    code: str
    kind: Kind
    folder: str
    project: str
    address: str
    lane: str | None
    run: str
    subject: Mapping[str, Any]
    dedupe: str
    state: State
    round: int  #: how often the question was put again
    attempt: int  #: how often a decision was claimed, over all rounds
    verb: Verb | None  #: the decision, also of an attempt that failed
    decided_by: str | None
    decided_name: str | None
    decided_at: datetime | None
    holder: str | None
    lease_until: datetime | None
    outcome: str | None
    error: str | None  #: why the last attempt failed; the card shows it
    created_at: datetime
    expires_at: datetime | None
    ended_at: datetime | None

    @property
    def open(self) -> bool:
        return self.state in OPEN

    def key(self, attempt: int) -> str:
        """The kernel's idempotency key of one claimed decision: the kernel can say whose went through."""
        return f"{self.id}/{attempt}"

    def record(self) -> dict[str, Any]:
        """What the audit log keeps of it."""
        about = ("run", "goal", "from", "to", "operation", "arguments", "grant", "event", "discovery")
        kept = {name: self.subject[name] for name in about if name in self.subject}
        project = {"project": self.project} if self.project else {}
        return {"code": self.code, "kind": self.kind.value, "group": self.folder} | project | kept
