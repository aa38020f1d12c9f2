"""Writes that are being executed at this moment, by turn: nobody may judge a turn before they have ended."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID


class Underway:
    """A tool call that has begun runs to its end, also when the agent that made it is gone."""

    def __init__(self) -> None:
        self._running: Counter[UUID] = Counter()
        self._quiet: dict[UUID, asyncio.Event] = {}

    @contextmanager
    def write(self, turn: UUID) -> Iterator[None]:
        self._running[turn] += 1
        try:
            yield
        finally:
            self._running[turn] -= 1
            if not self._running[turn]:
                del self._running[turn]
                self._quiet.pop(turn, asyncio.Event()).set()

    async def quiet(self, turn: UUID) -> None:
        """Return when no write of the turn is under way."""
        if turn in self._running:
            await self._quiet.setdefault(turn, asyncio.Event()).wait()
