"""An intake like the host's: it keeps each update once, with the mark, or fails when told to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from bridges.messages import ButtonTap, ChatMessage, ChatUpdate
from bridges.port import ChatBridge


class Letters:
    """`outage` makes it fail before anything is kept, `crash_after` after the commit."""

    def __init__(self, mark: str | None = None) -> None:
        self.marks: dict[str, str] = {} if mark is None else {"tg": mark}
        self.kept: dict[str, ChatUpdate] = {}
        self.accepted = 0
        self.failed = 0
        self.outage = False
        self.crash_after = False
        self._changed = asyncio.Condition()

    @property
    def updates(self) -> list[ChatUpdate]:
        return list(self.kept.values())

    @property
    def messages(self) -> list[ChatMessage]:
        return [update for update in self.updates if isinstance(update, ChatMessage)]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    @property
    def taps(self) -> list[ButtonTap]:
        return [update for update in self.updates if isinstance(update, ButtonTap)]

    async def mark(self, bridge: str) -> str | None:
        if self.outage:
            await self._count_failure()
            raise ConnectionError("the database is away")
        return self.marks.get(bridge)

    async def accept(self, bridge: str, updates: Sequence[ChatUpdate], mark: str | None) -> None:
        if self.outage:
            await self._count_failure()
            raise ConnectionError("the database is away")
        for update in updates:
            self.kept.setdefault(update.update_id, update)
        if mark is not None:
            self.marks[bridge] = mark
        self.accepted += 1
        async with self._changed:
            self._changed.notify_all()
        if self.crash_after:
            self.crash_after = False
            await self._count_failure()
            raise ConnectionError("the connection broke on commit")

    async def until(self, count: int, within: float = 5.0) -> None:
        await self.wait_for(lambda: len(self.kept) >= count, within)

    async def wait_for(self, predicate: Callable[[], bool], within: float = 5.0) -> None:
        async with asyncio.timeout(within), self._changed:
            await self._changed.wait_for(predicate)

    async def _count_failure(self) -> None:
        self.failed += 1
        async with self._changed:
            self._changed.notify_all()


@asynccontextmanager
async def receiving(bridge: ChatBridge, intake: Letters) -> AsyncIterator[None]:
    """The bridge polls while the block runs."""
    async with asyncio.TaskGroup() as group:
        task = group.create_task(bridge.run(intake))
        try:
            yield
        finally:
            task.cancel()
