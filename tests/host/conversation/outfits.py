"""Outfits without folders and services, for agents that do as a test says."""

from collections.abc import Mapping

from container.agent import Agent, Fittings, Runtime
from host.conversation.outfits import CurrentTurn, Outfit, outfit_of
from host.people.registry import Group

RUNTIMES: Mapping[str, Runtime] = {
    name: Runtime(name=name, image="", command=()) for name in ("local", "other")
}


class PlainOutfitter:
    """Implements `Outfitter`."""

    def __init__(self, runtimes: Mapping[str, Runtime] = RUNTIMES) -> None:
        self._runtimes = runtimes

    def outfit(self, group: Group) -> Outfit:
        return outfit_of(group, self._runtimes)

    async def fittings(self, lane: str, group: Group, outfit: Outfit, turn: CurrentTurn) -> Fittings:
        del lane, group, turn
        return Fittings(model=outfit.model)

    async def opened(self, lane: str, outfit: Outfit, agent: Agent) -> None:
        del lane, outfit, agent
