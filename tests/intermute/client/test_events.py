"""Events reach our client once each, whatever becomes of its connection."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack

import pytest

from intermute.client import Client, Forbidden, Missing
from intermute.client.events import Events, listening
from intermute.client.wire import Wire
from intermute.service import Service
from storage.background import background
from tests.clock import HandClock
from tests.program import free_port


async def _ids(events: Events, count: int) -> Sequence[str]:
    async with asyncio.timeout(10):
        return [(await anext(events)).message_id for _ in range(count)]


async def _soon(told: asyncio.Queue[str]) -> str:
    async with asyncio.timeout(10):
        return await told.get()


async def test_what_happens_is_told_to_whom_it_is_for(client: Client) -> None:
    async with client.events("bob") as bobs, client.events("ann") as anns, client.events() as all_:
        first = await client.messages.send("ann", ["bob"], "hello")
        second = await client.messages.send("bob", ["ann"], "hello yourself")
        assert await _ids(bobs, 1) == [first.message_id]
        assert await _ids(anns, 1) == [second.message_id]
        assert await _ids(all_, 2) == [first.message_id, second.message_id]
        assert all_.cursor == second.cursor


async def test_from_a_cursor_on_everything_is_told(client: Client) -> None:
    sent = [await client.messages.send("ann", ["bob"], str(number)) for number in range(3)]
    async with client.events("bob", since=sent[0].cursor) as events:
        assert await _ids(events, 2) == [each.message_id for each in sent[1:]]


async def test_only_the_wanted_types_are_told(client: Client) -> None:
    async with client.events("bob", types=["message.read"]) as events:
        sent = await client.messages.send("ann", ["bob"], "hello")
        await client.messages.read(sent.message_id, "bob")
        async with asyncio.timeout(10):
            assert (await anext(events)).type == "message.read"


@pytest.mark.parametrize("before", [0, 2], ids=["before the first event", "behind some events"])
async def test_what_is_missed_while_the_service_is_away_is_told_afterwards(
    service: Service, before: int
) -> None:
    port, away, clock = free_port(), free_port(), HandClock()
    told: asyncio.Queue[str] = asyncio.Queue()
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(Wire.open(f"http://127.0.0.1:{port}"))
        client = Client(wire, "alpha")

        async def follow(events: Events) -> None:
            async for event in events:
                told.put_nowait(event.message_id)

        async with service.serve(port=port):
            opened = listening(wire, "alpha", agent="bob", clock=clock, jitter=lambda: 1.0)
            await stack.enter_async_context(background(follow(await stack.enter_async_context(opened))))
            sent = [await client.messages.send("ann", ["bob"], str(number)) for number in range(before)]
            assert [await _soon(told) for _ in sent] == [each.message_id for each in sent]
        await clock.until_sleeping()  # its first attempt has failed
        async with (
            service.serve(port=away),
            Client.open(f"http://127.0.0.1:{away}", project="alpha") as other,
        ):
            missed = [await other.messages.send("ann", ["bob"], f"missed {number}") for number in range(2)]
        async with service.serve(port=port):
            await clock.advance(1)
            missed.append(await client.messages.send("ann", ["bob"], "after"))
            assert [await _soon(told) for _ in missed] == [each.message_id for each in missed]


async def test_attempts_come_ever_more_slowly(service: Service) -> None:
    port, clock = free_port(), HandClock()
    async with AsyncExitStack() as stack:
        wire = await stack.enter_async_context(Wire.open(f"http://127.0.0.1:{port}"))
        async with service.serve(port=port):
            opened = listening(wire, "alpha", agent="bob", clock=clock, jitter=lambda: 1.0)
            events = await stack.enter_async_context(opened)

            async def follow() -> None:
                await anext(events)

            await stack.enter_async_context(background(follow()))
        begun = clock.now()
        moments: list[float] = []
        for _ in range(7):
            await clock.until_sleeping()
            moments.append((min(alarm[0] for alarm in clock._alarms) - begun).total_seconds())
            await clock.advance(moments[-1] - (clock.now() - begun).total_seconds())
    assert moments == [1, 3, 7, 15, 31, 61, 91]


async def test_what_no_attempt_would_mend_is_raised(url: str) -> None:
    async with Client.open(url, project="alpha", agent="ann") as client:
        with pytest.raises(Forbidden):
            async with client.events("bob"):
                pass
    async with Client.open(f"{url}/nowhere", project="alpha") as client:
        with pytest.raises(Missing):
            async with client.events("bob"):
                pass
