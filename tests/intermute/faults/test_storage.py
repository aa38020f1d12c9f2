"""PostgreSQL freezes, stops, dies or has no space: 503 and when to come back, then all is well by itself."""

import asyncio
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.postmaster import Postmaster
from tests.intermute.calling import Answer, Http
from tests.intermute.faults.own_server import (
    SLOWEST,
    is_unavailable,
    own_server,
    read,
    send,
    service_on,
    until,
)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A short name: sockets have no room for a long one."""
    folder = Path(f"/tmp/intermute-fault-{os.getpid()}")
    folder.mkdir(mode=0o755)
    yield folder
    shutil.rmtree(folder)


def is_good(answer: Answer) -> bool:
    return answer.status == 200


async def both_unavailable(http: Http, number: int) -> None:
    """A write and a read at once: neither waits for the database to come back."""
    async with asyncio.timeout(SLOWEST), asyncio.TaskGroup() as tasks:
        write = tasks.create_task(send(http, number))
        look = tasks.create_task(read(http))
        health = tasks.create_task(http.get("/health"))
    assert is_unavailable(write.result())
    assert is_unavailable(look.result())
    assert (health.result().status, health.result()["status"]) == (503, "degraded")


async def all_kept(http: Http, acknowledged: dict[int, int]) -> None:
    """Every message that was taken is there once, at its place."""
    inbox = await read(http)
    cursors = [message["cursor"] for message in inbox["messages"]]
    assert cursors == sorted(set(cursors))
    places = {message["id"]: message["cursor"] for message in inbox["messages"]}
    assert {f"m{number}": cursor for number, cursor in acknowledged.items()}.items() <= places.items()


async def test_a_frozen_database_is_unavailable_and_comes_back(folder: Path) -> None:
    async with own_server(folder) as server, service_on(server) as http:
        acknowledged = {number: (await send(http, number))["cursor"] for number in range(3)}
        server.freeze()
        try:
            for number in range(3, 6):
                await both_unavailable(http, number)
        finally:
            server.thaw()
        await until(lambda: read(http), is_good)
        for number in range(3, 9):
            answer = await until(lambda number=number: send(http, number), is_good)  # type: ignore[misc]
            acknowledged[number] = answer["cursor"]
        await all_kept(http, acknowledged)
        assert (await http.get("/health")).status == 200


async def test_many_who_ask_a_frozen_database_are_all_answered_in_time(folder: Path) -> None:
    async with own_server(folder) as server, service_on(server) as http:
        await send(http, 0)
        server.freeze()
        try:
            async with asyncio.timeout(SLOWEST), asyncio.TaskGroup() as tasks:
                asked = [tasks.create_task(send(http, number)) for number in range(1, 40)]
                asked += [tasks.create_task(read(http)) for _ in range(40)]
        finally:
            server.thaw()
        assert all(is_unavailable(task.result()) for task in asked)
        await until(lambda: send(http, 1), is_good)
        await until(lambda: read(http), is_good)


async def test_a_database_that_is_stopped_and_started_is_found_again(folder: Path) -> None:
    async with own_server(folder) as server, service_on(server) as http:
        acknowledged = {number: (await send(http, number))["cursor"] for number in range(3)}
        await server.cluster.stop()
        for number in range(3, 6):
            await both_unavailable(http, number)
        await server.cluster.start()
        for number in range(3, 9):
            answer = await until(lambda number=number: send(http, number), is_good)  # type: ignore[misc]
            acknowledged[number] = answer["cursor"]
        await all_kept(http, acknowledged)


async def test_a_database_that_is_killed_loses_nothing_that_was_acknowledged(folder: Path) -> None:
    async with own_server(folder) as server, service_on(server) as http:
        acknowledged: dict[int, int] = {}

        async def keep_sending() -> None:
            for number in range(10_000):
                answer = await send(http, number)
                if not is_good(answer):
                    return
                acknowledged[number] = answer["cursor"]

        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            sending = tasks.create_task(keep_sending())
            while len(acknowledged) < 50:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)
            found = Postmaster.read(server.cluster.data)
            assert found
            os.kill(found.pid, signal.SIGKILL)
            await sending
        await until_dead(server.cluster.data)
        await server.cluster.start()
        await until(lambda: send(http, 20_000), is_good)
        assert len(acknowledged) >= 50
        await all_kept(http, acknowledged)


async def until_dead(data: Path) -> None:
    """Its children notice on their own that it is gone; before that no other server may start there."""
    async with asyncio.timeout(20):
        while _any_in(data):  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.05)


def _any_in(data: Path) -> bool:
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").samefile(data):
                return True
        except OSError:
            continue
    return False
