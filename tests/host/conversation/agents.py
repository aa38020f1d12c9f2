"""Agents that do as a test says, behind the real ports."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from container.agent import (
    Agent,
    Enclosure,
    Fittings,
    Runtime,
    StopReason,
    ToolBox,
    ToolDeclaration,
    ToolResult,
    TurnEvents,
)
from container.sandbox import AgentDied, ContainerError

Script = Callable[["ScriptedAgent", str, TurnEvents], Awaitable[StopReason | None]]


async def echo(agent: "ScriptedAgent", text: str, events: TurnEvents) -> StopReason | None:
    """Say back what was asked."""
    del agent
    events.text(f"You said: {text}")
    return None


async def hang(agent: "ScriptedAgent", text: str, events: TurnEvents) -> StopReason | None:
    """Never finish."""
    del agent, text, events
    await asyncio.Event().wait()
    return None


class NoTools:
    """A tool box without tools."""

    def declarations(self) -> Sequence[ToolDeclaration]:
        return ()

    async def call(self, name: str, arguments: Mapping[str, Any]) -> ToolResult:
        del arguments
        return ToolResult(text=f"there is no tool {name}", failed=True)


@dataclass(eq=False)
class ScriptedAgent:
    """Runs the launcher's script for every prompt."""

    key: str
    launcher: "ScriptedLauncher"
    tools: ToolBox
    fittings: Fittings = field(default_factory=Fittings)
    runtime: str = "local"
    session: str = ""  #: what it may be loaded by again
    resumed: bool = False
    paused: bool = False
    prompts: list[str] = field(default_factory=list)
    enclosures: list[Enclosure] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    death: ContainerError = field(default_factory=lambda: AgentDied("The sandbox ended"))

    @property
    def takes_followups(self) -> bool:
        return self.launcher.takes_followups

    @property
    def alive(self) -> bool:
        return not self.gone.is_set()

    async def prompt(self, text: str, events: TurnEvents, enclosures: Sequence[Enclosure] = ()) -> StopReason:
        if not self.alive:
            raise AgentDied("the agent is gone")
        if self.paused:
            raise AssertionError("a paused agent was prompted")
        self.prompts.append(text)
        self.enclosures.extend(enclosures)
        self.launcher.prompts.append((self.key, text))
        await self.launcher.tell()
        work = asyncio.get_running_loop().create_task(self._work(text, events))
        death = asyncio.get_running_loop().create_task(self.gone.wait())
        try:
            await asyncio.wait({work, death}, return_when=asyncio.FIRST_COMPLETED)
            if not work.done():
                raise self.death
            return work.result()
        finally:
            for task in (work, death):
                task.cancel()
            await asyncio.wait({work, death})

    async def _work(self, text: str, events: TurnEvents) -> StopReason:
        return await self.launcher.script(self, text, events) or StopReason.END

    async def pause(self) -> None:
        self.paused = self.alive

    async def unpause(self) -> None:
        if not self.alive:
            raise AgentDied("the agent is gone")
        self.paused = False

    async def cancel(self) -> None:
        self.cancelled.set()

    async def died(self) -> None:
        await self.gone.wait()

    async def close(self) -> None:
        self.die()

    def die(self, death: ContainerError | None = None) -> None:
        if self.alive:
            self.death = death or self.death
            self.gone.set()
            self.launcher.living -= 1


@dataclass(eq=False)
class ScriptedLauncher:
    """Starts scripted agents; counts how many live, and knows the sessions they could load again."""

    script: Script = echo
    takes_followups: bool = False
    loads: bool = True  #: its agents can load a session again
    sessions: dict[str, tuple[str, str]] = field(default_factory=dict)  #: session to its lane and runtime
    failures: list[Exception] = field(default_factory=list)
    agents: list[ScriptedAgent] = field(default_factory=list)
    prompts: list[tuple[str, str]] = field(default_factory=list)
    gate: asyncio.Event | None = None  #: starts wait for it
    starting: int = 0  #: starts begun so far
    living: int = 0
    most_living: int = 0
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def launch(
        self, key: str, runtime: Runtime, tools: ToolBox, fittings: Fittings | None = None
    ) -> Agent:
        self.starting += 1
        await self.tell()
        if self.gate is not None:
            await self.gate.wait()
        if self.failures:
            raise self.failures.pop(0)
        fittings = fittings or Fittings()
        resumed = self.loads and self.sessions.get(fittings.resume) == (key, runtime.name)
        agent = ScriptedAgent(
            key=key,
            launcher=self,
            tools=tools,
            fittings=fittings,
            runtime=runtime.name,
            session=(fittings.resume if resumed else self._opened(key, runtime.name)) if self.loads else "",
            resumed=resumed,
        )
        self.agents.append(agent)
        self.living += 1
        self.most_living = max(self.living, self.most_living)
        await self.tell()
        return agent

    async def sweep(self, keep: Sequence[str] = ()) -> int:
        del keep
        return 0

    def _opened(self, key: str, runtime: str) -> str:
        session = f"session-{len(self.sessions) + 1}"
        self.sessions[session] = (key, runtime)
        return session

    def lane(self, key: str) -> ScriptedAgent:
        """The lane's newest agent."""
        return next(agent for agent in reversed(self.agents) if agent.key == key)

    async def until(self, seen: Callable[[], object], within: float = 10.0) -> None:
        async with asyncio.timeout(within), self.changed:
            await self.changed.wait_for(seen)

    async def until_prompted(self, times: int) -> None:
        await self.until(lambda: len(self.prompts) == times)

    async def tell(self) -> None:
        async with self.changed:
            self.changed.notify_all()
