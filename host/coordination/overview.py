"""Who holds what and who is alive, for /status: names and reasons are agents' words, cut to a line."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import structlog

from demarch.errors import DemarchError
from host.coordination.conflicts import span
from host.coordination.identity import Whereabouts
from host.coordination.port import Coordination, Fellow, Holding
from host.people.registry import Group, Registry
from host.phrases import count, listed, one_line, quoted, sentence
from storage.clock import Clock

log = structlog.get_logger()

PATIENCE = 3.0  #: seconds
HELD = 8
ALIVE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    title: str
    lines: Sequence[str]


class Overview:
    """Of the project of a group; the main group sees those of all groups."""

    def __init__(
        self,
        *,
        coordination: Coordination,
        registry: Registry,
        whereabouts: Whereabouts,
        clock: Clock,
        grace: timedelta,
    ) -> None:
        self._coordination = coordination
        self._registry = registry
        self._whereabouts = whereabouts
        self._clock = clock
        self._grace = grace

    async def sections(self, group: Group | None) -> Sequence[Section]:
        """Nothing where nobody is and nothing is held."""
        own = self._whereabouts.project(group)
        projects = [own]
        if group is not None and group.main:
            others = (self._whereabouts.project(each) for each in self._registry.groups())
            projects = list(dict.fromkeys([own, *others]))
        async with asyncio.TaskGroup() as tasks:
            looks = [tasks.create_task(self._look(project)) for project in projects]
        told = [(project, look.result()) for project, look in zip(projects, looks, strict=True)]
        telling = [(project, sections) for project, sections in told if sections]
        named = len(telling) > 1 or any(project != own for project, _ in telling)
        return [
            Section(
                title=f"{each.title} in {one_line(project, 60)}" if named else each.title, lines=each.lines
            )
            for project, sections in telling
            for each in sections
        ]

    async def _look(self, project: str) -> Sequence[Section]:
        try:
            async with asyncio.timeout(PATIENCE):
                held = await self._coordination.holdings(project)
                fellows = await self._coordination.fellows(project)
        except (DemarchError, TimeoutError) as error:
            log.info("status.no_coordination", project=project, reason=str(error))
            return [Section(title="Files held", lines=["Nobody can say."])]
        now = self._clock.now()
        alive = [each for each in fellows if now - each.last_seen <= self._grace]
        sections = [
            Section(title="Files held", lines=self._held(held)) if held else None,
            Section(title="Agents alive", lines=[_alive(alive)]) if alive else None,
        ]
        return [each for each in sections if each is not None]

    def _held(self, held: Sequence[Holding]) -> Sequence[str]:
        now = self._clock.now()
        lines = [
            f"{quoted(each.pattern, 80)}: {_name(each.name, each.agent)}, {span(each.expires_at - now)} left"
            f"{'' if each.exclusive else ', shared'}{_reason(each.reason)}"
            for each in held[:HELD]
        ]
        more = len(held) - HELD
        return [*lines, f"{count(more, 'more reservation')}."] if more > 0 else lines


def _alive(fellows: Sequence[Fellow]) -> str:
    return sentence(listed([_name(each.name, each.agent) for each in fellows], ALIVE), 600)


def _name(name: str, agent: str) -> str:
    return one_line(name, 40) or one_line(agent, 40)


def _reason(reason: str) -> str:
    said = one_line(reason, 80)
    return f" ({said})" if said else ""
