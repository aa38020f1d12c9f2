"""A session: one lane's living agent, busy with a turn, idle, or frozen until it is needed again."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from container.agent import Agent
from container.sandbox import StartFailed
from host.conversation.outfits import Outfit
from host.conversation.turns import Turn


@dataclass(slots=True, kw_only=True, eq=False)
class Session:
    """Changed by the pool and by whoever has borrowed it, in one loop."""

    lane: str
    outfit: Outfit
    idle_since: datetime
    busy: bool = True
    paused: bool = False  #: frozen, or about to be: it holds no running place any more
    fresh: bool = True  #: just started, nothing was asked yet
    told: bool = False  #: its agent knows what was said in this conversation before
    parting: bool = False  #: another is to answer here; it is to be asked for a summary before it goes
    turn: Turn | None = None  #: what it works on; the tools it calls are called in this turn
    moving: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)  #: held to freeze, wake or end it
    held_agent: Agent | None = field(default=None, repr=False)

    @property
    def agent(self) -> Agent:
        if self.held_agent is None:
            raise StartFailed("the agent has not been started")
        return self.held_agent

    @property
    def runtime(self) -> str:
        return self.outfit.runtime.name

    @property
    def model(self) -> str:
        return self.outfit.model

    def serves(self, outfit: Outfit) -> bool:
        return self.agent.alive and self.outfit == outfit
