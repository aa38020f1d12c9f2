"""What waits to be sent on one connection, let go at a speed that the receiver's limiter takes."""

from collections import deque
from collections.abc import Iterator

from sidechannel.peer.limiter import Bucket
from sidechannel.peer.settings import Pacing


class Pacer:
    """A queue behind a bucket. What is larger than the bucket waits for a full one, and leaves debt."""

    def __init__(self, pacing: Pacing, now: int) -> None:
        self._pacing = pacing
        self._bucket = Bucket(pacing.rate, pacing.burst, now)
        self._queue: deque[tuple[str, bytes, bool]] = deque()
        self.queued_bytes = 0

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def full(self) -> bool:
        return len(self._queue) >= self._pacing.queued or self.queued_bytes >= self._pacing.queued_bytes

    def put(self, channel: str, data: bytes, *, gated: bool) -> bool:
        """Queue a payload; False where there is no room. `gated`: only for those admitted to the channel."""
        if (
            len(self._queue) >= self._pacing.queued
            or self.queued_bytes + len(data) > self._pacing.queued_bytes
        ):
            return False
        self._queue.append((channel, data, gated))
        self.queued_bytes += len(data)
        return True

    def ready(self, now: int) -> Iterator[tuple[str, bytes, bool]]:
        """Take what may go now; the caller says with `sent` what it really sent."""
        self._bucket.fill(now)
        while self._queue and self._may_go(len(self._queue[0][1])):
            item = self._queue.popleft()
            self.queued_bytes -= len(item[1])
            yield item

    def sent(self, size: int) -> None:
        if self._pacing.rate > 0:
            self._bucket.level -= size

    def next_at(self, now: int) -> int | None:
        """When the next payload may go; None where nothing waits."""
        if not self._queue:
            return None
        self._bucket.fill(now)
        lacking = min(len(self._queue[0][1]), self._bucket.burst) - self._bucket.level
        if self._pacing.rate <= 0 or lacking <= 0:
            return now
        return now + int(lacking * 1000 / self._pacing.rate) + 1

    def _may_go(self, size: int) -> bool:
        return self._pacing.rate <= 0 or self._bucket.level >= min(size, self._bucket.burst)
