"""Keeps agents warm and no warmer: frozen soon, started ahead, ended when old or when memory is short."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from container.sandbox import ContainerError
from host.conversation.session import Session
from host.conversation.sessions import GroupOf, Sessions
from host.meter import Meter
from storage.clock import Clock
from storage.errors import StorageError

log = structlog.get_logger()

LOOK_EVERY = 5.0  #: seconds, at most
MEMINFO = Path("/proc/meminfo")

RecentLanes = Callable[[datetime, int], Awaitable[Sequence[str]]]  #: since when, how many; the latest first


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """How warm agents are kept."""

    pause_after: float = 60.0  #: seconds idle until one is frozen
    idle_timeout: float = 1800.0  #: seconds idle until one is ended
    ahead: float = 4 * 3600.0  #: lanes spoken to within so many seconds are started ahead; 0: none
    most_ahead: int = 8
    keep_free: int = 512 * 1024 * 1024  #: bytes of memory this machine is to keep available


def memory_available() -> int:
    """Bytes that programs could still have without swapping, as Linux estimates it."""
    for line in MEMINFO.read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"{MEMINFO} has no MemAvailable")


class Warmth:
    """Looks every few seconds, and once at the start."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        climate: Climate,
        recent_lanes: RecentLanes,
        group_of: GroupOf,
        clock: Clock,
        meter: Meter,
        available: Callable[[], int] = memory_available,
    ) -> None:
        self._sessions = sessions
        self._climate = climate
        self._recent_lanes = recent_lanes
        self._group_of = group_of
        self._clock = clock
        self._meter = meter
        self._available = available
        self._expected: dict[str, None] = {}
        self._stir = asyncio.Event()

    def expect(self, lane: str) -> None:
        """People talk in this lane and may soon ask: a lane without an agent gets one ahead."""
        if self._climate.ahead and lane not in self._sessions.live and len(self._expected) < 1000:
            self._expected[lane] = None
            self._stir.set()

    async def run(self) -> None:
        """Keep at it until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._start_ahead())
            while True:
                pause = min(LOOK_EVERY, self._climate.idle_timeout, self._climate.pause_after)
                await self._clock.sleep(pause)
                await self._look()

    async def _look(self) -> None:
        now = self._clock.now()
        for session in list(self._sessions.pool.idle()):
            idle = now - session.idle_since
            if self._sessions.outdated(session):
                await self._end(session, "session.outdated")
            elif idle >= timedelta(seconds=self._climate.idle_timeout):
                await self._end(session, "session.idle")
            elif idle >= timedelta(seconds=self._climate.pause_after):
                await self._sessions.freeze(session)
        if self._short_of_memory():
            coldest = next(iter(self._sessions.pool.idle()), None)
            if coldest is not None:
                self._meter.count("sessions.evicted")
                await self._end(coldest, "session.memory_short")

    async def _end(self, session: Session, why: str) -> None:
        if not session.busy:
            log.info(why, lane=session.lane)
            await self._sessions.end(session)

    async def _start_ahead(self) -> None:
        await self._expect_recent()
        while True:
            await self._stir.wait()
            self._stir.clear()
            while self._expected:
                lane = next(iter(self._expected))
                del self._expected[lane]
                await self._start(lane)

    async def _expect_recent(self) -> None:
        """Those who were talked to before this program started."""
        if not self._climate.ahead:
            return
        since = self._clock.now() - timedelta(seconds=self._climate.ahead)
        try:
            for lane in await self._recent_lanes(since, self._climate.most_ahead):
                self.expect(lane)
        except StorageError as error:
            log.warning("sessions.database", reason=str(error))

    async def _start(self, lane: str) -> None:
        group = self._group_of(lane)
        if group is None or self._short_of_memory():
            return
        try:
            await self._sessions.start_ahead(lane, group)
        except ContainerError as error:  # whoever asks will be told
            log.info("session.not_started_ahead", lane=lane, reason=str(error))

    def _short_of_memory(self) -> bool:
        try:
            return self._available() < self._climate.keep_free
        except OSError:  # not Linux: nothing is known
            return False
