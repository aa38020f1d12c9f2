"""A clock that stands still until a test turns it."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


class HandClock:
    """Time as a test wants it. Sleepers wake in the order of their alarms, each seeing its own time."""

    def __init__(self, start: datetime = START) -> None:
        self._now = start
        self._alarms: list[tuple[datetime, int, asyncio.Event]] = []
        self._number = 0
        self._slept = asyncio.Condition()

    def now(self) -> datetime:
        return self._now

    @property
    def sleepers(self) -> int:
        """How many sleep at this moment."""
        return len(self._alarms)

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        self._number += 1
        alarm = (self._now + timedelta(seconds=seconds), self._number, asyncio.Event())
        self._alarms.append(alarm)
        try:
            async with self._slept:
                self._slept.notify_all()
            await alarm[2].wait()
        finally:
            if alarm in self._alarms:
                self._alarms.remove(alarm)

    async def advance(self, seconds: float) -> None:
        """Turn the clock: every alarm on the way rings at its time, also those set by the ones just woken."""
        end = self._now + timedelta(seconds=seconds)
        await _settle()
        while due := [alarm for alarm in self._alarms if alarm[0] <= end]:
            alarm = min(due, key=lambda alarm: alarm[:2])
            self._alarms.remove(alarm)
            self._now = max(self._now, alarm[0])
            alarm[2].set()
            await _settle()
        self._now = end

    async def until_sleeping(self, count: int = 1, within: float = 5.0) -> None:
        """Wait until that many sleep: then the tasks under test are where the test wants them."""
        async with asyncio.timeout(within), self._slept:
            await self._slept.wait_for(lambda: len(self._alarms) >= count)


async def _settle() -> None:
    """Let everything that is ready run until it waits for something else; work in threads is not awaited."""
    for _ in range(20):
        await asyncio.sleep(0)
