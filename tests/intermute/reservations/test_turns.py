"""Who asks much of a project waits for a turn, without a connection and not for long."""

import asyncio

import pytest

from intermute.errors import Unavailable
from intermute.reservations.turns import Turns


async def test_one_at_a_time_in_the_order_they_came() -> None:
    turns, seen = Turns(), list[str]()

    async def decide(name: str) -> None:
        async with turns.of("p"):
            seen.append(name)
            await asyncio.sleep(0)
            seen.append(name)

    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        for name in "abc":
            tasks.create_task(decide(name))
    assert seen == ["a", "a", "b", "b", "c", "c"]


async def test_projects_do_not_wait_for_each_other() -> None:
    turns = Turns()
    async with asyncio.timeout(10), turns.of("p"), turns.of("q"):
        pass


async def test_who_waits_too_long_is_told_so_and_the_next_ones_are_served() -> None:
    turns = Turns(longest=0.01)
    async with asyncio.timeout(10):
        async with turns.of("p"):
            with pytest.raises(Unavailable) as refused:
                async with turns.of("p"):
                    pytest.fail("two decide at a time")
            assert refused.value.retry_after == 1
        async with turns.of("p"):
            pass


async def test_as_many_as_may_are_served_abreast() -> None:
    turns = Turns(abreast=2, longest=0.01)
    async with asyncio.timeout(10), turns.of("p"), turns.of("p"):
        with pytest.raises(Unavailable):
            async with turns.of("p"):
                pytest.fail("three at a time")
