"""A task that runs beside a body of code: it ends with the body, and its failure ends the body."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Run the coroutine while the body runs; whichever fails, its error leaves as it is, not in a group."""
    failed: BaseException | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(work)
            try:
                yield
            except Exception as error:  # noqa: BLE001 - raised again below, outside the group
                failed = error
            finally:
                task.cancel()
    except BaseExceptionGroup as group:
        if len(group.exceptions) > 1:
            raise
        raise group.exceptions[0] from group.exceptions[0].__cause__
    if failed is not None:
        raise failed
