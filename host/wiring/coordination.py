"""intermute inside the host: opened beside everything else, used by the agents' tools, told in /status."""

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from demarch.projects import Projects
from host.coordination.addressing import Addressing
from host.coordination.care import Care
from host.coordination.deeds import Deeds
from host.coordination.identity import Whereabouts
from host.coordination.in_process import InProcess
from host.coordination.marks import Marks
from host.coordination.overview import Overview
from host.coordination.port import Coordination
from host.coordination.rules import keys_file, limits_of, live_of, retention_of
from host.coordination.running import Running
from host.coordination.tainting import LaterTainting
from host.coordination.tools import CoordinationTools
from host.coordination.waits import Waits, WaitStore
from host.decisions.followups import AgentEar
from host.people.registry import Registry
from host.tools.writing import Writing
from host.wiring.ground import Ground
from intermute.keys import Keyring
from intermute.limits import Limits
from intermute.service import Given, Service
from storage.clock import Clock
from storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinating:
    """What tools, desk and status need of it."""

    coordination: Coordination
    whereabouts: Whereabouts
    addressing: Addressing
    overview: Overview
    marks: Marks
    waits: WaitStore
    tainting: LaterTainting

    def deeds(self, clock: Clock) -> Deeds:
        return Deeds(self.coordination, self.waits, clock)

    def tools(self, writing: Writing, clock: Clock) -> CoordinationTools:
        return CoordinationTools(
            coordination=self.coordination,
            whereabouts=self.whereabouts,
            addressing=self.addressing,
            writing=writing,
            tainting=self.tainting,
            marks=self.marks,
            clock=clock,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Intermute:
    """The service and what runs it here."""

    service: Service
    running: Running
    coordinating: Coordinating

    def waits(self, ground: Ground, ear: AgentEar) -> Waits:
        return Waits(
            store=self.coordinating.waits,
            coordination=self.coordinating.coordination,
            registry=ground.registry,
            ear=ear,
            database=ground.db,
            clock=ground.clock,
        )

    def care(self, ground: Ground, living: Callable[[], Collection[str]]) -> Care:
        return Care(
            coordination=self.coordinating.coordination,
            registry=ground.registry,
            whereabouts=self.coordinating.whereabouts,
            marks=self.coordinating.marks,
            living=living,
            clock=ground.clock,
            grace=ground.settings.intermute.grace,
        )


@asynccontextmanager
async def open_intermute(ground: Ground, projects: Projects) -> AsyncIterator[Intermute | None]:
    """None where it is turned off. Nothing listens before it runs."""
    settings = ground.settings.intermute
    if not settings.enabled:
        yield None
        return
    limits = limits_of(settings)
    path = keys_file(ground.settings, beside=ground.settings.home)
    keyring = Keyring(path=path)
    async with AsyncExitStack() as stack:
        # Its own pool: however busy it is, the chats have their connections.
        db = await stack.enter_async_context(
            Database.open(ground.url, size=settings.db_pool, application="intercom-intermute")
        )
        given = Given(
            db=db,
            wakeups=ground.wakeups,
            clock=ground.clock,
            new_id=ground.new_id,
            keyring=keyring,
            limits=limits,
            retention=retention_of(settings),
            live=live_of(settings),
        )
        service = await stack.enter_async_context(Service.open(given))
        folder = ground.settings.project
        yield Intermute(
            service=service,
            running=Running(service, settings, keyring, path, ground.clock),
            coordinating=coordinating(
                service,
                database=db,
                clock=ground.clock,
                registry=ground.registry,
                whereabouts=Whereabouts(projects, settings.project or (folder.name if folder else "")),
                limits=limits,
            ),
        )


def coordinating(
    service: Service,
    *,
    database: Database,
    clock: Clock,
    registry: Registry,
    whereabouts: Whereabouts,
    limits: Limits,
) -> Coordinating:
    coordination = InProcess(service, database, clock)
    return Coordinating(
        coordination=coordination,
        whereabouts=whereabouts,
        addressing=Addressing(coordination, registry, whereabouts),
        overview=Overview(
            coordination=coordination,
            registry=registry,
            whereabouts=whereabouts,
            clock=clock,
            grace=limits.grace,
        ),
        marks=Marks(database),
        waits=WaitStore(database, clock),
        tainting=LaterTainting(),
    )
