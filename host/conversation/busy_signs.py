"""The sign that an answer is being written, kept alive in a chat while somebody works for it."""

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import structlog

from bridges.port import BridgeError, ChatBridge
from storage.clock import Clock

log = structlog.get_logger()

EVERY = 4.0


@dataclass(slots=True, eq=False)
class _Sign:
    address: str
    wanted: bool = True
    task: asyncio.Task[None] | None = None  #: only while it sleeps, when it may be cancelled


class BusySigns:
    """Shows and takes away. A request under way is never cut off, that would cost its connection."""

    def __init__(self, bridges: Mapping[str, ChatBridge], clock: Clock) -> None:
        self._bridges = bridges
        self._clock = clock
        self._tasks: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Keep signs alive until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    @contextmanager
    def shown(self, address: str) -> Iterator[None]:
        """Show the sign from now on until leave."""
        bridge = self._bridges.get(address.partition(":")[0])
        if bridge is None or self._tasks is None:
            yield
            return
        sign = _Sign(address)
        self._tasks.create_task(self._keep(bridge, sign), name=f"typing in {address}")
        try:
            yield
        finally:
            sign.wanted = False
            if sign.task is not None:
                sign.task.cancel()

    async def _keep(self, bridge: ChatBridge, sign: _Sign) -> None:
        while sign.wanted:
            try:
                await bridge.typing(sign.address)
            except BridgeError as error:
                log.debug("typing.failed", address=sign.address, reason=str(error))
            except Exception:
                log.exception("typing.failed", address=sign.address)
            if sign.wanted:
                sign.task = asyncio.current_task()
                await self._clock.sleep(EVERY)
                sign.task = None
