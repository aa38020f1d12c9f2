"""Whom an agent means: an id, or a name that only one agent of the project has."""

from collections.abc import Sequence

from demarch.errors import NotPossible
from host.coordination.calls import CHECK
from host.coordination.identity import Me, Whereabouts, agent_of
from host.coordination.port import Coordination, Fellow
from host.people.registry import Registry
from host.phrases import quoted


class Addressing:
    """Our own groups come first: an agent from elsewhere that takes such a name gets nothing by it."""

    def __init__(self, coordination: Coordination, registry: Registry, whereabouts: Whereabouts) -> None:
        self._coordination = coordination
        self._registry = registry
        self._whereabouts = whereabouts

    async def ids(self, me: Me, named: Sequence[str]) -> list[str]:
        """Each once. Raises NotPossible for whoever is not there, in words of ours only."""
        ours = {
            group.folder: agent_of(group.folder)
            for group in self._registry.groups()
            if self._whereabouts.project(group) == me.project
        }
        elsewhere = [name for name in named if name not in ours and name not in ours.values()]
        fellows = await self._coordination.fellows(me.project) if elsewhere else ()
        found = dict(ours) | {agent: agent for agent in ours.values()}
        for name in elsewhere:
            found[name] = await self._id(me.project, name, fellows)
        return list(dict.fromkeys(found[name] for name in named))

    async def _id(self, project: str, name: str, fellows: Sequence[Fellow]) -> str:
        if await self._coordination.is_known(project, name):
            return name
        called = [fellow.agent for fellow in fellows if fellow.name.casefold() == name.casefold()]
        if len(called) == 1:
            return called[0]
        if called:
            raise NotPossible(f"Several agents are called {quoted(name)}; {CHECK} shows their ids.")
        raise NotPossible(f"There is no agent {quoted(name)} in this project; {CHECK} shows who there is.")
