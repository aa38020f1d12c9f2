"""What the swarm needs of whoever starts agents: one more agent, for as long as a helper works."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from container.agent import Agent, ToolBox
from host.conversation.turns import Turn
from host.people.registry import Group

MARK = "#"  #: between a lane and the number of its helper, in the key of a sandbox


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """One helper as its container needs to know it."""

    lane: str  #: whose agent asked for it
    number: int  #: among the lane's helpers; free again when it has ended
    group: Group
    runtime: str
    folder: str  #: below the group's folder; "" is the folder itself
    tools: ToolBox
    current_turn: Callable[[], Turn | None]  #: the caller's turn, while it is the one it was asked for in

    @property
    def key(self) -> str:
        """Of its sandbox."""
        return helper_key(self.lane, self.number)


class HelperPlaces(Protocol):
    """Lends containers to helpers."""

    def helper(self, assignment: Assignment) -> AbstractAsyncContextManager[Agent]:
        """Start an agent and end it on leave; never waits for a place, since the caller holds one itself.

        Raises ContainerError with a sentence, also when every place is taken.
        """
        ...


def helper_key(lane: str, number: int) -> str:
    return f"{lane}{MARK}{number}"


def lane_of(key: str) -> str:
    """The lane a sandbox works for, be it the lane's own agent or a helper."""
    lane, mark, number = key.rpartition(MARK)
    return lane if mark and number.isdigit() else key
