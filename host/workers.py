"""Work by key: one task per key at a time, begun when the key is woken, ended when all is done."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

log = structlog.get_logger()


class Workers:
    """Runs `work(key)` for every key that is woken: in order for one key, side by side for several.

    A wake during the work makes it run once more, so nothing that was stored before a wake is overlooked.
    Wakes beyond what is remembered are dropped: whoever wakes has a slow poll as the truth.
    """

    def __init__(
        self,
        work: Callable[[str], Awaitable[None]],
        *,
        name: str,
        at_once: int = 500,
        remembered: int = 10_000,
    ) -> None:
        self._work = work
        self._name = name
        self._at_once = at_once
        self._remembered = remembered
        self._group: asyncio.TaskGroup | None = None
        self._waiting: dict[str, None] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._again: set[str] = set()
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def active(self) -> frozenset[str]:
        """Keys that are worked on now."""
        return frozenset(self._tasks)

    def wake(self, key: str) -> None:
        """Have the key worked on soon; also before `run` was called."""
        if key in self._tasks:
            self._again.add(key)
        elif key in self._waiting or len(self._waiting) < self._remembered:
            self._waiting[key] = None
            self._idle.clear()
            self._fill()

    async def run(self) -> None:
        """Work until cancelled."""
        async with asyncio.TaskGroup() as group:
            self._group = group
            self._fill()
            try:
                await asyncio.Event().wait()
            finally:
                self._group = None  # before the group ends: its last tasks begin no new ones

    async def idle(self) -> None:
        """Return when nothing is worked on and nothing waits."""
        await self._idle.wait()

    async def stop(self) -> None:
        """Begin nothing more, cancel what runs and wait until it has ended."""
        self._group = None
        self._waiting.clear()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    def _fill(self) -> None:
        while self._group is not None and self._waiting and len(self._tasks) < self._at_once:
            key = next(iter(self._waiting))
            del self._waiting[key]
            self._tasks[key] = self._group.create_task(self._run(key), name=f"{self._name} {key}")

    async def _run(self, key: str) -> None:
        try:
            await self._work(key)
        except Exception:
            log.exception("worker.failed", worker=self._name, key=key)
        finally:
            # No await between the last look at `again` and this: a wake finds either the task or its end.
            del self._tasks[key]
            if key in self._again:
                self._again.discard(key)
                self._waiting[key] = None
            self._fill()
            if not self._tasks and not self._waiting:
                self._idle.set()
