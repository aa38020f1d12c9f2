"""What somebody wants to hold: some patterns, all of them or none, shared or not."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from intermute.errors import InvalidRequest
from intermute.globs.pattern import HEAVY, Pattern
from intermute.limits import Limits
from intermute.reservations.effort import Effort

PATTERNS = 100  #: of one request
TOGETHER = 32_768  #: characters of all of them
ID = 190  #: characters; further reservations of a request get a number behind theirs
RESERVED = ("check", "fence", "waiting", ".", "..")  #: other things beside reservations have these addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The request. With `id`, asking again is answered as before; with `wait_seconds` it may wait."""

    project: str
    agent: str
    patterns: Sequence[str]
    exclusive: bool = False
    reason: str = ""
    ttl_minutes: int = 0  #: 0 or less: the default
    id: str = ""
    wait_seconds: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A request that makes sense."""

    id: str
    project: str
    agent: str
    patterns: tuple[Pattern, ...]
    exclusive: bool
    reason: str = ""
    ttl: timedelta = timedelta()

    @classmethod
    async def of(cls, wanted: Wanted, claim_id: str, limits: Limits) -> "Claim":
        """Raises InvalidRequest."""
        if not wanted.agent.strip():
            raise InvalidRequest("The request must name its agent.", code="agent_required")
        if len(claim_id) > ID or "/" in claim_id or claim_id in RESERVED:
            raise InvalidRequest("The id cannot be part of an address, or is too long.", code="invalid_id")
        if not wanted.patterns:
            raise InvalidRequest("The request must name a path or pattern.", code="pattern_required")
        if len(wanted.patterns) > PATTERNS:
            raise InvalidRequest(f"One request names {PATTERNS} patterns at most.", code="too_many_patterns")
        return cls(
            id=claim_id,
            project=wanted.project,
            agent=wanted.agent,
            patterns=await patterns(wanted.patterns),
            exclusive=wanted.exclusive,
            reason=wanted.reason,
            ttl=lifetime(wanted.ttl_minutes, limits),
        )

    @property
    def ids(self) -> Sequence[str]:
        """One for each pattern: the claim's own, then those made of it."""
        return [self.id, *(f"{self.id}.{number}" for number in range(2, len(self.patterns) + 1))]

    @property
    def texts(self) -> Sequence[str]:
        return [pattern.text for pattern in self.patterns]

    async def excludes(self, other: "Claim", effort: Effort) -> bool:
        """Whether the two cannot be held at the same time. Raises TooCostly."""
        if not self._matters_to(other):
            return False
        for mine in self.patterns:
            for theirs in other.patterns:
                if await effort.meet(mine, theirs):
                    return True
        return False

    def stops(self, other: "Claim") -> bool:
        """The same, here and now, whatever it costs."""
        if not self._matters_to(other):
            return False
        return any(mine.overlaps(theirs) for mine in self.patterns for theirs in other.patterns)

    def _matters_to(self, other: "Claim") -> bool:
        return self.agent != other.agent and (self.exclusive or other.exclusive)


async def patterns(texts: Sequence[str]) -> tuple[Pattern, ...]:
    """Each once. Raises InvalidRequest."""
    different = list(dict.fromkeys(texts))
    if sum(map(len, different)) > TOGETHER:
        raise InvalidRequest(
            f"The patterns have more than {TOGETHER:,} characters.", code="too_many_patterns"
        )
    if sum(map(len, different)) <= HEAVY:
        return tuple(map(Pattern.read, different))
    return await asyncio.to_thread(lambda: tuple(map(Pattern.read, different)))


def lifetime(minutes: int, limits: Limits) -> timedelta:
    """How long a grant lasts: the default where nothing is asked for, and never too long."""
    if minutes <= 0:
        return min(limits.ttl, limits.longest_ttl)
    longest = limits.longest_ttl.total_seconds()
    return timedelta(seconds=min(minutes * 60, longest))
