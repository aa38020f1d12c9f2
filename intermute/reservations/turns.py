"""Who decides about a project next in this process.

The database lets one transaction decide about a project at a time. Those who wait for that wait here, where
they keep no connection from others, and not for ever.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from intermute.errors import Unavailable

LONGEST = 2.0  #: seconds in line; a request has five in all


@dataclass(slots=True)
class _Door:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    wanted: int = 0


class Turns:
    """First come, first served."""

    def __init__(self, longest: float = LONGEST) -> None:
        self._longest = longest
        self._doors: dict[str, _Door] = {}

    @asynccontextmanager
    async def of(self, project: str) -> AsyncIterator[None]:
        """Alone until leave. Raises Unavailable."""
        door = self._doors.setdefault(project, _Door())
        door.wanted += 1
        try:
            await self._enter(door)
            try:
                yield
            finally:
                door.lock.release()
        finally:
            door.wanted -= 1
            if not door.wanted:
                self._doors.pop(project, None)

    async def _enter(self, door: _Door) -> None:
        try:
            async with asyncio.timeout(self._longest):
                await door.lock.acquire()
        except TimeoutError:
            raise Unavailable("Many decide about this project at this moment; nothing was done.") from None
