"""Outfits without folders and services, for agents that do as a test says."""

from collections.abc import Mapping

from container.agent import Agent, Fittings, ModelApi, Runtime
from host.conversation.conversations import Conversations
from host.conversation.outfits import CurrentTurn, Outfit, outfit_of
from host.people.registry import Group

RUNTIMES: Mapping[str, Runtime] = {
    "local": Runtime(name="local", image="", command=()),
    "other": Runtime(name="other", image="", command=()),
    "claude": Runtime(
        name="claude", image="", command=(), api=ModelApi.ANTHROPIC, models=("claude-big", "claude-small")
    ),
    "codex": Runtime(name="codex", image="", command=(), api=ModelApi.OPENAI, models=("gpt-big",)),
}


class PlainOutfitter:
    """Implements `Outfitter`; with a store of conversations its agents go on with what they can load."""

    def __init__(
        self, runtimes: Mapping[str, Runtime] = RUNTIMES, conversations: Conversations | None = None
    ) -> None:
        self._runtimes = runtimes
        self._conversations = conversations

    def outfit(self, group: Group) -> Outfit:
        return outfit_of(group, self._runtimes)

    async def fittings(self, lane: str, group: Group, outfit: Outfit, turn: CurrentTurn) -> Fittings:
        del group, turn
        if self._conversations is None:
            return Fittings(model=outfit.model)
        opening = await self._conversations.opening(lane, outfit.runtime.name)
        return Fittings(model=outfit.model, resume=opening.resume)

    async def opened(self, lane: str, outfit: Outfit, agent: Agent) -> None:
        if self._conversations is not None:
            await self._conversations.opened(
                lane,
                folder=lane.partition("/")[0],
                runtime=outfit.runtime.name,
                model=outfit.model,
                session=agent.session,
                resumed=agent.resumed,
            )
