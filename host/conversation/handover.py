"""Agents for lanes, each told what it must know first; one to be replaced says its last words before."""

from contextlib import AsyncExitStack
from uuid import UUID

from host.conversation.continuity import Stale
from host.conversation.history import Told
from host.conversation.means import Means
from host.conversation.session import Session
from host.conversation.sessions import Sessions
from host.conversation.starts import Starts
from host.people.registry import Group, Registry


class Handover:
    """Between the lanes and the sessions."""

    def __init__(self, *, means: Means, registry: Registry, sessions: Sessions) -> None:
        self._continuity = means.continuity
        self._registry = registry
        self._sessions = sessions
        self._starts = Starts(means=means, registry=registry, sessions=sessions)

    async def agent_for(
        self,
        stack: AsyncExitStack,
        lane: str,
        group: Group,
        *,
        address: str,
        slot: str,
        turn: UUID | None = None,
    ) -> tuple[Session | None, Told]:
        """The lane's agent until the stack is left, and what it must be told before anything else.

        None after the last try, when the chat has been told. `turn` is the one it is wanted for, if it began.
        """
        while True:
            await self.part(lane)
            session = await self._starts.agent_for(stack, lane, group, address=address, slot=slot)
            if session is None:
                return None, Told()
            try:
                return session, await self._continuity.preface(session, group, turn=turn)
            except Stale:
                await self._sessions.end(session)

    async def part(self, lane: str) -> None:
        """Let an agent that is to be replaced say what the next one must know."""
        session = self._sessions.live.get(lane)
        group = self._registry.group_of_lane(lane)
        if session is None or not session.parting or group is None:
            return
        async with self._sessions.farewell(lane) as parting:
            if parting is not None and self._sessions.outdated(parting):
                await self._continuity.sum_up(parting, group)

    def announce(self, folder: str) -> list[str]:
        """The group's agents are about to be replaced; the lanes in which one is to `part`."""
        lanes = [lane for lane in self._sessions.live if lane.partition("/")[0] == folder]
        for lane in lanes:
            self._sessions.live[lane].parting = True
        return lanes
