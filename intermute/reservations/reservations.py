"""The reservations of all projects: asking for them, giving them back, keeping them longer, handing them on.

Every decision is one transaction that others of the same project wait for: of many who want the same one gets
it.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from intermute.errors import Conflict, InvalidRequest, NotAllowed
from intermute.events.journal import Journal
from intermute.globs.pattern import Pattern
from intermute.limits import Limits
from intermute.reservations.claim import Claim, Wanted, lifetime
from intermute.reservations.grants import taken
from intermute.reservations.ledger import Ledger, missing
from intermute.reservations.line import Place, placed
from intermute.reservations.obstacles import Obstacles
from intermute.reservations.reservation import Reservation
from intermute.reservations.ruling import Ruling
from intermute.reservations.turns import Turns
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId

_SQL = sql.load("intermute", "reservations", "waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """All that was asked for."""

    reservations: Sequence[Reservation]


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A place in line, and who is in the way now (empty when the same was asked before)."""

    place: Place
    obstacles: Obstacles


class Reservations(Ledger):
    """Who may speak for an agent is decided before."""

    def __init__(self, db: Database, journal: Journal, clock: Clock, new_id: NewId, limits: Limits) -> None:
        super().__init__(db, clock, limits)
        self._journal = journal
        self._new_id = new_id
        self._turns = Turns()

    async def reserve(self, wanted: Wanted) -> Granted | Waiting:
        """All patterns or none. Raises InvalidRequest, LimitReached, Conflict with what is in the way."""
        claim = await Claim.of(wanted, wanted.id or str(self._new_id()), self.limits)
        async with self.ruling(claim.project) as ruling:
            await ruling.settle()
            known = await self._known(ruling, claim) if wanted.id else None
            answer = known or await self._decided(ruling, claim, wanted.wait_seconds)
            written = await ruling.write()
        if isinstance(answer, Obstacles):
            raise answer.conflict(ruling.now)
        return answer or Granted(reservations=written[claim.id])

    async def release(self, reservation_id: str, *, agent: str = "") -> Reservation:
        """Give it back; with `agent`, as that one. Raises NotFound (also: given back already), NotAllowed."""
        found = await self.get(reservation_id)
        _owned(found, agent)
        async with self.ruling(found.project) as ruling:
            rows = await ruling.conn.fetch(_SQL["reservations.end"], reservation_id, ruling.now, "released")
            ended = ruling.end(rows)
            await ruling.settle()
            await ruling.write()
        if not ended:
            raise missing()
        return ended[0]

    async def release_all(self, agent: str, *, ended: str = "released") -> int:
        """Give back all that the agent holds, in all projects, and its places in line. Answers how many."""
        count = 0
        for row in await self._db.fetch(_SQL["reservations.projects_of"], agent):
            project = row["project"]
            async with self.ruling(project) as ruling:
                ruling.leave(await ruling.conn.fetch(_SQL["waiting.leave_all"], agent, project))
                held = await ruling.conn.fetch(
                    _SQL["reservations.end_held"], agent, project, ruling.now, ended
                )
                count += len(ruling.end(held))
                await ruling.settle()
                await ruling.write()
        return count

    async def renew(self, reservation_id: str, ttl_minutes: int = 0, *, agent: str = "") -> Reservation:
        """Keep it for that long from now. Raises NotFound, NotAllowed, Conflict if it is over."""
        found = await self.get(reservation_id)
        _owned(found, agent)
        async with self.ruling(found.project) as ruling:
            await ruling.settle()
            until = ruling.now + lifetime(ttl_minutes, self.limits)
            row = await ruling.conn.fetchrow(_SQL["reservations.renew"], reservation_id, until, ruling.now)
            await ruling.write()
        if row is None:
            raise _over()
        return replace(Reservation.of(row), held_by=found.held_by)

    async def transfer(self, reservation_id: str, to: str, *, agent: str = "") -> Reservation:
        """Hand it to another agent, who gets a reservation of its own with a new token and the time left.

        Raises NotFound, NotAllowed, InvalidRequest, LimitReached, Conflict if it is over or the new holder
        would stand in the old one's way.
        """
        found = await self.get(reservation_id)
        _owned(found, agent)
        if not to.strip() or to == found.agent:
            raise InvalidRequest("The request must name another agent.", code="agent_required")
        async with self.ruling(found.project) as ruling:
            await ruling.settle()
            rows = await ruling.conn.fetch(
                _SQL["reservations.end"], reservation_id, ruling.now, "transferred"
            )
            if not rows:
                raise _over()
            ruling.end(rows, transferred_to=to)
            claim = Claim(
                id=str(self._new_id()),
                project=found.project,
                agent=to,
                patterns=(Pattern(found.pattern),),
                exclusive=found.exclusive,
                reason=found.reason,
                ttl=rows[0]["expires_at"] - ruling.now,
            )
            await ruling.check_room(claim)
            if obstacles := await ruling.held(claim):
                raise obstacles.conflict(ruling.now)
            ruling.grant(claim, transferred_from=found.agent)
            await ruling.settle()
            written = await ruling.write()
        return written[claim.id][0]

    async def leave(self, waiting_id: str, *, agent: str = "") -> None:
        """Give up a place in line. Raises NotFound, NotAllowed."""
        claim = (await self.place(waiting_id)).waiter.claim
        if agent and claim.agent != agent:
            raise NotAllowed("Another agent waits there.", code="not_the_holder")
        async with self.ruling(claim.project) as ruling:
            ruling.leave(await ruling.conn.fetch(_SQL["waiting.leave"], [waiting_id]))
            await ruling.settle()
            await ruling.write()

    @asynccontextmanager
    async def ruling(self, project: str) -> AsyncIterator[Ruling]:
        """A transaction that decides about the project, alone. Raises Unavailable where too many want to."""
        await self._journal.ensure_project(project)
        async with self._turns.of(project), self._journal.writing() as entry:
            yield await Ruling.open(entry, project, self.limits, self.clock)

    async def _known(self, ruling: Ruling, claim: Claim) -> Granted | Waiting | None:
        """What was answered when the same was asked by the same id. Raises Conflict if it was not that."""
        if rows := await ruling.conn.fetch(_SQL["reservations.some"], list(claim.ids)):
            found = sorted(map(Reservation.of, rows), key=lambda one: one.token)
            same = [(one.project, one.agent, one.pattern) for one in found]
            if same != [(claim.project, claim.agent, text) for text in claim.texts]:
                raise taken(claim.id)
            return Granted(reservations=found)
        for waiter in ruling.line:
            if waiter.claim.id == claim.id:
                if (waiter.claim.agent, waiter.claim.texts) != (claim.agent, claim.texts):
                    raise taken(claim.id)
                return Waiting(place=(await placed(ruling.line, waiter))[0], obstacles=Obstacles())
        return None

    async def _decided(self, ruling: Ruling, claim: Claim, wait: int) -> Waiting | Obstacles | None:
        """None: it is granted. It may be already, in line, by this very transaction."""
        if ruling.granted(claim.id):
            return None
        await ruling.check_room(claim)
        obstacles = await ruling.obstacles(claim)
        if obstacles and wait > 0:
            longest = self.limits.longest_ttl.total_seconds()
            place = await ruling.join(claim, ruling.now + timedelta(seconds=min(wait, longest)))
            return Waiting(place=place, obstacles=obstacles)
        if obstacles:
            return obstacles
        ruling.grant(claim)
        return None


def _owned(found: Reservation, agent: str) -> None:
    if agent and found.agent != agent:
        raise NotAllowed("Another agent holds this.", code="not_the_holder")


def _over() -> Conflict:
    return Conflict("This reservation is over.", code="reservation_ended")
