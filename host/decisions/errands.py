"""Work that goes on when whoever asked for it has been answered: a slow kernel holds up no chat."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Errands:
    """While `run` runs, work is carried on there; otherwise whoever began it waits for its end."""

    def __init__(self) -> None:
        self._group: asyncio.TaskGroup | None = None

    async def run(self) -> None:
        """Until cancelled; what is under way then is cut off, and the recovery finds it."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                await asyncio.Event().wait()
        finally:
            self._group = None

    async def carry(
        self, work: Coroutine[Any, Any, T], meanwhile: Callable[[asyncio.Task[T]], Awaitable[None]]
    ) -> None:
        """Start the work, which never raises, and do something beside it."""
        if self._group is not None:
            await meanwhile(self._group.create_task(work))
            return
        async with asyncio.TaskGroup() as group:
            await meanwhile(group.create_task(work))


async def first(task: asyncio.Task[Any], other: Coroutine[Any, Any, Any]) -> None:
    """Wait until the task is done or the other thing has happened."""
    async with asyncio.TaskGroup() as group:
        side = group.create_task(other)
        await asyncio.wait({task, side}, return_when=asyncio.FIRST_COMPLETED)
        side.cancel()
