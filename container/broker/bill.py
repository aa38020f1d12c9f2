"""What one request will have cost: set aside before it, settled once after it, whatever happens between."""

from collections.abc import Callable
from dataclasses import replace

from container.broker.counting import Counter, Watch
from container.broker.port import Account, ModelRequest, Reservation, Usage

PACE = 100  #: tokens a second: about what a model writes that we cannot see at it


class Bill:
    """One request's. `tick` tells the seconds of a clock that only goes forward."""

    def __init__(self, account: Account, request: ModelRequest, tick: Callable[[], float]) -> None:
        self._account = account
        self._request = request
        self._tick = tick
        self.reservation: Reservation = account.reserve(request)
        self._watch: Watch | None = None
        self._since: float | None = None  #: since when nothing was heard, once the provider is at work
        self._whole = False
        self.usage = Usage()  #: what was settled

    def asked(self) -> None:
        """The request is on its way."""
        self._since = self._tick()

    def unanswered(self, *, used: bool) -> None:
        """The provider gave no answer. `used`: it may have worked all the same."""
        if not used:
            self._since = None

    def answered(self, counter: Counter, *, streamed: bool, longest: int) -> None:
        self._watch = Watch(counter, streamed=streamed, longest=longest)

    def see(self, chunk: bytes) -> None:
        """A piece of the answer."""
        self._since = self._tick()
        if self._watch is not None:
            self._watch.see(chunk)

    def whole(self) -> str:
        """The answer has come to its end. Returns the fault the provider told in it, if any."""
        self._whole = True
        if self._watch is None:
            return ""
        self._watch.ended()
        return self._watch.fault

    def settle(self) -> None:
        self.usage = self._used()
        self._account.settle(self.reservation.id, self.usage)

    def _used(self) -> Usage:
        if self._since is None:
            return Usage()
        guess = self._request.input_tokens
        known = Usage(input=guess) if self._watch is None else self._watch.usage(guess)
        if self._whole or (self._watch is not None and self._watch.final):
            return known
        # Cut: the model may have thought on, unseen; it cannot have written more than it was allowed.
        unseen = int((self._tick() - self._since) * PACE)
        return replace(known, output=min(known.output + unseen, self.reservation.output_tokens))
