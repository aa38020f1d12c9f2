"""One transaction that decides who holds what in a project. Others who want to decide there wait for it.

It begins by ending what is over (after a long night, the first of it), so that who is freed, who is told and
who is served next is decided here, in one order, and not by the clocks of several replicas. Decisions are
collected and written at the end, because the counter of events, which everybody shares, is taken last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from asyncpg.protocol import Record

from intermute.errors import LimitReached
from intermute.events.event import NewEvent
from intermute.events.journal import Entry
from intermute.globs.pattern import Pattern
from intermute.limits import Limits
from intermute.reservations import grants, obstacles, telling
from intermute.reservations.claim import Claim
from intermute.reservations.effort import SETTLING, Effort, TooCostly
from intermute.reservations.grants import Grant
from intermute.reservations.line import LINE, Place, Waiter, placed
from intermute.reservations.obstacles import NAMED, Obstacle, Obstacles
from intermute.reservations.reservation import Reservation
from storage import sql
from storage.clock import Clock

AT_ONCE = 1000  #: reservations ended by one transaction because their time is over

_SQL = sql.load("intermute", "reservations", "waiting")


class Ruling:
    """`open` it, end what is to be ended, `settle` the line, decide, `write`."""

    def __init__(self, entry: Entry, project: str, limits: Limits, now: datetime) -> None:
        self._entry = entry
        self.conn = entry.conn
        self._project = project
        self._limits = limits
        self.now = now
        self.line: list[Waiter] = []
        self._freed: list[Claim] = []
        self._events: list[NewEvent] = []
        self._grants: list[Grant] = []
        self._stored: dict[str, Sequence[Claim]] = {}
        self._asking, self._settling = Effort(), Effort(SETTLING)

    @classmethod
    async def open(cls, entry: Entry, project: str, limits: Limits, clock: Clock) -> "Ruling":
        """Wait for the project, whose row must be there, and end what is over."""
        await entry.conn.fetchrow(_SQL["reservations.decide"], project)
        ruling = cls(entry, project, limits, clock.now())
        await ruling._begin()
        return ruling

    def end(self, rows: Sequence[Record], **told: Any) -> Sequence[Reservation]:
        """Take note that these were ended just now."""
        ended = [Reservation.of(row) for row in rows]
        for one in ended:
            self._events.append(telling.ended(one, **told))
            self._freed.append(_claim(one.id, self._project, one.agent, one.pattern, one.exclusive))
            self._stored.pop(one.agent, None)
        return ended

    def leave(self, rows: Sequence[Record], *, told: bool = False) -> None:
        """Take note that these no longer wait."""
        left = {row["id"]: Waiter.of(row).claim for row in rows}
        self.line = [waiter for waiter in self.line if waiter.claim.id not in left]
        self._freed += left.values()
        self._events += [telling.wait_over(claim) for claim in left.values() if told]

    async def settle(self) -> None:
        """Grant to those in line what has become free, in their order."""
        freed, self._freed = self._freed, []
        waiting: list[Waiter] = []
        for waiter in self.line:
            if await self._served(waiter.claim, freed, waiting):
                self.grant(waiter.claim, waiting_id=waiter.claim.id)
            else:
                waiting.append(waiter)
        served = [waiter.claim.id for waiter in self.line if waiter not in waiting]
        self.line = waiting
        if served:
            await self.conn.execute(_SQL["waiting.leave"], served)

    async def _served(self, claim: Claim, freed: Sequence[Claim], before: Sequence[Waiter]) -> bool:
        """Whether somebody in line gets what they wait for. Who is too much work waits on."""
        effort = self._settling
        try:
            concerned = any([await _concerns(each, claim, effort) for each in freed])
            return concerned and await self.room(claim) and not await self._stopped(claim, before, effort)
        except TooCostly:
            return False

    async def room(self, claim: Claim) -> bool:
        """Whether the agent may hold that many more."""
        return await self._holding(claim.agent) + len(claim.patterns) <= self._limits.reservations

    async def check_room(self, claim: Claim) -> None:
        """Raises LimitReached."""
        if not await self.room(claim):
            limit, held = self._limits.reservations, await self._holding(claim.agent)
            raise LimitReached(
                f"An agent holds {limit} reservations in a project at most; this one holds {held}.",
                code="reservation_limit",
                details={"reason": "reservation_limit", "limit": limit, "active": held},
            )

    def granted(self, claim_id: str) -> bool:
        """Whether the claim of this id was granted just now."""
        return any(grant.claim.id == claim_id for grant in self._grants)

    async def held(self, claim: Claim) -> Obstacles:
        """What others hold in the claim's way; names are in. Raises TooCostly."""
        held = await obstacles.held(self.conn, claim, self.now, self._asking)
        return await obstacles.named(self.conn, held)

    async def obstacles(self, claim: Claim) -> Obstacles:
        """What stands in the claim's way, in line too; names are in. Raises TooCostly."""
        effort = self._asking
        held = await obstacles.held(self.conn, claim, self.now, effort)
        found = [*held.found, *await self._just_granted(claim, effort)]
        found += [waiter.obstacle(claim) for waiter in await self._before(claim, self.line, effort)]
        more = held.more or len(found) > NAMED
        return await obstacles.named(self.conn, Obstacles(found=found[:NAMED], more=more))

    def grant(self, claim: Claim, **told: Any) -> None:
        self._grants.append(Grant(claim=claim, told=told))

    async def join(self, claim: Claim, until: datetime) -> Place:
        """Stand in line. Raises LimitReached, Conflict."""
        mine = sum(waiter.claim.agent == claim.agent for waiter in self.line)
        if mine >= self._limits.waiting or len(self.line) >= LINE:
            raise LimitReached(
                f"The line of this project is full, or this agent has {self._limits.waiting} places in it.",
                code="waiting_limit",
                details={"reason": "waiting_limit", "limit": self._limits.waiting, "waiting": mine},
            )
        row = await self.conn.fetchrow(
            _SQL["waiting.join"],
            *(claim.id, self._project, claim.agent, claim.texts, claim.exclusive),
            *(claim.reason, claim.ttl, self.now, until),
        )
        if row is None:
            raise grants.taken(claim.id)
        return (await placed(self.line, Waiter.of(row)))[0]

    async def write(self) -> Mapping[str, Sequence[Reservation]]:
        """Put the decisions on record. Answers the grants by the id of their claim. Raises Conflict."""
        return await grants.write(self._entry, self._events, self._grants, self.now)

    async def _begin(self) -> None:
        # In two steps: as one, a plan made while the table was small would read all of it each time.
        over = await self.conn.fetch(_SQL["reservations.over"], self._project, self.now, AT_ONCE)
        if over:
            due = [row["id"] for row in over]
            self.end(await self.conn.fetch(_SQL["reservations.end_due"], due, self.now))
        self.line = [Waiter.of(row) for row in await self.conn.fetch(_SQL["waiting.line"], self._project)]
        if late := [waiter.claim.id for waiter in self.line if waiter.expires_at <= self.now]:
            self.leave(await self.conn.fetch(_SQL["waiting.leave"], late), told=True)

    async def _stopped(self, claim: Claim, before: Sequence[Waiter], effort: Effort) -> bool:
        if await self._just_granted(claim, effort) or await self._before(claim, before, effort):
            return True
        return bool(await obstacles.held(self.conn, claim, self.now, effort))

    async def _before(self, claim: Claim, line: Sequence[Waiter], effort: Effort) -> Sequence[Waiter]:
        """Those in line whose turn comes first. One who waits for the claim's own agent would wait for ever,
        and one who holds all an agent may hold is not to stop others."""
        before = []
        for waiter in line:
            if await waiter.claim.excludes(claim, effort) and await self.room(waiter.claim):
                mine = await self._held(claim.agent)
                if not any([await waiter.claim.excludes(held, effort) for held in mine]):
                    before.append(waiter)
        return before

    async def _just_granted(self, claim: Claim, effort: Effort) -> Sequence[Obstacle]:
        """What was granted in this transaction and is not written yet."""
        made = [grant.claim for grant in self._grants if await grant.claim.excludes(claim, effort)]
        seen = [Waiter(claim=one, created_at=self.now, expires_at=self.now + one.ttl) for one in made]
        return [replace(one.obstacle(claim), waiting=False) for one in seen]

    async def _holding(self, agent: str) -> int:
        return sum(len(claim.patterns) for claim in await self._held(agent))

    async def _held(self, agent: str) -> Sequence[Claim]:
        """What the agent holds, with what was granted just now."""
        if agent not in self._stored:
            rows = await self.conn.fetch(_SQL["reservations.held"], agent, self._project, self.now)
            self._stored[agent] = [
                _claim(row["id"], self._project, agent, row["pattern"], row["exclusive"]) for row in rows
            ]
        return [*self._stored[agent], *(one.claim for one in self._grants if one.claim.agent == agent)]


def _claim(held_id: str, project: str, agent: str, pattern: str, exclusive: bool) -> Claim:
    """What is held, as a claim to compare with others."""
    return Claim(id=held_id, project=project, agent=agent, patterns=(Pattern(pattern),), exclusive=exclusive)


async def _concerns(freed: Claim, waiting: Claim, effort: Effort) -> bool:
    """Whether what was freed may be what the other waits for: it was in its way, or counted to its limit."""
    return freed.agent == waiting.agent or await freed.excludes(waiting, effort)
