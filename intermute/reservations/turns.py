"""Whose turn it is at a project in this process.

The database lets one transaction decide about a project at a time, and to look up what is in the way may take
long, too. Those who wait for that wait here, where they keep no connection from others, and not for ever.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from intermute.errors import Unavailable

LONGEST = 2.0  #: seconds in line; a request has five in all


@dataclass(slots=True)
class _Door:
    places: asyncio.Semaphore
    wanted: int = 0


class Turns:
    """First come, first served, `abreast` at a time."""

    def __init__(self, *, abreast: int = 1, longest: float = LONGEST) -> None:
        self._abreast = abreast
        self._longest = longest
        self._doors: dict[str, _Door] = {}

    @asynccontextmanager
    async def of(self, project: str) -> AsyncIterator[None]:
        """A turn until leave. Raises Unavailable."""
        door = self._doors.get(project)
        if door is None:
            door = self._doors[project] = _Door(asyncio.Semaphore(self._abreast))
        door.wanted += 1
        try:
            await self._enter(door)
            try:
                yield
            finally:
                door.places.release()
        finally:
            door.wanted -= 1
            if not door.wanted:
                self._doors.pop(project, None)

    async def _enter(self, door: _Door) -> None:
        try:
            async with asyncio.timeout(self._longest):
                await door.places.acquire()
        except TimeoutError:
            raise Unavailable("Many ask for reservations of this project at this moment.") from None
