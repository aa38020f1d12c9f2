"""Reservations of intermute, asked in this process for one of our containers."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from demarch.errors import NotFound
from host.coordination.conflicts import Held
from host.coordination.identity import Me
from host.coordination.port import Holding, InLine, Wanted
from host.coordination.refusals import translated
from intermute.reservations import claim
from intermute.reservations.obstacles import InTheWay, Obstacles
from intermute.reservations.reservation import Reservation
from intermute.reservations.reservations import Granted, Reservations
from storage import sql
from storage.clock import Clock
from storage.database import Database

MOST = 200  #: of a project that are looked at

_SQL = sql.load("host", "coordination")


class Holdings:
    """Who asks is who holds: guards stand at the service's edge, so this speaks for `me` alone."""

    def __init__(self, reservations: Reservations, database: Database, clock: Clock) -> None:
        self._reservations = reservations
        self._database = database
        self._clock = clock

    async def reserve(self, me: Me, wanted: Wanted, key: str) -> Sequence[Holding] | InLine:
        asked = claim.Wanted(
            project=me.project,
            agent=me.agent,
            patterns=wanted.patterns,
            exclusive=wanted.exclusive,
            reason=wanted.reason,
            ttl_minutes=_minutes(wanted.lasts),
            id=key,
            wait_seconds=round(wanted.waits.total_seconds()),
        )
        try:
            with translated(apart=InTheWay):
                granted = await self._reservations.reserve(asked)
        except InTheWay as error:
            raise Held(_in_the_way(error.obstacles, me.project), self._clock.now()) from error
        if not isinstance(granted, Granted):
            return InLine(place=granted.place.place)
        return [_holding(each) for each in granted.reservations]

    async def renew(self, me: Me, reservation: str, lasts: timedelta) -> Holding:
        with translated():
            return _holding(await self._reservations.renew(reservation, _minutes(lasts), agent=me.agent))

    async def reserved(self, me: Me, key: str) -> Holding | None:
        try:
            with translated():
                found = await self._reservations.get(key)
        except NotFound:
            return None
        return _holding(found) if found.agent == me.agent else None

    async def waits(self, me: Me, key: str) -> bool:
        try:
            with translated():
                place = await self._reservations.place(key)
        except NotFound:
            return False
        return place.waiter.claim.agent == me.agent

    async def leave_line(self, me: Me, patterns: Sequence[str] | None) -> Mapping[str, Sequence[str]]:
        left: dict[str, Sequence[str]] = {}
        with translated():
            for place in await self._reservations.line(me.project, me.agent):
                waiting = place.waiter.claim
                if patterns is None or any(text in patterns for text in waiting.texts):
                    await self._reservations.leave(waiting.id, agent=me.agent)
                    left[waiting.id] = waiting.texts
        return left

    async def release(self, me: Me, reservation: str) -> None:
        with translated():
            await self._reservations.release(reservation, agent=me.agent)

    async def conflicts(self, me: Me, patterns: Sequence[str], *, exclusive: bool) -> Sequence[Holding]:
        with translated():
            found = await self._reservations.check(me.project, patterns, exclusive=exclusive, agent=me.agent)
        return _in_the_way(found, me.project)

    async def of_project(self, project: str) -> Sequence[Holding]:
        with translated():
            page = await self._reservations.active(project, limit=MOST)
        return [_holding(each) for each in page.reservations]

    async def own(self, me: Me) -> Sequence[Holding]:
        with translated():
            rows = await self._database.fetch(
                _SQL["coordination.own"], me.agent, me.project, self._clock.now()
            )
        return [_holding(Reservation.of(row)) for row in rows]

    async def leave(self, me: Me) -> None:
        """Nothing is held any more, and nothing waited for."""
        with translated():
            await self._reservations.release_all(me.agent)


def _minutes(lasts: timedelta) -> int:
    return max(1, round(lasts.total_seconds() / 60))


def _holding(found: Reservation) -> Holding:
    return Holding(
        id=found.id,
        agent=found.agent,
        name=found.held_by,
        project=found.project,
        pattern=found.pattern,
        exclusive=found.exclusive,
        reason=found.reason,
        expires_at=found.expires_at,
        token=found.token,
        ended=found.released_at is not None,
    )


def _in_the_way(obstacles: Obstacles, project: str) -> list[Holding]:
    return [
        Holding(
            id=each.id,
            agent=each.agent,
            name=each.held_by,
            project=project,
            pattern=each.pattern,
            exclusive=each.exclusive,
            reason=each.reason,
            expires_at=each.expires_at,
            token=each.token,
            waiting=each.waiting,
        )
        for each in obstacles.found
    ]
