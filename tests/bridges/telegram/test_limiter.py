"""No chat waits for another, and Telegram's rates are kept before it complains."""

import asyncio

import pytest

from bridges.port import RateLimited
from bridges.telegram import TelegramSettings
from bridges.telegram.limiter import Limiter
from tests.clock import HandClock


@pytest.fixture
def limiter(clock: HandClock) -> Limiter:
    return Limiter(TelegramSettings(token="1:x", private_burst=3, group_burst=2), clock)


async def admitted(limiter: Limiter, clock: HandClock, chat: int, count: int) -> list[float]:
    """When each of so many messages may go, in seconds from now."""
    begin = clock.now()
    moments: list[float] = []

    async def send() -> None:
        for _ in range(count):
            await limiter.admit(chat)
            moments.append(round((clock.now() - begin).total_seconds(), 2))

    async with asyncio.TaskGroup() as group:
        task = group.create_task(send())
        while not task.done():
            await clock.advance(0.5)
    return moments


async def test_a_private_chat_bursts_and_then_gets_one_a_second(limiter: Limiter, clock: HandClock) -> None:
    assert await admitted(limiter, clock, 1000, 6) == [0, 0, 0, 1, 2, 3]


async def test_a_group_gets_twenty_a_minute(limiter: Limiter, clock: HandClock) -> None:
    assert await admitted(limiter, clock, -5, 4) == [0, 0, 3, 6]


async def test_tokens_come_back_while_nothing_is_sent(limiter: Limiter, clock: HandClock) -> None:
    await admitted(limiter, clock, 1000, 3)
    await clock.advance(60)
    assert await admitted(limiter, clock, 1000, 4) == [0, 0, 0, 1]


async def test_a_waiting_chat_does_not_delay_another(limiter: Limiter, clock: HandClock) -> None:
    async with asyncio.TaskGroup() as group:
        crowd = group.create_task(admitted(limiter, clock, -5, 6))
        await clock.until_sleeping()
        async with asyncio.timeout(1):
            await limiter.admit(1000)
        await crowd


async def test_all_chats_together_keep_the_overall_rate(clock: HandClock) -> None:
    limiter = Limiter(TelegramSettings(token="1:x", overall_rate=2), clock)
    begin = clock.now()
    moments: list[float] = []

    async def send(chat: int) -> None:
        await limiter.admit(chat)
        moments.append((clock.now() - begin).total_seconds())

    async with asyncio.TaskGroup() as group:
        for chat in range(1, 7):
            group.create_task(send(chat))
        await clock.until_sleeping(4)
        await clock.advance(10)
    assert moments == [0, 0, 0.5, 1, 1.5, 2]


async def test_a_held_chat_is_refused_until_its_time_is_over(limiter: Limiter, clock: HandClock) -> None:
    limiter.hold(1000, 15)
    with pytest.raises(RateLimited) as caught:
        await limiter.admit(1000)
    assert caught.value.retry_after == 15
    await limiter.admit(1001)
    await clock.advance(15)
    await limiter.admit(1000)


async def test_a_hold_that_comes_while_waiting_counts(limiter: Limiter, clock: HandClock) -> None:
    await admitted(limiter, clock, 1000, 3)

    async def wait() -> None:
        with pytest.raises(RateLimited):
            await limiter.admit(1000)

    async with asyncio.TaskGroup() as group:
        group.create_task(wait())
        await clock.until_sleeping()
        limiter.hold(1000, 60)
        await clock.advance(1)


async def test_quiet_chats_are_forgotten(limiter: Limiter, clock: HandClock) -> None:
    for chat in range(1, 5000):
        await limiter.admit(chat)
        await clock.advance(1)
    assert len(limiter._chats) <= 4096
