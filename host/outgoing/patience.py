"""How long to leave somebody alone: holds asked for by a network, and growing pauses after failures."""

from datetime import datetime, timedelta

from storage.clock import Clock

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0


class Patience:
    """Pauses by key, in memory: after a restart the network simply asks again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[str, datetime] = {}
        self._failures: dict[str, int] = {}

    async def wait(self, key: str) -> None:
        """Return when the key may be tried, at once in the usual case."""
        while (left := self.left(key)) > 0:
            await self._clock.sleep(left)

    def left(self, key: str) -> float:
        """Seconds until the key may be tried."""
        until = self._until.get(key)
        return 0.0 if until is None else (until - self._clock.now()).total_seconds()

    def hold(self, key: str, seconds: float) -> None:
        self._until[key] = self._clock.now() + timedelta(seconds=max(0.0, seconds))

    def back_off(self, key: str) -> None:
        """Pause longer than the last time; failures during a pause are the same failure."""
        if self.left(key) > 0:
            return
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.hold(key, min(LONGEST_PAUSE, FIRST_PAUSE * 2.0 ** min(failures, 10)))

    def forget(self, key: str) -> None:
        """It went well."""
        self._until.pop(key, None)
        self._failures.pop(key, None)
