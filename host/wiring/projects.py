"""The kernels of the projects: the embedded one, or the kernel CLI in each folder that is allowed."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from demarch.embedded import EmbeddedKernel
from demarch.errors import NotPossible
from demarch.projects import Projects
from host.settings import Settings
from host.shortcomings import shortcomings
from host.wiring.ground import Ground
from storage.clock import Clock
from storage.database import Database

if TYPE_CHECKING:
    from demarch.cli.follow import Follower

log = structlog.get_logger()

PATIENCE = 5.0  #: seconds for the first look at what the kernels can do; afterwards it is looked at anyway


@dataclass(frozen=True, slots=True, kw_only=True)
class Kernels:
    projects: Projects
    followers: Mapping[str, "Follower"] = field(default_factory=dict)  #: of projects of the kernel CLI


async def open_kernels(ground: Ground) -> Kernels:
    """Have them ready and looked at once. What is missing keeps nobody from starting."""
    kernels = kernels_of(ground.settings, ground.db, ground.clock)
    used = kernels.projects.among(group.project for group in ground.registry.groups())
    try:
        async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as tasks:
            for key in used:
                tasks.create_task(_look(kernels.projects, key))
    except TimeoutError:
        log.warning("kernel.slow", seconds=PATIENCE)
    for group in ground.registry.groups():
        try:
            kernels.projects.kernel(group.project)
        except NotPossible as error:
            log.warning("group.project_refused", folder=group.folder, reason=str(error))
    return kernels


def kernels_of(settings: Settings, db: Database, clock: Clock) -> Kernels:
    if settings.kernel == "embedded":
        return Kernels(projects=Projects({"": EmbeddedKernel(db, clock, project=settings.project)}, ""))
    # Imported only when it is used: most installs have the embedded kernel.
    from demarch.cli.kernel import CliKernel

    environment = settings.surroundings()
    kernels = {
        str(folder): CliKernel(folder, db, clock, environment=environment) for folder in settings.folders()
    }
    return Kernels(
        projects=Projects(kernels, next(iter(kernels))),
        followers={key: kernel.follower for key, kernel in kernels.items()},
    )


async def _look(projects: Projects, key: str) -> None:
    state = await projects.of(key).state()
    if not state.ok:
        log.warning("kernel.not_well", project=key, reason=state.reason)
    for line in shortcomings(projects.capabilities(key)):
        log.warning("kernel.lacks", project=key, reason=line)
