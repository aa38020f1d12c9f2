"""Sessions alone: a pool of scripted agents for groups a test names, and a clock to turn by hand."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime

from host.conversation.session import Session
from host.conversation.sessions import Sessions
from host.conversation.warmth import Climate, Warmth
from host.meter import SilentMeter
from host.people.registry import Group
from tests.clock import HandClock
from tests.host.conversation.agents import NoTools, ScriptedAgent, ScriptedLauncher
from tests.host.conversation.outfits import PlainOutfitter


def group(folder: str, runtime: str = "local", model: str = "") -> Group:
    return Group(
        folder=folder,
        title="",
        main=False,
        trigger_required=False,
        writes=False,
        runtime=runtime,
        model=model,
        project="",
        addresses=(),
    )


@dataclass(kw_only=True)
class Stable:
    """Every group exists until it is said to be gone, in the shape `groups` gives it."""

    clock: HandClock
    most: int = 2
    most_paused: int = 20
    climate: Climate = field(default_factory=lambda: Climate(ahead=0))
    launcher: ScriptedLauncher = field(default_factory=ScriptedLauncher)
    groups: dict[str, Group | None] = field(default_factory=dict)
    recent: list[str] = field(default_factory=list)
    memory: int = 1 << 34

    def __post_init__(self) -> None:
        self.sessions = Sessions(
            launcher=self.launcher,
            outfitter=PlainOutfitter(),
            toolbox_for=lambda lane, turn: NoTools(),
            turn_over=lambda lane: None,
            group_of=self.group_of,
            clock=self.clock,
            meter=SilentMeter(),
            most=self.most,
            most_paused=self.most_paused,
        )
        self.warmth = Warmth(
            sessions=self.sessions,
            climate=self.climate,
            recent_lanes=self.recent_lanes,
            group_of=self.group_of,
            clock=self.clock,
            meter=SilentMeter(),
            available=lambda: self.memory,
        )

    def group_of(self, lane: str) -> Group | None:
        return self.groups[lane] if lane in self.groups else group(lane)

    async def recent_lanes(self, since: datetime, most: int) -> Sequence[str]:
        del since
        return self.recent[:most]

    async def use(self, lane: str) -> Session:
        """Borrow and give back."""
        wanted = self.group_of(lane) or group(lane)
        async with self.sessions.lend(lane, wanted) as session:
            return session

    def agent(self, lane: str) -> ScriptedAgent:
        return self.launcher.lane(lane)

    def awake(self) -> set[str]:
        return {agent.key for agent in self.launcher.agents if agent.alive and not agent.paused}

    def frozen(self) -> set[str]:
        return {agent.key for agent in self.launcher.agents if agent.alive and agent.paused}

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Somebody keeps them warm until leave."""
        async with asyncio.TaskGroup() as tasks:
            keeping = [tasks.create_task(part.run()) for part in (self.sessions, self.warmth)]
            await self.clock.until_sleeping(1)
            try:
                yield
            finally:
                for task in keeping:
                    task.cancel()
