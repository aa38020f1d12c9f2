"""Containers for helpers, out of those the lanes' agents are started in: the same cap counts both."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from container.agent import Agent, Runtime
from container.planning import GROUP_FOLDER
from container.sandbox import StartFailed
from host.conversation.outfits import Outfitter
from host.conversation.sessions import Sessions
from host.swarm.port import Assignment


class SessionPlaces:
    """Implements `HelperPlaces`."""

    def __init__(self, sessions: Sessions, outfitter: Outfitter, runtimes: Mapping[str, Runtime]) -> None:
        self._sessions = sessions
        self._outfitter = outfitter
        self._runtimes = runtimes

    @asynccontextmanager
    async def helper(self, assignment: Assignment) -> AsyncIterator[Agent]:
        outfit = self._outfitter.outfit(assignment.group)
        if assignment.runtime != outfit.runtime.name:
            runtime = self._runtimes.get(assignment.runtime)
            if runtime is None:
                raise StartFailed(f"the runtime “{assignment.runtime}” is not installed here")
            outfit = replace(outfit, runtime=runtime, model="")  # the group's model is another program's
        fittings = await self._outfitter.fittings(
            assignment.key, assignment.group, outfit, assignment.current_turn
        )
        folder = f"{GROUP_FOLDER}/{assignment.folder}" if assignment.folder else fittings.folder
        fittings = replace(fittings, folder=folder, resume="")
        async with self._sessions.helper(assignment.key, outfit.runtime, assignment.tools, fittings) as agent:
            yield agent
