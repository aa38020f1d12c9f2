"""What every agent is started with: folders, services, and the session it goes on with."""

from collections.abc import Mapping
from dataclasses import replace

from container.agent import Agent, Fittings, Runtime, Service
from container.planning import EGRESS_SOCKET, GROUP_FOLDER, MODEL_SOCKET
from container.sandbox import StartFailed
from demarch.projects import Projects
from host.conversation.conversations import Conversations
from host.conversation.outfits import CurrentTurn, Outfit, outfit_of
from host.conversation.workspace import Workspace
from host.egress.hosts import hosts_of
from host.people.registry import Group, Registry
from host.spending.spending import Spending
from host.wiring.outside import Outside


class Outfitting:
    """Implements `host.conversation.outfits.Outfitter` out of the host's parts."""

    def __init__(
        self,
        *,
        runtimes: Mapping[str, Runtime],
        conversations: Conversations,
        workspace: Workspace,
        spending: Spending,
        outside: Outside,
        registry: Registry,
        projects: Projects,
    ) -> None:
        self._runtimes = runtimes
        self._conversations = conversations
        self._workspace = workspace
        self._spending = spending
        self._outside = outside
        self._registry = registry
        self._projects = projects

    def outfit(self, group: Group) -> Outfit:
        absent = self._projects.capabilities(group.project).absent
        return replace(outfit_of(group, self._runtimes), lacks=frozenset(absent))

    async def fittings(self, lane: str, group: Group, outfit: Outfit, turn: CurrentTurn) -> Fittings:
        opening = await self._conversations.opening(lane, outfit.runtime.name)
        try:
            mounts = await self._workspace.mounts(lane, group, outfit.runtime)
        except OSError as error:
            raise StartFailed(f"the group's folders cannot be made: {error.strerror}") from error
        return Fittings(
            model=outfit.model,
            folder=GROUP_FOLDER,
            mounts=mounts,
            services=self._services(lane, outfit, turn),
            resume=opening.resume,
        )

    def _services(self, lane: str, outfit: Outfit, turn: CurrentTurn) -> Mapping[str, Service]:
        """The ways out this agent has."""
        services: dict[str, Service] = {}
        if outfit.runtime.api is not None:
            account = self._spending.account(
                lane, current_turn=turn, runtime=lambda: outfit.runtime, models=outfit.runtime.own_models
            )
            services[MODEL_SOCKET] = self._outside.broker.service(account)
        if outfit.reaches_hosts:
            services[EGRESS_SOCKET] = self._outside.egress.service(lane, hosts_of(self._registry, lane))
        return services

    async def opened(self, lane: str, outfit: Outfit, agent: Agent) -> None:
        await self._conversations.opened(
            lane,
            folder=lane.partition("/")[0],
            runtime=outfit.runtime.name,
            model=outfit.model,
            session=agent.session,
            resumed=agent.resumed,
        )
