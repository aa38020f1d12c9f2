"""Where helpers work in the tests: scripted agents, so many at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from container.agent import Agent, Runtime, ToolBox, ToolResult
from container.sandbox import StartFailed
from host.conversation.turns import Turn
from host.swarm.port import Assignment
from tests.host.conversation.agents import Script, ScriptedLauncher, echo
from tests.host.decisions.office import MAIN, OTHER, Office


@dataclass(kw_only=True)
class Yard:
    """Implements `HelperPlaces`, and holds the tools of the agent that has helpers."""

    office: Office
    launcher: ScriptedLauncher
    turn: Turn | None = None
    most: int = 10
    assignments: list[Assignment] = field(default_factory=list)

    @asynccontextmanager
    async def helper(self, assignment: Assignment) -> AsyncIterator[Agent]:
        self.assignments.append(assignment)
        if self.launcher.living >= self.most:
            raise StartFailed("every place for agents is taken")
        runtime = Runtime(name=assignment.runtime, image="", command=())
        agent = await self.launcher.launch(assignment.key, runtime, assignment.tools)
        try:
            yield agent
        finally:
            await agent.close()

    async def begin(self, folder: str = "main", *, tainted: bool = False) -> ToolBox:
        """A turn of the group's agent; its tools."""
        address = MAIN if folder == "main" else OTHER
        self.turn = await self.office.turn(folder=folder, address=address, tainted=tainted)
        return self.office.parts.toolbox_for(folder, lambda: self.turn)

    async def eventually(self, come: Callable[[], Awaitable[bool]]) -> None:
        while not await come():  # noqa: ASYNC110 - what is stored is no event of ours
            await asyncio.sleep(0.002)


@asynccontextmanager
async def yard_of(office: Office, script: Script = echo) -> AsyncIterator[Yard]:
    yard = Yard(office=office, launcher=ScriptedLauncher(script=script))
    office.parts.swarm.attach(yard)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(office.parts.swarm.run())
        await asyncio.sleep(0)
        try:
            yield yard
        finally:
            running.cancel()


async def spawn(box: ToolBox, task: str = "look around", **more: str) -> ToolResult:
    return await box.call("spawn_agent", {"task": task, **more})


async def result(box: ToolBox, name: str | None = None) -> ToolResult:
    return await box.call("await_agent", {} if name is None else {"name": name})
