"""What stands in the way of a claim: what others hold, and who has been waiting for longer."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from asyncpg.protocol import Record

from intermute import times
from intermute.errors import Conflict
from intermute.globs.anchors import search
from intermute.globs.pattern import Pattern
from intermute.reservations.claim import Claim
from intermute.reservations.effort import Effort
from storage import sql
from storage.database import Connection

NAMED = 100  #: obstacles named in an answer
FETCHED = 200  #: rows at a time

_SQL = sql.load("intermute", "reservations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """`requested` is the claim's pattern that it overlaps; `waiting`: it is a place in line, no grant."""

    id: str
    agent: str
    held_by: str
    pattern: str
    requested: str
    exclusive: bool
    reason: str
    expires_at: datetime
    token: int = 0
    waiting: bool = False

    def told(self, now: datetime) -> dict[str, Any]:
        """Its JSON. The original's members first; a place in line is no reservation yet."""
        left = max(0, round((self.expires_at - now).total_seconds()))
        return {
            "reservation_id": "" if self.waiting else self.id,
            "agent_id": self.agent,
            "held_by": self.held_by,
            "pattern": self.pattern,
            **({"reason": self.reason} if self.reason else {}),
            "expires_at": times.precise(self.expires_at),
            "expires_in_seconds": left,
            "exclusive": self.exclusive,
            "requested": self.requested,
            **({"waiting_id": self.id} if self.waiting else {}),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacles:
    """Those found; `more`: there are others that are not named."""

    found: Sequence[Obstacle] = field(default=())
    more: bool = False

    def __bool__(self) -> bool:
        return bool(self.found)

    def conflict(self, now: datetime) -> "InTheWay":
        return InTheWay(self, now)


class InTheWay(Conflict):
    """Others hold what was asked for, or came first in line: `obstacles`, at least one."""

    code = "reservation_conflict"

    def __init__(self, obstacles: Obstacles, now: datetime) -> None:
        first = obstacles.found[0]
        does = "is waiting for" if first.waiting else "holds"
        super().__init__(
            f"{first.held_by} {does} {first.pattern}.",
            details={"conflicts": [each.told(now) for each in obstacles.found], "more": obstacles.more},
        )
        self.obstacles = obstacles


async def held(conn: Connection, claim: Claim, now: datetime, effort: Effort) -> Obstacles:
    """What others hold that the claim cannot be granted beside; without names yet. Raises TooCostly."""
    found: dict[str, Obstacle] = {}
    for pattern in claim.patterns:
        if not await _collect(conn, claim, pattern, now, found, effort):
            return Obstacles(found=tuple(found.values()), more=True)
    return Obstacles(found=tuple(found.values()))


async def named(conn: Connection, obstacles: Obstacles) -> Obstacles:
    """The same, with the names of the agents that have one."""
    if not obstacles:
        return obstacles
    agents = sorted({obstacle.agent for obstacle in obstacles.found})
    names = {row["id"]: row["name"] for row in await conn.fetch(_SQL["reservations.names"], agents)}
    found = [replace(one, held_by=names.get(one.agent, one.agent)) for one in obstacles.found]
    return Obstacles(found=tuple(found), more=obstacles.more)


async def _collect(
    conn: Connection,
    claim: Claim,
    pattern: Pattern,
    now: datetime,
    found: dict[str, Obstacle],
    effort: Effort,
) -> bool:
    """Add what overlaps the pattern; False when there is more than an answer names."""
    near, args, outline = _near(claim, pattern, now)
    # One answer, as a rule. Where there is a lot, as much at a time as it takes.
    rows = await conn.fetch(near, *args, FETCHED, *outline)
    all_named = await _compare(pattern, rows, found, effort)
    if not all_named or len(rows) < FETCHED:
        return all_named
    async with conn.transaction():
        cursor = await conn.cursor(near, *args, None, *outline)
        while rows := await cursor.fetch(FETCHED):
            if not await _compare(pattern, rows, found, effort):
                return False
    return True


def _near(claim: Claim, pattern: Pattern, now: datetime) -> tuple[str, tuple[Any, ...], tuple[Any, ...]]:
    """The search for what may overlap the pattern, and what it asks with before and after the limit."""
    place, outline = search(pattern), pattern.outline
    args = (claim.project, place.at, place.first, place.end, claim.agent, claim.exclusive, now)
    if place.folder is not None:
        more = (place.folder, outline.ending, outline.beginning)
        return _SQL["reservations.near_in_folder"], args, more
    number, segment = pattern.landmark or (None, None)
    return _SQL["reservations.near"], args, (outline.folder, outline.ending, outline.most, number, segment)


async def _compare(
    pattern: Pattern, rows: Sequence[Record], found: dict[str, Obstacle], effort: Effort
) -> bool:
    for row in rows:
        if row["id"] in found or not await effort.meet(pattern, Pattern(row["pattern"])):
            continue
        if len(found) == NAMED:
            return False
        found[row["id"]] = Obstacle(**dict(row), held_by=row["agent"], requested=pattern.text)
    return True
