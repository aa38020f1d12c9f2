"""What waits to be sent on one connection, let go at a speed that the receiver's limiter takes.

The bucket is a model of the receiver's. A part of it is held back, because the network may bring together
what was sent apart: up to a second of delay costs no strike. A message too large for the rest waits until
the bucket was full for a second.
"""

from collections import deque
from collections.abc import Iterator

from sidechannel.peer.limiter import Bucket
from sidechannel.peer.settings import Pacing

_DELAY = 1_000


class Pacer:
    """A bounded queue behind a bucket."""

    def __init__(self, pacing: Pacing, now: int) -> None:
        self._pacing = pacing
        self._bucket = Bucket(pacing.rate, pacing.receiver_burst, now)
        self._queue: deque[tuple[str, bytes, bool]] = deque()
        self._full_at = now - _DELAY
        self.queued_bytes = 0

    def __len__(self) -> int:
        return len(self._queue)

    def fits(self, size: int) -> bool:
        """Whether there is room for one more of this size."""
        return (
            len(self._queue) < self._pacing.queued and self.queued_bytes + size <= self._pacing.queued_bytes
        )

    def put(self, channel: str, data: bytes, *, gated: bool) -> bool:
        """Queue a payload; False where there is no room. `gated`: only for those admitted to the channel."""
        if not self.fits(len(data)):
            return False
        self._queue.append((channel, data, gated))
        self.queued_bytes += len(data)
        return True

    def ready(self, now: int) -> Iterator[tuple[str, bytes, bool]]:
        """Take what may go now; the caller says with `sent` what it really sent."""
        while self._queue and self._goes_at(len(self._queue[0][1]), now) <= now:
            item = self._queue.popleft()
            self.queued_bytes -= len(item[1])
            yield item

    def sent(self, size: int, now: int) -> None:
        if self._pacing.rate > 0:
            self._bucket.level -= size
            lacking = self._pacing.receiver_burst - self._bucket.level
            self._full_at = now + int(lacking * 1000 / self._pacing.rate) + 1

    def next_at(self, now: int) -> int | None:
        """When the next payload may go; None where nothing waits."""
        return self._goes_at(len(self._queue[0][1]), now) if self._queue else None

    def _goes_at(self, size: int, now: int) -> int:
        if self._pacing.rate <= 0:
            return now
        self._bucket.fill(now)
        if size > self._pacing.burst:
            return max(now, self._full_at + _DELAY)
        lacking = self._pacing.receiver_burst - self._pacing.burst + size - self._bucket.level
        return now if lacking <= 0 else now + int(lacking * 1000 / self._pacing.rate) + 1
