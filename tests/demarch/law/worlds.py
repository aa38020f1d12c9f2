"""A kernel and the agency around it: what tests ask of the kernel, and what agents do beside it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from demarch.calls import parse
from demarch.kernel import Kernel, KernelEvent, Outcome
from storage.ids import NewId


class World(Protocol):
    """What goes through the port is in `Caller`; these are the doings of the agency itself."""

    @property
    def name(self) -> str: ...

    @property
    def kernel(self) -> Kernel: ...

    @property
    def folder(self) -> Path:
        """Where the project's files are."""
        ...

    async def run(
        self,
        goal: str = "refactor auth",
        *,
        phases: Sequence[str] | None = None,
        gates: dict[str, list[dict[str, str]]] | None = None,
        token_budget: int | None = None,
        enforce: bool = False,
    ) -> str:
        """A run that nobody asked us for. `gates` names every step of the chain."""
        ...

    async def portfolio(self, goal: str, projects: int) -> tuple[str, Sequence[str]]:
        """A run over several projects, and its children."""
        ...

    async def attempt(self, run_id: str, *, priority: int = 1) -> None:
        """The agency itself tries to bring the run on."""
        ...

    async def skip(self, run_id: str, phase: str) -> None: ...

    async def roll_back(self, run_id: str, phase: str) -> None: ...

    async def artifact(self, run_id: str, phase: str, path: str = "docs/plan.md") -> str: ...

    async def agent(self, run_id: str) -> str:
        """An agent starts to work."""
        ...

    async def agent_done(self, agent_id: str) -> None: ...

    async def verdict(self, run_id: str, *, clean: bool = True) -> None:
        """A review of the run hands in what it found."""
        ...

    async def spend(self, run_id: str, tokens: int) -> None: ...

    async def depend(self, issue_id: str, other: str) -> None:
        """The first waits for the second."""
        ...

    async def noted(self, run_id: str) -> Sequence[str]:
        """What others noted about the run in the kernel's log: decisions of people."""
        ...

    async def propose(self, discovery_id: str) -> None:
        """The ranking puts a discovery before people."""
        ...


class Caller:
    """Calls operations of a world's kernel, each write with a key of its own."""

    def __init__(self, world: World, new_id: NewId, *, actor: str = "ana") -> None:
        self.world = world
        self.kernel = world.kernel
        self._new_id = new_id
        self._actor = actor

    def key(self) -> str:
        return str(self._new_id())

    async def read(self, name: str, **arguments: Any) -> Outcome:
        return await self.kernel.read(parse(name, arguments))

    async def write(self, name: str, *, key: str = "", **arguments: Any) -> Outcome:
        return await self.kernel.write(parse(name, arguments), actor=self._actor, key=key or self.key())

    async def issue(self, title: str, **arguments: Any) -> str:
        return str((await self.write("create_issue", title=title, **arguments)).data["id"])

    async def found(self, title: str, **arguments: Any) -> str:
        return str((await self.write("register_finding", title=title, **arguments)).data["id"])

    async def phase(self, run_id: str) -> str:
        return (await self.kernel.run(run_id)).phase

    async def events(self, source: str = "") -> list[KernelEvent]:
        """The whole log, drained as a reader of it does; within a source in its order."""
        marks: dict[str, int] = {}
        told: dict[tuple[str, int], KernelEvent] = {}
        while True:
            batch = await self.kernel.events(marks, 40)
            fresh = [event for event in batch if (event.source, event.id) not in told]
            if not fresh:
                return [event for event in told.values() if source in {"", event.source}]
            told |= {(event.source, event.id): event for event in fresh}
            for event in fresh:
                marks[event.source] = max(marks.get(event.source, 0), event.id)

    async def types(self, source: str = "phase") -> list[str]:
        return [event.type for event in await self.events(source)]


def worded(outcome: Outcome) -> str:
    """The text, which must be there and must be a person's."""
    assert outcome.text.strip()
    assert "{" not in outcome.text
    return outcome.text
