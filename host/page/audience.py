"""Who watches the rooms: each reader gets the changes that concern it, and never more than it can hold."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager

from bridges.web.port import Change, Reload

KEPT = 256  #: changes that may wait for one reader

Concerns = Callable[[str], bool]  #: whether a change concerns a person


class Reader:
    """The changes for one person; a reader that falls behind gets one Reload instead of what it missed."""

    def __init__(self, person: str) -> None:
        self.person = person
        self._waiting: deque[Change] = deque()
        self._ready = asyncio.Event()

    def tell(self, change: Change) -> None:
        if len(self._waiting) >= KEPT:
            self._waiting.clear()
            change = Reload()
        self._waiting.append(change)
        self._ready.set()

    async def changes(self) -> AsyncIterator[Change]:
        while True:
            await self._ready.wait()
            self._ready.clear()
            while self._waiting:
                yield self._waiting.popleft()


class Audience:
    """All readers of this process."""

    def __init__(self) -> None:
        self._readers: set[Reader] = set()

    def __bool__(self) -> bool:
        return bool(self._readers)

    @contextmanager
    def reader(self, person: str) -> Iterator[Reader]:
        """A reader that hears everything from now on."""
        reader = Reader(person)
        self._readers.add(reader)
        try:
            yield reader
        finally:
            self._readers.discard(reader)

    def tell(self, change: Change, concerns: Concerns | None = None) -> None:
        for reader in self._readers:
            if concerns is None or concerns(reader.person):
                reader.tell(change)
