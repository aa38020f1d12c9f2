"""How much a connection may send us: a bucket of bytes, strikes for what does not fit, then a block."""

from sidechannel.peer.settings import Limits


class Bucket:
    """Fills with `rate` bytes a second up to `burst`."""

    def __init__(self, rate: int, burst: int, now: int) -> None:
        self.rate = rate
        self.burst = burst
        self.level = float(burst)
        self._filled_at = now

    def fill(self, now: int) -> None:
        passed = max(0, now - self._filled_at)
        self._filled_at = max(now, self._filled_at)
        self.level = min(self.burst, self.level + self.rate * passed / 1000)


class Limiter:
    """The receiver's limiter: what is over the limit costs a strike, not the bucket.

    What is dropped before the limiter sees it (no work, no invite, no JSON) is charged to a second bucket of
    the same size: the original lets such floods pass for free.
    """

    def __init__(self, limits: Limits, now: int) -> None:
        self._limits = limits
        self._taken = Bucket(limits.rate, limits.burst, now)
        self._wasted = Bucket(limits.rate, limits.burst, now)
        self._strikes = 0
        self._window_from = now
        self._blocked_until = now

    def blocked(self, now: int) -> bool:
        return now < self._blocked_until

    def take(self, size: int, now: int) -> bool:
        """Whether a message of this size is within the limit; otherwise it counts as a strike."""
        return self._charge(self._taken, size, now)

    def waste(self, size: int, now: int) -> None:
        """Remember what was dropped unread."""
        self._charge(self._wasted, size, now)

    def _charge(self, bucket: Bucket, size: int, now: int) -> bool:
        if self._limits.rate <= 0:
            return True
        bucket.fill(now)
        if size > bucket.level:
            self._strike(now)
            return False
        bucket.level -= size
        return True

    def _strike(self, now: int) -> None:
        if now - self._window_from > self._limits.strike_window:
            self._window_from, self._strikes = now, 0
        self._strikes += 1
        if self._strikes >= self._limits.strikes:
            self._blocked_until = now + self._limits.block
            self._strikes = 0
