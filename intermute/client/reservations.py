"""Reservations: files an agent is about to change, so that no other does."""

from collections.abc import Sequence

from pydantic import TypeAdapter

from intermute.client.shapes import Fence, Holding, Place, Reservation, Shape
from intermute.client.wire import Query, Wire, part

PATH = "/api/reservations"


class _Reservations(Shape):
    reservations: tuple[Reservation, ...]
    cursor: int = 0
    more: bool = False


class _Together(Reservation):
    """The first of several, and all of them where there are several."""

    reservations: tuple[Reservation, ...] = ()


class _Conflicts(Shape):
    conflicts: tuple[Holding, ...] | None = None


class _Line(Shape):
    waiting: tuple[Place, ...]
    cursor: int = 0
    more: bool = False


_ONE = TypeAdapter(Reservation)
_MANY = TypeAdapter(_Reservations)
_TOGETHER = TypeAdapter(_Together)
_GRANTED_OR_NOT: TypeAdapter[Place | Reservation] = TypeAdapter(Place | Reservation)
_CONFLICTS = TypeAdapter(_Conflicts)
_PLACE = TypeAdapter(Place)
_LINE = TypeAdapter(_Line)
_FENCE = TypeAdapter(Fence)


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
        wish = {**self._wish(agent, exclusive, reason, ttl_minutes, id), "path_pattern": pattern}
        return await self._wire.ask(_ONE, "POST", PATH, body=wish)

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
        wish = {**self._wish(agent, exclusive, reason, ttl_minutes, id), "patterns": list(patterns)}
        found = await self._wire.ask(_TOGETHER, "POST", PATH, body=wish)
        return found.reservations or (found,)

    async def stand_in_line(
        self,
        agent: str,
        patterns: Sequence[str],
        *,
        exclusive: bool = True,
        reason: str = "",
        ttl_minutes: int = 0,
        id: str = "",  # noqa: A002 - the member's name
        seconds: int = 0,
    ) -> Place | Reservation:
        """Take them now, or as soon as they are free: then the agent is told by `reservation.granted`.

        The id of a place is later that of the (first) reservation.
        """
        wish = {
            **self._wish(agent, exclusive, reason, ttl_minutes, id),
            "patterns": list(patterns),
            "wait": True,
            "wait_seconds": seconds,
        }
        return await self._wire.ask(_GRANTED_OR_NOT, "POST", PATH, body=wish)

    async def place(self, place_id: str) -> Place:
        """Where somebody stands. Raises Missing where nobody waits by this id any more."""
        return await self._wire.ask(_PLACE, "GET", f"{PATH}/waiting/{part(place_id)}")

    async def line(self, agent: str = "") -> tuple[Place, ...]:
        """Who waits, the first first."""
        found: list[Place] = []
        page = _Line(waiting=(), more=True)
        while page.more:
            query: Query = {"project": self._project, "agent": agent, "cursor": page.cursor}
            page = await self._wire.ask(_LINE, "GET", f"{PATH}/waiting", query=query)
            found += page.waiting
        return tuple(found)

    async def leave_line(self, place_id: str) -> None:
        await self._wire.do("DELETE", f"{PATH}/waiting/{part(place_id)}")

    async def get(self, reservation_id: str) -> Reservation:
        return await self._wire.ask(_ONE, "GET", f"{PATH}/{part(reservation_id)}")

    async def renew(self, reservation_id: str, ttl_minutes: int = 0) -> Reservation:
        """Keep it for that long from now on."""
        body = {"ttl_minutes": ttl_minutes} if ttl_minutes else {}
        return await self._wire.ask(_ONE, "POST", f"{PATH}/{part(reservation_id)}/renew", body=body)

    async def transfer(self, reservation_id: str, agent: str) -> Reservation:
        """Hand it to another agent, with a new token."""
        path = f"{PATH}/{part(reservation_id)}/transfer"
        return await self._wire.ask(_ONE, "POST", path, body={"agent_id": agent})

    async def fence(self, path: str, token: int) -> Fence:
        """Whether whoever shows this token may still write to the path."""
        query: Query = {"project": self._project, "path": path, "token": token}
        return await self._wire.ask(_FENCE, "GET", f"{PATH}/fence", query=query)

    async def release(self, reservation_id: str) -> None:
        """Let go. Raises Forbidden where the client speaks for an agent and another one holds it."""
        await self._wire.do("DELETE", f"{PATH}/{part(reservation_id)}")

    async def active(self, project: str | None = None) -> tuple[Reservation, ...]:
        """What is held in a project, the newest first."""
        return await self._listed({"project": self._project if project is None else project})

    async def of_agent(self, agent: str) -> tuple[Reservation, ...]:
        """All an agent has and had."""
        return await self._listed({"agent": agent})

    async def check(self, pattern: str, *, exclusive: bool = True, agent: str = "") -> tuple[Holding, ...]:
        """What would be in the way; what the agent itself holds never is."""
        query = {
            "project": self._project,
            "pattern": pattern,
            "exclusive": "true" if exclusive else "false",
            "agent": agent,
        }
        return (await self._wire.ask(_CONFLICTS, "GET", f"{PATH}/check", query=query)).conflicts or ()

    async def _listed(self, query: Query) -> tuple[Reservation, ...]:
        """All pages."""
        found: list[Reservation] = []
        cursor = 0
        while True:
            asked = {**query, "cursor": cursor} if cursor else query
            page = await self._wire.ask(_MANY, "GET", PATH, query=asked)
            found += page.reservations
            if not page.more or page.cursor == cursor:
                return tuple(found)
            cursor = page.cursor

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
