"""The places for agents: so many may run, so many more may be frozen; who waits longest is served first."""

import asyncio
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from host.conversation.session import Session


@dataclass(slots=True, eq=False)
class Place:
    """A running place, reserved; whoever is in it leaves it first."""

    leaving: Session | None = None
    #: frozen ones for which there is no room any more once `leaving` is frozen
    ending: list[Session] = field(default_factory=list)


class Pool:
    """Counts and chooses; whatever takes time is done by `Sessions`."""

    def __init__(self, most: int, most_paused: int) -> None:
        self._most = most
        self._most_paused = most_paused
        self._reserved = 0
        self._waiting: deque[asyncio.Future[Place]] = deque()
        self.live: dict[str, Session] = {}  #: by lane

    @property
    def running(self) -> int:
        return self._reserved + sum(not session.paused for session in self.live.values())

    @property
    def paused(self) -> int:
        return sum(session.paused for session in self.live.values())

    @property
    def crowded(self) -> bool:
        """True when somebody waits or every running place is taken."""
        return bool(self._waiting) or self.running >= self._most

    def holds(self, session: Session) -> bool:
        return self.live.get(session.lane) is session

    def remove(self, session: Session) -> bool:
        """Take it out; True when it was in."""
        if not self.holds(session):
            return False
        del self.live[session.lane]
        return True

    def idle(self) -> Iterable[Session]:
        """Those nobody has borrowed, the longest idle first."""
        return sorted(
            (session for session in self.live.values() if not session.busy),
            key=lambda session: session.idle_since,
        )

    def reserve(self) -> None:
        """Hold one more place for something that is about to run, or about to be gone."""
        self._reserved += 1

    def take(self) -> Place | None:
        """A place for somebody who does not wait: a free one, or that of the longest idle."""
        if self.running < self._most:
            self._reserved += 1
            return Place()
        awake = [session for session in self.idle() if not session.paused]
        if not awake:
            return None
        self._reserved += 1
        return self.freeze(awake[0])

    def freeze(self, session: Session) -> Place:
        """Count a session as frozen from now on; the place says what is to be done about it."""
        session.paused = True
        surplus = self.paused - self._most_paused
        frozen = [other for other in self.idle() if other.paused]
        ending = frozen[:surplus] if surplus > 0 else []
        for other in ending:
            self.remove(other)
        return Place(leaving=session, ending=ending)

    def ask(self) -> asyncio.Future[Place]:
        """A ticket for a place, served in the order of asking; often at once."""
        ticket: asyncio.Future[Place] = asyncio.get_running_loop().create_future()
        if not self._waiting and (place := self.take()) is not None:
            ticket.set_result(place)
        else:
            self._waiting.append(ticket)
        return ticket

    def withdraw(self, ticket: asyncio.Future[Place]) -> Place | None:
        """Not wanted any more; the place it got meanwhile, to be given back."""
        if ticket in self._waiting:
            self._waiting.remove(ticket)
            return None
        return None if ticket.cancelled() else ticket.result()

    def free(self) -> None:
        """A reserved place is free, or what was started in it counts by itself now."""
        self._reserved -= 1
        self.serve()

    def serve(self) -> None:
        """Give places to those who wait, as far as there are any."""
        while self._waiting:
            if self._waiting[0].done():  # cancelled while it waited
                self._waiting.popleft()
                continue
            place = self.take()
            if place is None:
                return
            self._waiting.popleft().set_result(place)
