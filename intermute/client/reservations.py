"""Reservations: files an agent is about to change, so that no other does."""

from collections.abc import Sequence

from pydantic import TypeAdapter

from intermute.client.shapes import Holding, Reservation, Shape
from intermute.client.wire import Wire, part


class _Reservations(Shape):
    reservations: tuple[Reservation, ...]


class _Conflicts(Shape):
    conflicts: tuple[Holding, ...] | None = None


_ONE = TypeAdapter(Reservation)
_MANY = TypeAdapter(_Reservations)
_CONFLICTS = TypeAdapter(_Conflicts)


class Reservations:
    """`/api/reservations`."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._project = project

    async def reserve(
        self,
        agent: str,
        pattern: str,
        *,
        exclusive: bool = True,
        reason: str = "",
        ttl_minutes: int = 0,
        id: str = "",  # noqa: A002 - the member's name
    ) -> Reservation:
        """Take it. Raises ReservationConflict, which names the holders. With an id it may be asked again."""
        body = self._wish(agent, exclusive, reason, ttl_minutes, id)
        return await self._wire.ask(_ONE, "POST", "/api/reservations", body={**body, "path_pattern": pattern})

    async def reserve_all(
        self,
        agent: str,
        patterns: Sequence[str],
        *,
        exclusive: bool = True,
        reason: str = "",
        ttl_minutes: int = 0,
        id: str = "",  # noqa: A002 - the member's name
    ) -> tuple[Reservation, ...]:
        """Take all of them or none."""
        body = self._wish(agent, exclusive, reason, ttl_minutes, id)
        body["patterns"] = list(patterns)
        return (await self._wire.ask(_MANY, "POST", "/api/reservations", body=body)).reservations

    async def release(self, reservation_id: str) -> None:
        """Let go. Raises Forbidden where the client speaks for an agent and another one holds it."""
        await self._wire.do("DELETE", f"/api/reservations/{part(reservation_id)}")

    async def active(self, project: str | None = None) -> tuple[Reservation, ...]:
        """What is held in a project, the newest first."""
        query = {"project": self._project if project is None else project}
        return (await self._wire.ask(_MANY, "GET", "/api/reservations", query=query)).reservations

    async def of_agent(self, agent: str) -> tuple[Reservation, ...]:
        """All an agent has and had."""
        query = {"agent": agent}
        return (await self._wire.ask(_MANY, "GET", "/api/reservations", query=query)).reservations

    async def check(self, pattern: str, *, exclusive: bool = True, agent: str = "") -> tuple[Holding, ...]:
        """What would be in the way; what the agent itself holds never is."""
        query = {
            "project": self._project,
            "pattern": pattern,
            "exclusive": "true" if exclusive else "false",
            "agent": agent,
        }
        return (
            await self._wire.ask(_CONFLICTS, "GET", "/api/reservations/check", query=query)
        ).conflicts or ()

    def _wish(
        self, agent: str, exclusive: bool, reason: str, ttl_minutes: int, wished_id: str
    ) -> dict[str, object]:
        wish: dict[str, object] = {
            "id": wished_id,
            "agent_id": agent,
            "project": self._project,
            "exclusive": exclusive,
            "reason": reason,
        }
        return {**wish, "ttl_minutes": ttl_minutes} if ttl_minutes else wish
