"""How fast we may send: a token bucket for all, one per chat, and the chats Telegram wants left alone."""

from bridges.port import RateLimited
from bridges.telegram.clock import Clock
from bridges.telegram.settings import TelegramSettings

_RESERVED = 4  #: one part in so many of a burst is kept for messages that are not left out
_REMEMBERED = 4096  #: chats; a bucket that is full again need not be remembered


class Bucket:
    """Tokens that come back at a rate. Taking more than there are reserves future ones, in order."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, at: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._at = at

    def take(self, now: float) -> float:
        """Take a token; returns how many seconds to wait until it is really there."""
        self._refill(now)
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)

    def spare(self, now: float) -> bool:
        """Whether taking one leaves plenty for what matters more."""
        self._refill(now)
        return self._tokens >= 1 + self._burst / _RESERVED

    def full(self, now: float) -> bool:
        self._refill(now)
        return self._tokens >= self._burst

    def _refill(self, now: float) -> None:
        elapsed = max(0.0, now - self._at)  # clocks may be set back
        self._tokens = min(self._burst, self._tokens + elapsed * self._rate)
        self._at = now


class Limiter:
    """Waiting happens in the caller's task, so one chat's wait is never another's."""

    def __init__(self, settings: TelegramSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._overall = Bucket(settings.overall_rate, settings.overall_rate, self._now())
        self._chats: dict[int, Bucket] = {}
        self._held: dict[int, float] = {}

    async def admit(self, chat: int) -> None:
        """Wait for this chat's turn; raises RateLimited while Telegram wants the chat left alone."""
        self._refuse_held(chat)
        await self._wait(self._bucket(chat).take(self._now()))
        await self._wait(self._overall.take(self._now()))
        self._refuse_held(chat)

    def admit_passing(self, chat: int) -> bool:
        """Take a turn for what may as well be left out; False when turns are scarce."""
        now, bucket = self._now(), self._bucket(chat)
        if self.held(chat) or not bucket.spare(now) or not self._overall.spare(now):
            return False
        bucket.take(now)
        self._overall.take(now)
        return True

    def hold(self, chat: int, seconds: float) -> None:
        """Telegram answered 429: nothing to this chat until then."""
        self._held[chat] = max(self._held.get(chat, 0.0), self._now() + seconds)

    def held(self, chat: int) -> float:
        """Seconds for which the chat is still held."""
        until = self._held.get(chat)
        if until is None:
            return 0.0
        left = until - self._now()
        if left <= 0:
            del self._held[chat]
        return max(0.0, left)

    def _refuse_held(self, chat: int) -> None:
        left = self.held(chat)
        if left > 0:
            raise RateLimited(left)

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await self._clock.sleep(seconds)

    def _bucket(self, chat: int) -> Bucket:
        bucket = self._chats.get(chat)
        if bucket is None:
            self._forget()
            private = chat > 0
            rate = self._settings.private_rate if private else self._settings.group_rate
            burst = self._settings.private_burst if private else self._settings.group_burst
            bucket = self._chats[chat] = Bucket(rate, burst, self._now())
        return bucket

    def _forget(self) -> None:
        if len(self._chats) >= _REMEMBERED:
            now = self._now()
            self._chats = {chat: bucket for chat, bucket in self._chats.items() if not bucket.full(now)}
            self._held = {chat: until for chat, until in self._held.items() if until > now}

    def _now(self) -> float:
        return self._clock.now().timestamp()
