"""Follows what the database says has changed, and tells the readers of the rooms."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from bridges.web.port import Change, ItemChanged, ItemGone, Reload, RoomsChanged, SideChanged
from host.page.audience import Audience
from host.page.page_items import item
from host.page.room_entries import RoomEntries
from host.page.transcript import CHANNEL as ROOM_CHANNEL
from host.page.transcript import RoomChange, read_change
from host.people.registry import CHANNEL as REGISTRY_CHANNEL
from host.people.registry import Registry
from storage.clock import Clock
from storage.errors import StorageError
from storage.wakeups import Wakeups

log = structlog.get_logger()

KERNEL_CHANNEL = "kernel_events"
#: seconds without any notification until everybody is told to look again
_SELDOM = 3600.0


class RoomChanges:
    """One task per channel; rows are read only while somebody watches."""

    def __init__(
        self, *, audience: Audience, entries: RoomEntries, registry: Registry, clock: Clock, agent: str
    ) -> None:
        self._audience = audience
        self._entries = entries
        self._registry = registry
        self._clock = clock
        self._agent = agent

    async def run(self, wakeups: Wakeups) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow(wakeups, ROOM_CHANNEL, self._rooms))
            tasks.create_task(self._follow(wakeups, REGISTRY_CHANNEL, self._registrations))
            tasks.create_task(self._follow(wakeups, KERNEL_CHANNEL, self._kernel))

    async def _follow(
        self, wakeups: Wakeups, channel: str, heard: Callable[[list[str]], Awaitable[None]]
    ) -> None:
        wakeup = wakeups.subscribe(channel)
        try:
            while True:
                payloads = await wakeup.wait(self._clock, _SELDOM)
                if not self._audience:
                    continue
                try:
                    await heard(payloads)
                except StorageError as error:
                    log.warning("rooms.stale", channel=channel, reason=str(error))
                    self._audience.tell(Reload())
        finally:
            wakeup.close()

    async def _rooms(self, payloads: list[str]) -> None:
        if not payloads:
            self._audience.tell(Reload())
            return
        # Of many changes of one row (a streamed answer) the last one counts.
        for change in dict.fromkeys(read_change(payload) for payload in payloads):
            await self._row(change)

    async def _row(self, change: RoomChange) -> None:
        entry = await self._entries.shown(change.folder, change.id)
        if entry is None or entry.gone:
            self._tell(change.folder, ItemGone(folder=change.folder, id=str(change.id)))
            return
        self._tell(change.folder, ItemChanged(item=item(entry, self._agent)))
        if entry.approval is not None:
            self._tell(change.folder, SideChanged(folder=change.folder))
            self._tell(change.folder, RoomsChanged())

    async def _registrations(self, _payloads: list[str]) -> None:
        await (
            self._registry.load()
        )  # this channel also wakes the registry itself; whoever is first, it is fresh
        self._audience.tell(RoomsChanged())
        await self._kernel([])

    async def _kernel(self, _payloads: list[str]) -> None:
        for group in self._registry.groups():
            self._tell(group.folder, SideChanged(folder=group.folder))

    def _tell(self, folder: str, change: Change) -> None:
        self._audience.tell(change, lambda person: self._registry.role(folder, person) is not None)
