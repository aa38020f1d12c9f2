"""Two processes on one database are one service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from tests.intermute.calling import PATIENCE, Http
from tests.intermute.events.replicas import replica
from tests.intermute.events.telling import listening


@pytest.fixture
async def replicas(database_url: str) -> AsyncIterator[tuple[Http, Http]]:
    async with (
        replica(database_url) as one,
        replica(database_url) as two,
        aiohttp.ClientSession(timeout=PATIENCE) as session,
    ):
        yield Http(session, one.url), Http(session, two.url)


async def send(replica: Http, number: int, **rest: object) -> None:
    message = {"id": f"m{number}", "project": "alpha", "from": "bob", "to": ["ann"], "body": "hello"} | rest
    assert (await replica.post("/api/messages", message)).status == 200


async def test_a_message_sent_to_one_replica_is_pushed_by_the_other(replicas: tuple[Http, Http]) -> None:
    one, two = replicas
    async with listening(two.session, two.url) as ear:
        await send(one, 1)
        assert (await ear.next())["message_id"] == "m1"


async def test_sockets_of_both_replicas_hear_the_same_in_the_same_order(replicas: tuple[Http, Http]) -> None:
    one, two = replicas
    async with AsyncExitStack() as stack:
        ears = [await stack.enter_async_context(listening(each.session, each.url)) for each in replicas]

        async def write(replica: Http, first: int) -> None:
            for number in range(first, first + 40):
                await send(replica, number)

        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            heard = [tasks.create_task(ear.some(160)) for ear in ears]
            for number, each in enumerate((one, two, one, two)):
                tasks.create_task(write(each, 100 * number))
    first, second = [task.result() for task in heard]
    assert first == second
    cursors = [frame["cursor"] for frame in first]
    assert cursors == sorted(set(cursors))
    assert len({frame["message_id"] for frame in first}) == 160


async def test_a_socket_may_move_to_the_other_replica_with_its_cursor(replicas: tuple[Http, Http]) -> None:
    one, two = replicas

    async def some(replica: Http, cursor: int, count: int) -> list[tuple[int, str]]:
        async with listening(replica.session, replica.url, since_cursor=cursor) as ear:
            return [(frame["cursor"], frame["message_id"]) for frame in await ear.some(count)]

    async def write() -> None:
        for number in range(60):
            await send(one if number % 3 else two, number)

    heard: list[tuple[int, str]] = []
    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        for turn in range(12):
            cursor = heard[-1][0] if heard else 0
            heard += await some(one if turn % 2 else two, cursor, 5)
    assert [message for _, message in heard] == [f"m{number}" for number in range(60)]


async def test_a_replica_that_ends_says_so_to_its_sockets(database_url: str) -> None:
    async with aiohttp.ClientSession(timeout=PATIENCE) as session, AsyncExitStack() as stack:
        async with asyncio.TaskGroup() as tasks, replica(database_url) as one:
            ear = await stack.enter_async_context(listening(session, one.url))
            closed = tasks.create_task(ear.closed())
        assert closed.result()[0] == 1001


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
async def test_an_open_socket_costs_little_memory(database_url: str) -> None:
    connector = aiohttp.TCPConnector(limit=0)
    async with (
        replica(database_url) as one,
        aiohttp.ClientSession(timeout=PATIENCE, connector=connector) as session,
        AsyncExitStack() as stack,
    ):
        await stack.enter_async_context(listening(session, one.url, "/ws/agents/first"))
        before = one.memory()
        ears = [
            await stack.enter_async_context(listening(session, one.url, f"/ws/agents/a{number}"))
            for number in range(200)
        ]
        spec = {"project": "alpha", "title": "x" * 1000}
        async with session.post(f"{one.url}/api/specs", json=spec) as answer:
            assert answer.status == 201
        assert {(await ear.next())["type"] for ear in ears} == {"spec.created"}
        assert (one.memory() - before) / len(ears) < 60_000
