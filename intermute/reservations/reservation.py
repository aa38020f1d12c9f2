"""A reservation as it is on record."""

from dataclasses import dataclass
from datetime import datetime

from asyncpg.protocol import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Reservation:
    """`token` only grows from one grant to the next; `held_by` is the holder's name, where it is known."""

    id: str
    project: str
    agent: str
    held_by: str
    pattern: str
    exclusive: bool
    reason: str
    token: int
    created_at: datetime
    expires_at: datetime
    released_at: datetime | None = None
    ended: str = ""  #: released, expired, agent_gone or transferred

    @classmethod
    def of(cls, row: Record) -> "Reservation":
        names = [name for name in cls.__slots__ if name != "held_by"]
        return cls(held_by=row.get("held_by") or row["agent"], **{name: row[name] for name in names})

    def active(self, now: datetime) -> bool:
        return self.released_at is None and self.expires_at > now
