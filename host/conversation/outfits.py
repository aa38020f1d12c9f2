"""What a lane's agent is started with, and what makes one that runs out of date."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from container.agent import Agent, Fittings, Runtime
from container.sandbox import StartFailed
from host.conversation.turns import Turn
from host.people.profiles import ExtraMount
from host.people.registry import Group

CurrentTurn = Callable[[], Turn | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outfit:
    """All that can't be changed while an agent runs: another outfit means another container."""

    runtime: Runtime
    model: str
    mounts: tuple[ExtraMount, ...] = ()
    reaches_hosts: bool = False  #: which ones is read anew for every connection
    project: str = ""  #: whose folder it is shown; "" is the default one's, or none
    lacks: frozenset[str] = frozenset()  #: operations it is not offered: agents read that list only once


class Outfitter(Protocol):
    """Knows what agents need; wired by the host."""

    def outfit(self, group: Group) -> Outfit:
        """What the group's agents are to run in by now. Raises StartFailed for an unknown runtime."""
        ...

    async def fittings(self, lane: str, group: Group, outfit: Outfit, turn: CurrentTurn) -> Fittings:
        """Prepare the folders and services of one agent. Raises StartFailed."""
        ...

    async def opened(self, lane: str, outfit: Outfit, agent: Agent) -> None:
        """Note which session it has, so that it can be loaded again."""
        ...


def outfit_of(group: Group, runtimes: Mapping[str, Runtime]) -> Outfit:
    """What a group's registration says, as an outfit."""
    runtime = runtimes.get(group.runtime)
    if runtime is None:
        raise StartFailed(f"the runtime “{group.runtime}” is not installed here; /model shows what is")
    return Outfit(
        runtime=runtime,
        model=group.model,
        mounts=group.profile.mounts,
        reaches_hosts=bool(group.profile.hosts),
        project=group.project if group.main else "",
    )
