"""What news is about, in the words people use to mute it or to choose it, and how it is delivered. Pure."""

from collections.abc import Collection
from enum import StrEnum

from demarch.notices import NoticeKind


class Topic(StrEnum):
    """The kinds of news a group can mute or leave out."""

    GATE = "gate"
    BUDGET = "budget"
    DONE = "done"  #: finished and stopped runs
    PHASE = "phase"
    STALE = "stale"
    REVIEW = "review"
    DISCOVERY = "discovery"


class Manner(StrEnum):
    """How a piece of news reaches a group."""

    TELL = "tell"
    SILENT = "silent"  #: a card that makes no sound: what waits for a decision is never hidden
    KEEP = "keep"  #: for the digest
    DROP = "drop"


EVERYTHING = ""  #: as a muted topic

_TOPICS = {
    NoticeKind.GATE_PENDING: Topic.GATE,
    NoticeKind.GATE_RESOLVED: Topic.GATE,
    NoticeKind.BUDGET_WARNING: Topic.BUDGET,
    NoticeKind.BUDGET_EXCEEDED: Topic.BUDGET,
    NoticeKind.RUN_COMPLETED: Topic.DONE,
    NoticeKind.RUN_CANCELLED: Topic.DONE,
    NoticeKind.PHASE_CHANGED: Topic.PHASE,
    NoticeKind.RUN_STALE: Topic.STALE,
    NoticeKind.REVIEW_RESOLVED: Topic.REVIEW,
    NoticeKind.DISCOVERY_PROPOSED: Topic.DISCOVERY,
    NoticeKind.DISCOVERY_RESOLVED: Topic.DISCOVERY,
}

#: they ask something: a card that stays unseen would keep a run waiting
CARDS = frozenset({NoticeKind.GATE_PENDING, NoticeKind.BUDGET_EXCEEDED, NoticeKind.RUN_COMPLETED})
#: whoever has a digest reads it there
ROUTINE = frozenset({NoticeKind.PHASE_CHANGED, NoticeKind.REVIEW_RESOLVED})


def topic_of(kind: NoticeKind) -> Topic:
    return _TOPICS[kind]


def manner(kind: NoticeKind, muted: Collection[str], *, digest: bool) -> Manner:
    """What a group that muted these topics, and reads a digest or not, gets of a notice."""
    quiet = EVERYTHING in muted or topic_of(kind) in muted
    if kind in CARDS:
        return Manner.SILENT if quiet else Manner.TELL
    if digest and (quiet or kind in ROUTINE):
        return Manner.KEEP
    return Manner.DROP if quiet else Manner.TELL


def topic_named(word: str) -> Topic | None:
    """The topic somebody wrote: "phases" is fine too."""
    lowered = word.lower()
    return next((topic for topic in Topic if lowered in (topic.value, f"{topic.value}s")), None)
