"""A furnished office whose kernel is the command line of a project: the fake `ic` and `bd`, run for real."""

import itertools
from dataclasses import dataclass, replace
from datetime import UTC
from pathlib import Path
from typing import Any, cast

from demarch.cli.kernel import CliKernel
from demarch.projects import Projects
from host.outgoing.outbox import Outbox
from host.people.registry import Registry
from host.record.audit import Audit
from host.wiring.decision_ground import Ground
from host.wiring.decisions import build
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.host.decisions.office import HOUR, Counter, Ears, Office, furnish, open_office
from tests.servers.kernels.project import Project

#: a run that a missing artifact stops at its first gate
CHAIN = {
    "phases": '["review","polish","done"]',
    "gates": '{"review→polish":[{"check":"artifact_exists"}],"polish→done":[]}',
}


@dataclass(slots=True, kw_only=True)
class Agency:
    office: Office
    project: Project
    kernel: CliKernel

    @property
    def key(self) -> str:
        return str(self.project.folder)

    async def reborn(self) -> "Agency":
        """The same install after a restart: nothing is kept but both databases."""
        return await _opened(self.office, self.project)

    async def blocked(self, goal: str = "refactor auth", **new: Any) -> str:
        """A run that its gate has just stopped."""
        run = await self.project.run(goal, **(CHAIN | new))
        await self.project.advance(run)
        return run

    async def pass_time(self, seconds: float) -> None:
        """For the host and for the kernel."""
        await self.office.clock.advance(seconds)
        self.project.set_time(self.office.clock.now())


async def found(
    database: Database, clock: HandClock, new_id: NewId, folder: Path, *, project: Project | None = None
) -> Agency:
    """With its people and its groups, its log read up to now."""
    project = project or Project.create(folder)
    project.set_time(clock.now())
    agency = await _opened(await furnish(database, clock, new_id, folder), project)
    await agency.office.feed()
    return agency


async def reopened(database: Database, new_id: NewId, folder: Path, project: Project, clock: Clock) -> Agency:
    """By a process that was not there when it was found."""
    audit = await Audit.open(database, folder, clock)
    return await _opened(await open_office(database, cast(HandClock, clock), new_id, audit), project)


async def _opened(before: Office, project: Project) -> Agency:
    database, clock, new_id = before.database, before.clock, before.new_id
    kernel = CliKernel(project.folder, database, clock, home=project.home, environment=project.environment)
    key = str(project.folder)
    registry = Registry(database, clock, runtime="local")
    await registry.load()
    outbox = Outbox(database, clock, new_id)
    ears = Ears(database, clock, new_id)
    ground = Ground(
        database=database,
        clock=clock,
        new_id=new_id,
        outbox=outbox,
        registry=registry,
        audit=before.audit,
        projects=Projects({key: kernel}, key),
        zone=UTC,
        holder="install-1",
        timeout=HOUR,
        extend_percent=50,
        picture_patience=60,
        isolated=True,
    )
    parts = build(ground, ears, lambda: ())
    office = replace(
        before,
        kernel=cast(Any, kernel),
        registry=registry,
        outbox=outbox,
        ears=ears,
        bridge=Counter(),
        parts=parts,
        consumer=parts.news.consumer(key, kernel),
        watch=parts.news.watch(key, kernel),
        numbers=itertools.count(next(before.numbers)),
    )
    return Agency(office=office, project=project, kernel=kernel)
