"""Asks for reservations and listens to what the project is told."""

from collections.abc import Sequence
from typing import Any

from intermute.events.event import Event
from intermute.reservations.claim import Wanted
from intermute.reservations.reservation import Reservation
from intermute.reservations.reservations import Granted, Reservations, Waiting


class Heard:
    def __init__(self) -> None:
        self.events: list[Event] = []

    def hear(self, events: Sequence[Event]) -> None:
        self.events += events

    def told(self) -> list[tuple[str, str, Any]]:
        """Since the last time: what happened, to whom, and the reason."""
        told = [(e.type.split(".")[1], e.data["agent_id"], e.data.get("reason")) for e in self.events]
        self.events.clear()
        return told


async def hold(reservations: Reservations, agent: str, *patterns: str, **more: Any) -> Reservation:
    """Get it at once, exclusively."""
    wanted = Wanted(**{"project": "p", "agent": agent, "patterns": patterns, "exclusive": True, **more})
    answer = await reservations.reserve(wanted)
    assert isinstance(answer, Granted)
    return answer.reservations[0]


async def wait(reservations: Reservations, agent: str, *patterns: str, **more: Any) -> Waiting:
    """Stand in line for it."""
    asked = {"project": "p", "agent": agent, "patterns": patterns, "exclusive": True, "wait_seconds": 3600}
    answer = await reservations.reserve(Wanted(**{**asked, **more}))
    assert isinstance(answer, Waiting)
    return answer


async def holders(reservations: Reservations, project: str = "p") -> list[tuple[str, str]]:
    """Who holds what, the first first."""
    page = await reservations.active(project)
    return [(one.agent, one.pattern) for one in reversed(page.reservations)]
