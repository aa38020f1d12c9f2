"""intermute asked in this process: as the host, for one of its containers at a time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

from asyncpg.protocol import Record

from demarch.errors import NotFound
from host.coordination.holdings import Holdings
from host.coordination.identity import PREFIX, Me
from host.coordination.port import (
    Fellow,
    Holding,
    InLine,
    Letter,
    NewLetter,
    Page,
    Presentation,
    Sent,
    Wanted,
)
from host.coordination.refusals import translated
from intermute.agents.agent import Agent
from intermute.agents.registration import Wanted as Registering
from intermute.caller import Caller, Mode
from intermute.messages import letter
from intermute.messages.marks import Mark
from intermute.service import Service
from storage import sql
from storage.clock import Clock
from storage.database import Database

MOST = 1000  #: agents of a project that are looked at

_SQL = sql.load("host", "coordination")


class InProcess:
    """Implements `host.coordination.port.Coordination`."""

    def __init__(self, service: Service, database: Database, clock: Clock) -> None:
        self._service = service
        self._database = database
        self._holdings = Holdings(service.reservations, database, clock)
        self._arrived: set[Me] = set()

    async def present(self, me: Me, presentation: Presentation) -> None:
        await self._register(
            me,
            Registering(
                id=me.agent,
                name=me.name,
                project=me.project,
                capabilities=list(presentation.capabilities),
                metadata=presentation.metadata,
                status=presentation.status,
            ),
        )

    async def arrive(self, me: Me) -> None:
        """What it said about itself earlier stays."""
        if me in self._arrived:
            self._service.guards.touch(me.agent)
            return
        with translated():
            known = await self._database.fetchval(_SQL["coordination.project"], me.agent)
        if known == me.project:
            self._arrived.add(me)
            self._service.guards.touch(me.agent)
            return
        await self._register(me, Registering(id=me.agent, name=me.name, project=me.project, status="active"))

    def alive(self, agents: Iterable[str]) -> None:
        for agent in agents:
            self._service.guards.touch(agent)

    async def fellows(self, project: str) -> Sequence[Fellow]:
        with translated():
            page = await self._service.agents.list(_host(project), project, limit=MOST)
        return [_fellow(each) for each in page.items]

    async def is_known(self, project: str, agent: str) -> bool:
        try:
            with translated():
                await self._service.agents.get(_host(project), agent)
        except NotFound:
            return False
        return True

    async def send(self, me: Me, new: NewLetter, key: str) -> Sent:
        letter_ = letter.Letter(
            project=me.project,
            id=key,
            sender=me.agent,
            to=list(new.to),
            cc=list(new.cc),
            thread_id=new.thread,
            subject=new.subject,
            topic=new.topic.strip().lower(),
            body=new.body,
            importance=new.importance,
            ack_required=new.ack_required,
        )
        with translated():
            sent = await self._service.mailroom.messages.send(letter_)
        return Sent(cursor=sent.cursor, denied=tuple(sent.denied))

    async def sent(self, me: Me, key: str) -> bool:
        with translated():
            return await self._service.mailroom.messages.standing(me.project, key) is not None

    async def inbox(self, me: Me, since: int, limit: int) -> Page:
        with translated():
            rows = await self._service.mailroom.inbox.page(me.project, me.agent, since, limit)
        letters = [_letter(row) for row in rows]
        return Page(letters=letters, cursor=letters[-1].cursor if letters else since)

    async def acknowledge(self, me: Me, letters: Sequence[str]) -> None:
        await self._mark(me, letters, ack=True)

    async def read(self, me: Me, letters: Sequence[str]) -> None:
        await self._mark(me, letters, ack=False)

    async def reserve(self, me: Me, wanted: Wanted, key: str) -> Sequence[Holding] | InLine:
        return await self._holdings.reserve(me, wanted, key)

    async def renew(self, me: Me, reservation: str, lasts: timedelta) -> Holding:
        return await self._holdings.renew(me, reservation, lasts)

    async def reserved(self, me: Me, key: str) -> Holding | None:
        return await self._holdings.reserved(me, key)

    async def waits(self, me: Me, key: str) -> bool:
        return await self._holdings.waits(me, key)

    async def leave_line(self, me: Me, patterns: Sequence[str] | None) -> Mapping[str, Sequence[str]]:
        return await self._holdings.leave_line(me, patterns)

    async def release(self, me: Me, reservation: str) -> None:
        await self._holdings.release(me, reservation)

    async def conflicts(self, me: Me, patterns: Sequence[str], *, exclusive: bool) -> Sequence[Holding]:
        return await self._holdings.conflicts(me, patterns, exclusive=exclusive)

    async def holdings(self, project: str) -> Sequence[Holding]:
        return await self._holdings.of_project(project)

    async def own(self, me: Me) -> Sequence[Holding]:
        return await self._holdings.own(me)

    async def known(self) -> Sequence[Me]:
        with translated():
            rows = await self._database.fetch(_SQL["coordination.ours"], PREFIX)
        return [Me(agent=row["id"], name=row["name"], project=row["project"]) for row in rows]

    async def forget(self, me: Me) -> None:
        await self._holdings.leave(me)
        self._arrived.discard(me)
        with translated():
            await self._service.agents.remove(as_host(me), me.agent)

    async def move(self, me: Me, now: Me) -> None:
        await self._holdings.leave(me)
        self._arrived.discard(me)
        await self.arrive(now)

    async def _register(self, me: Me, wanted: Registering) -> None:
        with translated():
            await self._service.agents.register(as_host(me), wanted)
        self._arrived.add(me)

    async def _mark(self, me: Me, letters: Sequence[str], *, ack: bool) -> None:
        with translated():
            for message in letters:
                mark = Mark(project=me.project, message_id=message, agent=me.agent, ack=ack)
                await self._service.mailroom.marks.put(mark)


def as_host(me: Me) -> Caller:
    """The host, for this container and nobody else."""
    return Caller(mode=Mode.HOST, project=me.project, agent=me.agent, proven=me.agent)


def _host(project: str) -> Caller:
    """The host itself, looking."""
    return Caller(mode=Mode.HOST, project=project)


def _fellow(agent: Agent) -> Fellow:
    metadata = agent.metadata or {}
    return Fellow(
        agent=agent.id,
        name=agent.name,
        project=agent.project,
        last_seen=agent.last_seen,
        status=agent.status,
        objective=metadata.get("objective", ""),
    )


def _letter(row: Record) -> Letter:
    return Letter(
        id=row["id"],
        cursor=row["cursor"],
        sender=row["sender"],
        to=tuple(row["recipients"]),
        body=row["body"],
        sent_at=row["created_at"],
        subject=row["subject"],
        thread=row["thread_id"],
        importance=row["importance"],
        ack_required=row["ack_required"],
    )
