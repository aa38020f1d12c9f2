"""One thing that happened, and the JSON frame that tells of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from intermute import times

#: types of events; every one of them is a `type` on the wire
MESSAGE_CREATED = "message.created"
MESSAGE_ACK = "message.ack"
MESSAGE_READ = "message.read"
RESERVATION_GRANTED = "reservation.granted"
RESERVATION_RELEASED = "reservation.released"
RESERVATION_EXPIRED = "reservation.expired"
WINDOW_POKE = "peer.window_poke"
#: told to a listener alone, never on record: the log begins behind the cursor it came with
PRUNED = "events.pruned"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewEvent:
    """What is to be told. `audience` are the agents it is for; None is everybody in the project."""

    project: str
    type: str
    data: Mapping[str, Any]
    audience: Sequence[str] | None = None

    def row(self) -> dict[str, Any]:
        audience = None if self.audience is None else list(self.audience)
        return {"project": self.project, "type": self.type, "data": dict(self.data), "audience": audience}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """What is on record, with its place in the one order of everything."""

    cursor: int
    project: str
    type: str
    audience: tuple[str, ...] | None
    data: Mapping[str, Any]
    at: datetime

    def frame(self, agent: str = "") -> dict[str, Any]:
        """Its JSON; `agent` is the one of the audience it is sent to."""
        told = {"agent": agent} if agent and self.audience is not None else {}
        head = {"type": self.type, "project": self.project, "cursor": self.cursor}
        return {**head, **told, **self.data, "created_at": times.precise(self.at)}
