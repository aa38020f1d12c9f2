"""One container's account: it knows whose container it is, the spending knows the money."""

from collections.abc import Callable, Collection
from typing import Protocol
from uuid import UUID

from container.agent import Runtime
from container.broker.port import Grant, ModelRequest, Reservation, Trouble, Usage
from host.conversation.turns import Turn


class Till(Protocol):
    """The spending, as far as an account needs it."""

    def grant_for(self, folder: str, runtime: Runtime, models: Collection[str]) -> Grant: ...

    def reserve(
        self, folder: str, lane: str, turn: Turn | None, runtime: str, request: ModelRequest
    ) -> Reservation: ...

    async def recorded(self, reservation: UUID) -> None: ...

    def settle(self, reservation: UUID, usage: Usage | None) -> None: ...

    def note(self, lane: str, turn: Turn | None, trouble: Trouble | None, model: str) -> None: ...


class LaneAccount:
    """A `container.broker.port.Account`."""

    def __init__(
        self,
        till: Till,
        lane: str,
        *,
        current_turn: Callable[[], Turn | None],
        runtime: Callable[[], Runtime],
        models: Collection[str],
    ) -> None:
        self._till = till
        self._lane = lane
        self._folder = folder_of(lane)
        self._current_turn = current_turn
        self._runtime = runtime
        self._models = models

    def grant(self) -> Grant:
        return self._till.grant_for(self._folder, self._runtime(), self._models)

    def reserve(self, request: ModelRequest) -> Reservation:
        return self._till.reserve(
            self._folder, self._lane, self._current_turn(), self._runtime().name, request
        )

    async def recorded(self, reservation: UUID) -> None:
        await self._till.recorded(reservation)

    def settle(self, reservation: UUID, usage: Usage | None) -> None:
        self._till.settle(reservation, usage)

    def trouble(self, trouble: Trouble | None, model: str = "") -> None:
        self._till.note(self._lane, self._current_turn(), trouble, model)


def folder_of(lane: str) -> str:
    """The group of a conversation, of one of its topics (`folder/topic`) or of a helper (`lane#2`)."""
    return lane.partition("#")[0].partition("/")[0]
