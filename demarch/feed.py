"""Reads the kernel's event log forward and tells what it means, together with the marks to keep."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from demarch.errors import NotFound
from demarch.kernel import Kernel, KernelEvent, Marks, Run
from demarch.notices import DiscoveryNotice, Notice, derive

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What was read: store the marks in the transaction that stores what the notices cause."""

    notices: tuple[Notice, ...]
    discoveries: tuple[DiscoveryNotice, ...] = ()
    marks: Marks
    events: int  #: how many events were behind the old marks; 0 means drained


class Feed:
    """A reader that owns no cursor: whoever reads brings the marks and keeps the new ones."""

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    async def head(self) -> Marks:
        """Where a first start begins: history is not told."""
        return await self._kernel.head()

    async def read(self, marks: Marks, limit: int) -> Batch:
        """Up to `limit` events behind the marks; a kernel that limits per source is asked until drained."""
        marks = dict(marks)
        seen: list[KernelEvent] = []
        while len(seen) < limit:
            fresh = _fresh(await self._kernel.events(marks, limit - len(seen)), marks)
            if not fresh:
                break
            for event in fresh:
                marks[event.source] = max(marks.get(event.source, 0), event.id)
            seen += fresh
        return Batch(notices=await self._told(seen), marks=marks, events=len(seen))

    async def _told(self, events: Sequence[KernelEvent]) -> tuple[Notice, ...]:
        runs: dict[str, Run | None] = {}
        notices: list[Notice] = []
        for event in events:
            if event.run_id not in runs:
                runs[event.run_id] = await self._run(event)
            run = runs[event.run_id]
            notices += derive(event, run) if run else ()
        return tuple(notices)

    async def _run(self, event: KernelEvent) -> Run | None:
        """The event's run; None for those that are gone and for events that belong to no run."""
        if event.source in _RUNLESS or not event.run_id:
            return None
        try:
            return await self._kernel.run(event.run_id)
        except NotFound:
            log.info("feed.run_gone", run=event.run_id, source=event.source, id=event.id)
            return None


_RUNLESS = frozenset({"discovery", "coordination"})


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
