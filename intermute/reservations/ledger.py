"""Looking up who holds and who waits for what, without holding anybody up."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from asyncpg.protocol import Record

from intermute.errors import NotFound
from intermute.events.journal import Entry
from intermute.globs.pattern import Pattern
from intermute.limits import Limits
from intermute.reservations import obstacles
from intermute.reservations.claim import Claim, patterns
from intermute.reservations.effort import Effort
from intermute.reservations.line import LINE, Place, Waiter, placed
from intermute.reservations.obstacles import Obstacles
from intermute.reservations.reservation import Reservation
from intermute.reservations.ruling import Ruling
from intermute.reservations.turns import Turns
from storage import sql
from storage.clock import Clock
from storage.database import Database

LOOKING = 2  #: at a time who look up what is in the way in one project: others need connections too

#: before the newest
NEWEST = 2**63 - 1

_SQL = sql.load("intermute", "reservations", "waiting")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some reservations, the newest first; `more`: there are older ones."""

    reservations: Sequence[Reservation]
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a token still allows to write to a path, and if not, why: unknown, ended or elsewhere."""

    valid: bool
    reason: str
    latest: int  #: the greatest token by which the path is held now, 0: by none
    reservation: Reservation | None


class Ledger:
    def __init__(self, db: Database, clock: Clock, limits: Limits) -> None:
        self._db = db
        self.clock = clock
        self.limits = limits
        self._looks = Turns(abreast=LOOKING)

    async def active(self, project: str, *, before: int = 0, limit: int = 1000) -> Page:
        """What is held in the project."""
        args = (project, self.clock.now(), before or NEWEST, limit + 1)
        return _page(await self._db.fetch(_SQL["reservations.active"], *args), limit)

    async def of_agent(
        self, agent: str, project: str | None = None, *, before: int = 0, limit: int = 1000
    ) -> Page:
        """What the agent holds or ever held, in one project or (None) in all."""
        args = (agent, project, before or NEWEST, limit + 1)
        return _page(await self._db.fetch(_SQL["reservations.of_agent"], *args), limit)

    async def get(self, reservation_id: str) -> Reservation:
        """Raises NotFound."""
        row = await self._db.fetchrow(_SQL["reservations.get"], reservation_id)
        if row is None:
            raise missing()
        return Reservation.of(row)

    async def check(
        self, project: str, patterns: Sequence[str], *, exclusive: bool = True, agent: str = ""
    ) -> Obstacles:
        """What would stand in the way; what `agent` holds itself would not.

        Raises InvalidRequest, TooCostly, Unavailable.
        """
        claim = await _asked(project, patterns, exclusive, agent)
        async with self._looks.of(project), self._db.connection() as conn:
            ruling = Ruling(Entry(conn, self.clock), project, self.limits, self.clock.now())
            ruling.line = [
                waiter
                for waiter in map(Waiter.of, await conn.fetch(_SQL["waiting.line"], project))
                if waiter.expires_at > ruling.now
            ]
            return await ruling.obstacles(claim)

    async def fence(self, project: str, path: str, token: int) -> Verdict:
        """Whether the token's reservation still holds the path, all of it. Raises like `check`."""
        claim, now, effort = await _asked(project, (path,), True, ""), self.clock.now(), Effort()
        async with self._looks.of(project), self._db.connection() as conn:
            holders = await obstacles.held(conn, claim, now, effort)
            row = await conn.fetchrow(_SQL["reservations.of_token"], token, project)
        latest = max((holder.token for holder in holders.found), default=0)
        found = None if row is None else Reservation.of(row)
        reason = ""
        if found is None:
            reason = "unknown"
        elif not found.active(now):
            reason = "ended"
        elif not await asyncio.to_thread(Pattern(found.pattern).covers, claim.patterns[0]):
            reason = "elsewhere"
        return Verdict(valid=not reason, reason=reason, latest=latest, reservation=found)

    async def line(
        self, project: str, agent: str = "", *, after: int = 0, limit: int = LINE
    ) -> Sequence[Place]:
        """Who waits in the project, the first first, behind number `after`; with `agent`, only its places.

        What that costs grows with the square of the places asked for.
        """
        now = self.clock.now()
        rows = await self._db.fetch(_SQL["waiting.line"], project)
        line = [waiter for waiter in map(Waiter.of, rows) if waiter.expires_at > now]
        mine = [one for one in line if agent in ("", one.claim.agent) and one.number > after]
        return await placed(line, *mine[:limit])

    async def place(self, waiting_id: str) -> Place:
        """Raises NotFound, also when it is granted or was given up."""
        row = await self._db.fetchrow(_SQL["waiting.get"], waiting_id)
        if row is not None:
            for place in await self.line(row["project"], row["agent"]):
                if place.waiter.claim.id == waiting_id:
                    return place
        raise NotFound("Nobody waits by this id (any more).", code="waiting_not_found")


def missing() -> NotFound:
    return NotFound("There is no such reservation, or it was given back.", code="reservation_not_found")


async def _asked(project: str, texts: Sequence[str], exclusive: bool, agent: str) -> Claim:
    return Claim(id="", project=project, agent=agent, patterns=await patterns(texts), exclusive=exclusive)


def _page(rows: Sequence[Record], limit: int) -> Page:
    found = [Reservation.of(row) for row in rows]
    return Page(reservations=found[:limit], more=len(found) > limit)
