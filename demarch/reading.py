"""What events are about, read once for a whole batch of them, and the notices that follow."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import structlog

from demarch.errors import KernelUnavailable, NotFound
from demarch.kernel import Discovery, Kernel, KernelEvent, Run
from demarch.notices import DiscoveryNotice, Notice, derive, discovered, is_told
from storage.clock import Clock

log = structlog.get_logger()

#: an event this young whose run cannot be found is looked at again: it may be told before its run is there
YOUNG = timedelta(seconds=10)

T = TypeVar("T", Run, Discovery)


class Unreadable(KernelUnavailable):
    """The log can be read, but not what its next event is about."""

    def __init__(self, event: KernelEvent, why: KernelUnavailable) -> None:
        super().__init__(str(why))
        self.event = event


class Reading:
    """Collects the notices of events in their order."""

    def __init__(self, kernel: Kernel, clock: Clock) -> None:
        self._kernel = kernel
        self._clock = clock
        self._runs: dict[str, Run | None] = {}
        self._discoveries: dict[str, Discovery | None] = {}
        self.notices: list[Notice] = []
        self.discoveries: list[DiscoveryNotice] = []

    async def add(self, event: KernelEvent) -> None:
        """Raises KernelUnavailable when what it is about cannot be read now."""
        if not event.run_id or not is_told(event):
            return
        if event.source == "discovery":
            discovery = await self._read(event, self._discoveries, self._kernel.discovery)
            self._tell_discovery(event, discovery)
        else:
            run = await self._read(event, self._runs, self._kernel.run)
            self.notices += derive(event, run) if run else ()

    def _tell_discovery(self, event: KernelEvent, discovery: Discovery | None) -> None:
        """Once a batch: it may be submitted, scored and proposed within a second."""
        notice = discovered(event, discovery) if discovery else None
        told = {(each.kind, each.discovery.id) for each in self.discoveries}
        if notice is not None and (notice.kind, notice.discovery.id) not in told:
            self.discoveries.append(notice)

    async def _read(
        self, event: KernelEvent, known: dict[str, T | None], read: Callable[[str], Awaitable[T]]
    ) -> T | None:
        """None for what is gone."""
        if event.run_id not in known:
            try:
                known[event.run_id] = await read(event.run_id)
            except NotFound as error:
                if abs(self._clock.now() - event.timestamp) < YOUNG:
                    raise KernelUnavailable(
                        f"It happened just now and cannot be read yet: {error}"
                    ) from error
                log.info("feed.subject_gone", subject=event.run_id, source=event.source, id=event.id)
                known[event.run_id] = None
        return known[event.run_id]
