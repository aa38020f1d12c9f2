"""Grants decided in one transaction, and how they get on record with their tokens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from intermute.errors import Conflict
from intermute.events.event import NewEvent
from intermute.events.journal import Entry
from intermute.globs.pattern import Pattern
from intermute.reservations import telling
from intermute.reservations.claim import Claim
from intermute.reservations.reservation import Reservation
from storage import sql
from storage.database import Connection

_SQL = sql.load("intermute", "reservations")


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A claim that is granted; `told` is what its events say beside the usual."""

    claim: Claim
    told: Mapping[str, Any]


async def write(
    entry: Entry, others: Sequence[NewEvent], grants: Sequence[Grant], now: datetime
) -> Mapping[str, Sequence[Reservation]]:
    """Tell the events and put the grants on record; by the id of each claim. Raises Conflict."""
    made = [
        (grant, pattern, _reservation(grant.claim, name, pattern, now))
        for grant in grants
        for name, pattern in zip(grant.claim.ids, grant.claim.patterns, strict=True)
    ]
    events = [telling.granted(one, **grant.told) for grant, _, one in made]
    told = await entry.tell([*others, *events])
    numbers = [event.cursor for event in told[len(others) :]]
    numbered = [replace(one, token=number) for (_, _, one), number in zip(made, numbers, strict=True)]
    if numbered:
        await _insert(entry.conn, numbered, [pattern for _, pattern, _ in made])
    by_claim: dict[str, list[Reservation]] = {}
    for (grant, _, _), one in zip(made, numbered, strict=True):
        by_claim.setdefault(grant.claim.id, []).append(one)
    return by_claim


def taken(claim_id: str) -> Conflict:
    return Conflict(f"The id {claim_id} stands for another reservation.", code="reservation_id_taken")


def _reservation(claim: Claim, name: str, pattern: Pattern, now: datetime) -> Reservation:
    return Reservation(
        id=name,
        project=claim.project,
        agent=claim.agent,
        held_by=claim.agent,
        pattern=pattern.text,
        exclusive=claim.exclusive,
        reason=claim.reason,
        token=0,
        created_at=now,
        expires_at=now + claim.ttl,
    )


async def _insert(conn: Connection, made: Sequence[Reservation], patterns: Sequence[Pattern]) -> None:
    tag = await conn.execute(
        _SQL["reservations.insert"],
        [one.id for one in made],
        [one.pattern for one in made],
        [pattern.anchor for pattern in patterns],
        [one.token for one in made],
        made[0].project,
        [one.agent for one in made],
        [one.exclusive for one in made],
        [one.reason for one in made],
        made[0].created_at,
        [one.expires_at for one in made],
        [pattern.outline.ending for pattern in patterns],
        [pattern.outline.most for pattern in patterns],
    )
    if tag != f"INSERT 0 {len(made)}":
        raise taken(made[0].id)
