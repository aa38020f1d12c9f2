"""Stands in for the lanes until they exist: they need the agents' tools, which taint their turns."""

from host.conversation.turns import Turn
from host.coordination.tools import Tainting


class LaterTainting:
    """Implements `Tainting`."""

    def __init__(self) -> None:
        self._lanes: Tainting | None = None

    def attach(self, lanes: Tainting) -> None:
        self._lanes = lanes

    async def taint(self, turn: Turn) -> None:
        if self._lanes is None:
            raise RuntimeError("the lanes were not attached")
        await self._lanes.taint(turn)
