"""How often somebody may do something: at most so many times within so many seconds."""

from collections import OrderedDict, deque
from datetime import datetime, timedelta


class Pace:
    """A sliding window per key; remembers a bounded number of keys, the longest unused go first."""

    def __init__(self, limit: int, seconds: float, *, keys: int = 1000) -> None:
        self._limit = limit
        self._period = timedelta(seconds=seconds)
        self._keys = keys
        self._times: OrderedDict[str, deque[datetime]] = OrderedDict()

    def wait(self, key: str, now: datetime) -> float:
        """Seconds until the next one is allowed; 0 when it is allowed now."""
        times = self._times.get(key)
        if times is None or len(times) < self._limit:
            return 0.0
        return max(0.0, (times[0] + self._period - now).total_seconds())

    def count(self, key: str, now: datetime) -> None:
        """One more has happened."""
        times = self._times.setdefault(key, deque(maxlen=self._limit))
        times.append(now)
        self._times.move_to_end(key)
        if len(self._times) > self._keys:
            self._times.popitem(last=False)
