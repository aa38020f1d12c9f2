"""Work beside a body: errors leave as they are, and neither outlives the other."""

import asyncio

import pytest

from storage.background import background
from storage.errors import StorageError


async def forever(ended: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        ended.set()


async def fail() -> None:
    raise StorageError("broken") from OSError("why")


async def test_the_work_ends_with_the_body() -> None:
    ended = asyncio.Event()
    async with background(forever(ended)):
        await asyncio.sleep(0)
        assert not ended.is_set()
    assert ended.is_set()


async def test_an_error_of_the_body_leaves_without_a_group() -> None:
    ended = asyncio.Event()

    async def body() -> None:
        async with background(forever(ended)):
            await asyncio.sleep(0)
            raise ValueError("mine")

    with pytest.raises(ValueError, match="mine"):
        await body()
    assert ended.is_set()


async def test_an_error_of_the_work_cancels_the_body_and_leaves_with_its_cause() -> None:
    with pytest.raises(StorageError, match="broken") as raised:
        async with asyncio.timeout(5), background(fail()):
            await asyncio.Event().wait()
    assert isinstance(raised.value.__cause__, OSError)


async def test_a_timeout_around_both_stays_a_timeout() -> None:
    ended = asyncio.Event()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01), background(forever(ended)):
            await asyncio.Event().wait()
    assert ended.is_set()
