"""What every agent is started with: folders, services, and the session it goes on with."""

from collections.abc import Mapping

from container.agent import Agent, Fittings, Runtime
from host.conversation.outfits import CurrentTurn, Outfit, outfit_of
from host.people.registry import Group


class Outfitting:
    """Implements `host.conversation.outfits.Outfitter` out of the host's parts."""

    def __init__(self, *, runtimes: Mapping[str, Runtime]) -> None:
        self._runtimes = runtimes

    def outfit(self, group: Group) -> Outfit:
        return outfit_of(group, self._runtimes)

    async def fittings(self, lane: str, group: Group, outfit: Outfit, turn: CurrentTurn) -> Fittings:
        del lane, group, turn
        return Fittings(model=outfit.model)

    async def opened(self, lane: str, outfit: Outfit, agent: Agent) -> None:
        del lane, outfit, agent
