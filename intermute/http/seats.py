"""The connections that stay: how many there may be, whose they are, and how each is told to leave."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto

from intermute.caller import Caller
from intermute.errors import Unavailable

RETRY_AFTER = 10  #: seconds


class Why(Enum):
    """Why somebody is sent away."""

    ENDING = auto()  #: the service ends
    REVOKED = auto()  #: the key it came with, or the right to come without one, is gone


class Seat:
    """One connection that stays. `leave` is set by it and ends it, at most once."""

    def __init__(self, agent: str, caller: Caller) -> None:
        self.agent = agent
        self.caller = caller
        self.leave: Callable[[], None] | None = None
        self.why: Why | None = None

    def close(self, why: Why | None = None) -> None:
        """Send it away; without a reason because it is too slow."""
        self.why = self.why or why
        leave, self.leave = self.leave, None
        if leave is not None:
            leave()


class Seats:
    """Open from the beginning."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: set[Seat] = set()
        self._shut = False

    @property
    def taken(self) -> int:
        return len(self._taken)

    def agents(self) -> set[tuple[str, Caller]]:
        """Whose connections stand, and who opened them."""
        return {(seat.agent, seat.caller) for seat in self._taken if seat.agent}

    def refuse_if_full(self) -> None:
        """Raises Unavailable."""
        if self._shut:
            raise Unavailable("The service is about to end.", retry_after=RETRY_AFTER)
        if len(self._taken) >= self._most:
            raise Unavailable(
                "All places for listeners are taken.", code="too_many_sockets", retry_after=RETRY_AFTER
            )

    @contextmanager
    def take(self, agent: str, caller: Caller) -> Iterator[Seat]:
        """Raises Unavailable where all are taken."""
        self.refuse_if_full()
        seat = Seat(agent, caller)
        self._taken.add(seat)
        try:
            yield seat
        finally:
            self._taken.discard(seat)

    def open(self) -> None:
        """Let in whoever comes."""
        self._shut = False

    def shut(self) -> None:
        """Let nobody in any more, and send everybody away."""
        self._shut = True
        for seat in list(self._taken):
            seat.close(Why.ENDING)

    def revoke(self, revoked: Callable[[Caller], bool]) -> None:
        """Send away who would not be let in any more."""
        for seat in list(self._taken):
            if revoked(seat.caller):
                seat.close(Why.REVOKED)
