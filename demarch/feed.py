"""Reads the kernel's event log forward and tells what it means, together with the marks to keep.

Marks are one number a source, the id of the last event read; beside it, under `source@`, stands the second in
which that event happened. A log that was set back has another event at that place, or none.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import structlog

from demarch.errors import KernelUnavailable, LogWentBack
from demarch.kernel import Kernel, KernelEvent, Marks
from demarch.notices import DiscoveryNotice, Notice
from demarch.reading import Reading, Unreadable
from storage.clock import Clock

log = structlog.get_logger()

AT = "@"


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What was read: store the marks in the transaction that stores what the notices cause."""

    notices: tuple[Notice, ...]
    discoveries: tuple[DiscoveryNotice, ...] = ()
    start: Marks  #: where it was read from: the marks that were brought, unless the log had been set back
    marks: Marks
    events: int  #: how many events were behind the old marks; 0 means drained


def passed(marks: Marks, events: Iterable[KernelEvent]) -> dict[str, int]:
    """The marks behind these events."""
    after = dict(marks)
    for event in events:
        if event.id >= after.get(event.source, 0):
            after[event.source] = event.id
            after[event.source + AT] = int(event.timestamp.timestamp())
    return after


class Feed:
    """A reader that owns no cursor: whoever reads brings the marks and keeps the new ones."""

    def __init__(self, kernel: Kernel, clock: Clock) -> None:
        self._kernel = kernel
        self._clock = clock

    async def head(self) -> Marks:
        """Where a first start begins: history is not told."""
        return await self._kernel.head()

    async def read(self, marks: Marks, limit: int) -> Batch:
        """Up to `limit` events behind the marks. There may be more as long as there are any.

        Raises Unreadable for what cannot be read about the first event; what comes before such a one is told.
        """
        start, events = await self._behind(marks, limit)
        reading = Reading(self._kernel, self._clock)
        told = 0
        for event in events:
            try:
                await reading.add(event)
            except KernelUnavailable as error:
                if not told:
                    raise Unreadable(event, error) from error
                break
            told += 1
        return Batch(
            notices=tuple(reading.notices),
            discoveries=tuple(reading.discoveries),
            start=start,
            marks=passed(start, events[:told]),
            events=told,
        )

    async def beyond(self, marks: Marks) -> Marks:
        """The marks behind the next event, which is not told."""
        start, events = await self._behind(marks, 1)
        return passed(start, events[:1])

    async def well(self) -> bool:
        """Whether the kernel itself sees nothing wrong with it."""
        return (await self._kernel.state()).ok

    async def _behind(self, marks: Marks, limit: int) -> tuple[Marks, Sequence[KernelEvent]]:
        """From where it was read on, and what was there."""
        try:
            return marks, await self._events(marks, limit)
        except LogWentBack as back:
            log.error("feed.log_went_back", before=dict(marks), now=dict(back.marks))
            return back.marks, await self._events(back.marks, limit)

    async def _events(self, marks: Marks, limit: int) -> Sequence[KernelEvent]:
        return _fresh(await self._kernel.events(marks, limit), marks)[:limit]


def _fresh(events: Sequence[KernelEvent], marks: Mapping[str, int]) -> list[KernelEvent]:
    """Without what stands before the marks or comes twice (some sources of the real kernel repeat)."""
    seen: set[tuple[str, int]] = set()
    fresh = []
    for event in events:
        place = (event.source, event.id)
        if place not in seen and event.id > marks.get(event.source, 0):
            seen.add(place)
            fresh.append(event)
    return fresh
