"""Stops asking a database that cannot keep anything, and asks again a little later, one request at a time."""

from collections.abc import Callable

import structlog

from intermute.errors import StorageDown

log = structlog.get_logger()

FAILURES = 5  #: in a row, until it opens
FIRST_PAUSE = 0.5  #: seconds it stays open; doubled with every probe that fails ...
LONGEST_PAUSE = 5.0  #: ... up to this
SPREAD = 0.25  #: of a pause, at random, so that replicas do not all come back at once


class Breaker:
    """`now` counts seconds and never goes back; what the time of day does is of no matter here."""

    def __init__(self, now: Callable[[], float], randomness: Callable[[], float]) -> None:
        self._now = now
        self._randomness = randomness
        self._failures = 0
        self._pause = 0.0  #: 0: closed
        self._until = 0.0
        self._probing = False

    @property
    def open(self) -> bool:
        return self._pause > 0

    def enter(self) -> None:
        """Before an attempt, which then must end in one of the other three. Raises StorageDown."""
        if not self._pause:
            return
        left = self._until - self._now()
        if left > 0 or self._probing:
            raise StorageDown(
                "The database could keep nothing just now; nothing is written until it is tried again.",
                retry_after=max(1, -int(-left // 1)),
            )
        self._probing = True

    def succeeded(self) -> None:
        if self._pause:
            log.info("storage.recovered")
        self._failures, self._pause, self._probing = 0, 0.0, False

    def failed(self) -> None:
        """The storage failed, not the request."""
        self._failures += 1
        if self._pause and not self._probing:
            return  # begun before it opened
        if self._pause or self._failures >= FAILURES:
            self._pause = min(LONGEST_PAUSE, self._pause * 2 or FIRST_PAUSE)
            self._until = self._now() + self._pause * (1 + SPREAD * self._randomness())
            self._probing = False
            log.warning("storage.breaker_open", seconds=round(self._pause, 1))

    def neutral(self) -> None:
        """The attempt says nothing about the storage: it was refused, or given up."""
        self._probing = False
