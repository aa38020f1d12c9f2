"""What each operation takes: checked once at the border, frozen and bounded."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from demarch.phrases import one_line

LONG_TEXT = 64 * 1024
TITLE = 500
EXTENSION = 50  #: percent more tokens when nobody says how many

IssueStatus = Literal["open", "in_progress", "blocked", "deferred", "closed", "pinned", "hooked"]
IssueType = Literal[
    "task", "bug", "feature", "epic", "chore", "decision", "spike", "story", "milestone", "message",
    "molecule", "gate", "event",
]  # fmt: skip
_PRIORITIES = {"critical": 0, "high": 1, "medium": 2, "normal": 2, "low": 3, "backlog": 4}
_BACK = re.compile(r"(\d{1,4})\s*(m|min|h|d|w)")
_UNITS = {"m": "minutes", "min": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def _wrong(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("sentence", "{sentence}", {"sentence": sentence})


def _text(value: object) -> object:
    """Drop what no text column can hold (NUL, control characters), refuse what is not Unicode."""
    if not isinstance(value, str):
        return value
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise _wrong("is not valid text (it has half of a character)")
    return "".join(c for c in value.replace("\r\n", "\n") if c in "\n\t" or (c >= " " and c != "\x7f"))


def _line(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


def _long(value: str) -> str:
    if len(value.encode()) > LONG_TEXT:
        raise _wrong(f"is larger than {LONG_TEXT // 1024} KB")
    return value


def _priority(value: object) -> object:
    word = str(value).strip().lower()
    number = _PRIORITIES.get(word, word.removeprefix("p"))
    if isinstance(value, bool) or str(number) not in {"0", "1", "2", "3", "4"}:
        raise _wrong("is a number from 0 (critical) to 4 (backlog)")
    return int(number)


def _labels(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


def _since(value: object) -> object:
    """Accept "2h", "30 min", "1d" besides a time."""
    match = _BACK.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    return timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else value


Line = Annotated[str, BeforeValidator(_line), BeforeValidator(_text)]
Title = Annotated[Line, StringConstraints(min_length=1, max_length=TITLE)]
Reason = Annotated[Line, StringConstraints(max_length=1000)]
Query = Annotated[Line, StringConstraints(min_length=1, max_length=200)]
Text = Annotated[str, BeforeValidator(_text), AfterValidator(_long)]
Id = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Phase = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[A-Za-z0-9_-]{1,64}$")]
Label = Annotated[Line, StringConstraints(min_length=1, max_length=64)]
Labels = Annotated[tuple[Label, ...], BeforeValidator(_labels), Field(max_length=20)]
Priority = Annotated[
    int,
    BeforeValidator(_priority),
    WithJsonSchema({"type": ["integer", "string"], "description": "0 (critical) to 4 (backlog)"}),
]
Limit = Annotated[int, Field(ge=1, le=100)]
Since = Annotated[
    AwareDatetime | timedelta,
    BeforeValidator(_since),
    WithJsonSchema(
        {"type": "string", "description": "a time (ISO 8601 with zone) or how far back: 30m, 2h, 1d"}
    ),
]


class Parameters(BaseModel):
    """The base of all: nothing unknown, nothing changed afterwards."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    #: other words for a parameter that callers use
    synonyms: ClassVar[Mapping[str, str]] = {}


class Nothing(Parameters):
    """No parameters."""


class RunStatus(Parameters):
    synonyms = {"id": "run_id", "run": "run_id"}

    run_id: Id | None = Field(default=None, description="without it: the current run")


class SearchBeads(Parameters):
    synonyms = {"issue_id": "id", "q": "query"}

    id: Id | None = None
    query: Query | None = Field(default=None, description="words in title, description or id")
    status: Literal[IssueStatus, "all"] | None = Field(
        default=None, description="closed issues show only if asked"
    )
    limit: Limit = 20


class SpecLookup(Parameters):
    synonyms = {"id": "artifact_id"}

    artifact_id: Id | None = Field(default=None, description="without it: the list of artifacts")
    run_id: Id | None = None


class NextWork(Parameters):
    limit: Limit = 10


class RunEvents(Parameters):
    run_id: Id | None = None
    limit: Limit = 20
    since: Since | None = None

    def since_when(self, now: datetime) -> datetime | None:
        return now - self.since if isinstance(self.since, timedelta) else self.since


class WhatChanged(Parameters):
    since: Since | None = Field(
        default=None, description="without it: since this conversation last asked, at most a day at first"
    )

    def since_when(self, now: datetime) -> datetime | None:
        return now - self.since if isinstance(self.since, timedelta) else self.since


class Decisions(Parameters):
    synonyms = {"id": "run_id", "run": "run_id"}

    run_id: Id | None = Field(default=None, description="without it: about anything")
    limit: Limit = 20
    since: Since | None = None

    def since_when(self, now: datetime) -> datetime | None:
        return now - self.since if isinstance(self.since, timedelta) else self.since


class Research(Parameters):
    query: Query
    limit: Limit = 10


class CreateIssue(Parameters):
    synonyms = {"type": "issue_type"}

    title: Title
    description: Text = ""
    priority: Priority = 2
    issue_type: IssueType = "task"
    labels: Labels = ()


class UpdateIssue(Parameters):
    synonyms = {"issue_id": "id"}

    id: Id
    status: IssueStatus | None = None
    priority: Priority | None = None
    title: Title | None = None
    description: Text | None = None
    notes: Text | None = Field(default=None, description="added below the notes that are there")

    @model_validator(mode="after")
    def _changes_something(self) -> "UpdateIssue":
        if not self.model_fields_set - {"id"}:
            raise _wrong("needs at least one thing to change")
        return self


class CloseIssue(Parameters):
    synonyms = {"issue_id": "id"}

    id: Id
    reason: Reason = ""


class RegisterFinding(Parameters):
    synonyms = {"description": "summary"}

    title: Title
    summary: Text = ""
    source: Annotated[Line, StringConstraints(min_length=1, max_length=64)] = "intercom"
    url: Annotated[Line, StringConstraints(max_length=2000)] = ""
    score: float = Field(
        default=0.4, ge=0, le=1, description="how relevant it is, 0 to 1; from 0.5 people are asked about it"
    )


class StartRun(Parameters):
    synonyms = {"goal": "title", "budget": "token_budget"}

    title: Title = Field(description="what the run is to achieve")
    description: Text = ""
    token_budget: Annotated[int, Field(gt=0, le=10**12)] | None = None
    complexity: int = Field(default=3, ge=1, le=5)
    project: Annotated[Line, StringConstraints(max_length=200)] = ""


class GateDecision(Parameters):
    """One transition of one run. Gates have no ids of their own; `gate_id` is `run` or `run:from:to`."""

    synonyms = {"id": "gate_id", "run": "run_id"}

    run_id: Id
    from_phase: Phase | None = Field(default=None, description="the phase the run is expected to be in")
    to_phase: Phase | None = Field(default=None, description="the phase the gate leads to")
    reason: Reason = ""

    @model_validator(mode="before")
    @classmethod
    def _unfold_gate_id(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "gate_id" not in values:
            return values
        rest = {name: value for name, value in values.items() if name != "gate_id"}
        names = ("run_id", "from_phase", "to_phase")
        parts = dict(zip(names, str(values["gate_id"]).split(":", 2), strict=False))
        if any(rest.get(name, part) != part for name, part in parts.items()):
            raise _wrong("names two different gates (gate_id and the other parameters disagree)")
        return rest | parts


class ApproveGate(GateDecision):
    cause: Literal["block", "pause"] | None = Field(
        default=None, description="what stopped the run, if known"
    )


class RunAction(Parameters):
    synonyms = {"id": "run_id", "run": "run_id"}

    run_id: Id
    reason: Reason = ""


class AdvancePhase(RunAction):
    from_phase: Phase | None = Field(default=None, description="the phase the run is expected to be in")


class ExtendBudget(RunAction):
    synonyms = {"id": "run_id", "run": "run_id", "token_budget": "tokens"}

    tokens: Annotated[int, Field(gt=0, le=10**12)] | None = Field(default=None, description="how many more")
    percent: Annotated[int, Field(gt=0, le=1000)] | None = Field(
        None, description="how many more; default 50"
    )

    @model_validator(mode="after")
    def _one_measure(self) -> "ExtendBudget":
        if self.tokens is not None and self.percent is not None:
            raise _wrong("takes tokens or percent, not both")
        return self


class DiscoveryAction(Parameters):
    synonyms = {"id": "discovery_id", "discovery": "discovery_id"}

    discovery_id: Id
    reason: Reason = ""


class PromoteDiscovery(DiscoveryAction):
    issue_id: Id | None = Field(
        default=None, description="an issue that exists; without it a new one is made"
    )
    priority: Priority = 2
