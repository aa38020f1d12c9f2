"""What is known of one agent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from asyncpg.protocol import Record

#: these words stand in the paths of the interface where an agent's id does
RESERVED = frozenset({"pokes", "presence"})

AT_PROMPT = "at-prompt"
UNKNOWN = "unknown"
#: what an agent may say it is doing
FOCUS_STATES = (AT_PROMPT, "tool-use", "thinking", UNKNOWN)
FRESH = timedelta(seconds=2)  #: an agent is taken at its word for that long


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    id: str
    session_id: str
    name: str
    project: str
    capabilities: Sequence[str] | None  #: None: it never said
    metadata: Mapping[str, str] | None
    status: str
    policy: str
    live_policy: str
    guarded: bool
    focus_state: str
    focus_at: datetime | None
    last_seen: datetime
    created_at: datetime


def of_row(row: Record) -> Agent:
    return Agent(
        id=row["id"],
        session_id=row["session_id"],
        name=row["name"],
        project=row["project"],
        capabilities=row["capabilities"],
        metadata=row["metadata"],
        status=row["status"],
        policy=row["contact_policy"],
        live_policy=row["live_contact_policy"],
        guarded=row["guarded"],
        focus_state=row["focus_state"],
        focus_at=row["focus_at"],
        last_seen=row["last_seen"],
        created_at=row["created_at"],
    )


def focus(state: str, said_at: datetime | None, now: datetime) -> str:
    """What an agent is doing; what it said too long ago, or in a time to come, is no longer known."""
    if said_at is None or abs(now - said_at) > FRESH:
        return UNKNOWN
    return state or UNKNOWN
