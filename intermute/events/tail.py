"""The end of the log as this process sees it: every event once, in order, as soon as it is committed.

What this process commits itself comes straight from memory. What others commit is fetched from the log, which
a notification asks for; the poll finds what no notification told of.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from intermute.events.event import Event
from intermute.events.history import History
from intermute.events.journal import CHANNEL
from storage.clock import Clock
from storage.errors import DatabaseUnavailable
from storage.wakeups import Wakeup, Wakeups

log = structlog.get_logger()

POLL = 5.0  #: seconds without a notification until the log is looked at
GATHER = 0.002  #: seconds in which notifications gather, and own commits are reported without being fetched
EARLY = 10_000  #: own events kept that wait for an earlier one of somebody else

Heard = Callable[[Sequence[Event]], None]


class Tail:
    """`heard` is called with every event behind the place where `begin` found the log; it must not wait.

    `turned_back` is called when the log ends before a cursor that was told: another database is behind ours.
    """

    def __init__(
        self,
        history: History,
        wakeups: Wakeups,
        clock: Clock,
        *,
        heard: Heard,
        turned_back: Callable[[], None],
    ) -> None:
        self._history = history
        self._wakeups = wakeups
        self._clock = clock
        self._heard = heard
        self._turned_back = turned_back
        self._early: dict[int, Event] = {}
        self._wakeup: Wakeup | None = None
        self._position: int | None = None

    @property
    def position(self) -> int:
        """The cursor of the last event told; 0 before `begin`."""
        return self._position or 0

    async def begin(self) -> None:
        """Find the end of the log. May raise DatabaseUnavailable; `run` does it where nobody else has."""
        if self._position is None:
            head = await self._history.head()
            self._position = head if self._position is None else self._position

    def committed(self, events: Sequence[Event]) -> None:
        """What this process has committed, in any order."""
        if self._position is None:
            return  # `begin` finds it on record, or the first look does
        for event in events:
            if event.cursor > self._position:
                self._early[event.cursor] = event
        self._tell_contiguous()
        if len(self._early) > EARLY:
            self._early.clear()
        if self._early and self._wakeup is not None:
            self._wakeup.notified(str(max(self._early)))

    async def run(self) -> None:
        """Fetch what others commit, until cancelled."""
        self._wakeup = self._wakeups.subscribe(CHANNEL)
        try:
            while True:
                payloads = await self._wakeup.wait(self._clock, POLL)
                try:
                    await self._look(payloads)
                except DatabaseUnavailable as error:
                    # The poll, or the connection that comes back, looks again.
                    log.warning("events.not_fetched", reason=str(error))
                except Exception:  # one bad look must not end all pushing
                    log.exception("events.look_failed")
        finally:
            self._wakeup.close()
            self._wakeup = None

    async def _look(self, payloads: Sequence[str]) -> None:
        await self.begin()
        if not payloads:
            await self._catch_up(await self._present_head())
            return
        # Notifications of our own commits may come before those return to whoever made them.
        await asyncio.sleep(GATHER)
        await self._catch_up(max((int(payload) for payload in payloads if payload.isdecimal()), default=0))

    async def _present_head(self) -> int:
        before = self.position
        head = await self._history.head()
        if head < before:
            log.warning("events.log_turned_back", position=before, head=head)
            self._position = head
            self._early.clear()
            self._turned_back()
        return head

    async def _catch_up(self, target: int) -> None:
        """Everything up to a cursor that is known to be committed, pruned events left out."""
        while (position := self.position) < target:
            events = await self._history.after(position, target)
            through = events[-1].cursor if events and events[-1].cursor < target else target
            fresh = [event for event in events if event.cursor > self.position]
            if through > self.position:
                self._position = through
                self._tell(fresh)
            self._tell_contiguous()

    def _tell_contiguous(self) -> None:
        """Own events that follow the last one told; those that were fetched meanwhile are forgotten."""
        position, ready = self.position, []
        while self._early:
            event = self._early.pop(position + 1, None)
            if event is None:
                break
            position += 1
            ready.append(event)
        self._position = position
        self._tell(ready)
        if self._early and min(self._early) <= position:
            self._early = {cursor: event for cursor, event in self._early.items() if cursor > position}

    def _tell(self, events: Sequence[Event]) -> None:
        if not events:
            return
        try:
            self._heard(events)
        except Exception:  # the events are on record; whoever committed them must not fail
            log.exception("events.not_heard", first=events[0].cursor)
