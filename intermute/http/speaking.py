"""What the edge needs to know of agents: who may speak for one, and that one gave a sign of life."""

from typing import Protocol

from intermute.caller import Caller


class Speaking(Protocol):
    async def check(self, caller: Caller, agent: str) -> None:
        """Let the caller speak for the agent, or raise NotAllowed."""

    def touch(self, agent: str, caller: Caller | None = None) -> None:
        """The agent did something; a caller bound to a project says so of agents there only."""
