"""Standing in line for what somebody else holds: first come, first served, and never for ever."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg.protocol import Record

from intermute.globs.pattern import Pattern
from intermute.reservations.claim import Claim
from intermute.reservations.obstacles import Obstacle

LINE = 1000  #: places in a project's line


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiter:
    """Somebody in line; they give up at `expires_at`."""

    claim: Claim
    created_at: datetime
    expires_at: datetime
    number: int = 0  #: whoever came later has a greater one

    @classmethod
    def of(cls, row: Record) -> "Waiter":
        claim = Claim(
            id=row["id"],
            project=row["project"],
            agent=row["agent"],
            patterns=tuple(Pattern(text) for text in row["patterns"]),
            exclusive=row["exclusive"],
            reason=row["reason"],
            ttl=row["ttl"],
        )
        return cls(
            claim=claim, created_at=row["created_at"], expires_at=row["expires_at"], number=row["place"]
        )

    def obstacle(self, claim: Claim) -> Obstacle:
        """How the claim sees that they were here first."""
        mine, theirs = next(
            (mine, theirs)
            for mine in claim.patterns
            for theirs in self.claim.patterns
            if mine.overlaps(theirs)
        )
        return Obstacle(
            id=self.claim.id,
            agent=self.claim.agent,
            held_by=self.claim.agent,
            pattern=theirs.text,
            requested=mine.text,
            exclusive=self.claim.exclusive,
            reason=self.claim.reason,
            expires_at=self.expires_at,
            waiting=True,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A waiter and how many are to be served before them, counting themselves: 1 is next."""

    waiter: Waiter
    place: int


async def placed(line: Sequence[Waiter], *waiters: Waiter) -> Sequence[Place]:
    """The places of these among those in line for something that overlaps."""
    return await asyncio.to_thread(lambda: [_placed(line, waiter) for waiter in waiters])


def _placed(line: Sequence[Waiter], waiter: Waiter) -> Place:
    before = itertools.takewhile(lambda one: one.claim.id != waiter.claim.id, line)
    return Place(waiter=waiter, place=1 + sum(one.claim.stops(waiter.claim) for one in before))
