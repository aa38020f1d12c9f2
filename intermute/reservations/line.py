"""Standing in line for what somebody else holds: first come, first served, and never for ever."""

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

    @classmethod
    def of(cls, row: Record) -> "Waiter":
        claim = Claim(
            id=row["id"],
            project=row["project"],
            agent=row["agent"],
            patterns=tuple(Pattern.read(text) for text in row["patterns"]),
            exclusive=row["exclusive"],
            reason=row["reason"],
            ttl=row["ttl"],
        )
        return cls(claim=claim, created_at=row["created_at"], expires_at=row["expires_at"])

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


def placed(line: list[Waiter], waiter: Waiter) -> Place:
    """The waiter's place among those in line for something that overlaps."""
    before = line[: next((at for at, one in enumerate(line) if one.claim.id == waiter.claim.id), len(line))]
    return Place(waiter=waiter, place=1 + sum(one.claim.excludes(waiter.claim) for one in before))
