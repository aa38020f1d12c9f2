"""Several commands at the same time, where the first refusal is the answer to all of them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from demarch.errors import DemarchError


@asynccontextmanager
async def side_by_side() -> AsyncIterator[asyncio.TaskGroup]:
    """A task group whose refusal comes out as itself, not wrapped into a group."""
    try:
        async with asyncio.TaskGroup() as group:
            yield group
    except ExceptionGroup as errors:
        refusals, others = errors.split(DemarchError)
        if refusals is None or others is not None:
            raise
        raise _first(refusals) from errors


def _first(group: ExceptionGroup[Exception]) -> Exception:
    error = group.exceptions[0]
    return _first(error) if isinstance(error, ExceptionGroup) else error
