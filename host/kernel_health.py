"""How well the kernels are of all projects that some group works on, in one sentence each."""

import asyncio

from demarch.projects import Projects
from host.people.registry import Registry
from host.phrases import sentence
from host.shortcomings import shortcomings

PATIENCE = 3.0  #: seconds


class KernelHealth:
    """One part of the host's health, however many projects there are."""

    def __init__(self, projects: Projects, registry: Registry) -> None:
        self._projects = projects
        self._registry = registry

    async def check(self) -> str:
        """Ask them all side by side: what is wrong with those that do not answer, "" when all do."""
        async with asyncio.TaskGroup() as tasks:
            asked = [tasks.create_task(self._trouble(key)) for key in self._used()]
        return " ".join(filter(None, (task.result() for task in asked)))

    async def words(self) -> list[str]:
        """All that is wrong, for whoever starts the host; a kernel that hangs does not hold that up."""
        try:
            async with asyncio.timeout(PATIENCE):
                trouble = await self.check()
        except TimeoutError:
            trouble = "The kernel does not answer in time."
        lacks = self.lacks()
        return [said for said in ("" if trouble in lacks else trouble, lacks) if said]

    def lacks(self) -> str:
        """What the kernels that answer cannot do."""
        used = self._used()
        return " ".join(
            self._named(key, line, used)
            for key in used
            for line in shortcomings(self._projects.capabilities(key))
        )

    async def _trouble(self, key: str) -> str:
        state = await self._projects.of(key).state()
        return "" if state.ok else self._named(key, sentence(state.reason), self._used())

    def _named(self, key: str, line: str, used: tuple[str, ...]) -> str:
        return line if len(used) == 1 else f"{self._projects.title(key)}: {line}"

    def _used(self) -> tuple[str, ...]:
        return self._projects.among(group.project for group in self._registry.groups())
