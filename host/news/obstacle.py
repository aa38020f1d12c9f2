"""What stands in the feed's way: how long one event is tried before it is passed by, loudly."""

from datetime import datetime, timedelta

from demarch.kernel import KernelEvent
from storage.clock import Clock

GIVE_UP_AFTER = 3  #: faults of ours in a row
#: of an event about something the kernel cannot show, and all else it can
GIVE_UP_LATE = timedelta(minutes=10)


class Obstacle:
    def __init__(self, clock: Clock, batch: int) -> None:
        self._clock = clock
        self._batch = batch
        self._singly = 0  #: events to be told one by one: one of them is the obstacle
        self._failures = 0
        self._place: tuple[str, int] | None = None
        self._since: datetime | None = None

    @property
    def limit(self) -> int:
        """How many events to tell together: no others are passed by with the one that is the obstacle."""
        return 1 if self._singly else self._batch

    def passed(self) -> None:
        self._singly = max(0, self._singly - 1)
        self._failures = 0
        self._place = self._since = None

    def failed(self) -> bool:
        """A fault while telling; whether that was the last try."""
        self._singly = self._batch
        self._failures += 1
        return self._failures >= GIVE_UP_AFTER

    def unreadable(self, event: KernelEvent) -> bool:
        """What the event is about cannot be read; whether that has lasted too long."""
        now = self._clock.now()
        if self._place != (event.source, event.id) or self._since is None:
            self._place, self._since = (event.source, event.id), now
        return now - self._since >= GIVE_UP_LATE
