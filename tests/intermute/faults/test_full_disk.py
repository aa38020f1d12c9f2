"""A disk without space: writes are refused with a time to come back, reads go on, and space heals it."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.postmaster import Postmaster
from tests.intermute.calling import Answer
from tests.intermute.faults.own_server import is_unavailable, own_server, read, send, service_on, until

SIZE = "160m"


async def mount(*arguments: str) -> bool:
    process = await asyncio.create_subprocess_exec(*arguments, stderr=asyncio.subprocess.DEVNULL)
    return await process.wait() == 0


@pytest.fixture
async def small_disk() -> AsyncIterator[Path]:
    folder = Path(f"/tmp/intermute-disk-{os.getpid()}")
    await asyncio.to_thread(folder.mkdir, mode=0o755)
    try:
        if os.geteuid() != 0 or not await mount(
            "mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder)
        ):
            pytest.skip("a disk of its own takes the right to mount one")
        try:
            yield folder
        finally:
            assert await mount("umount", str(folder))
    finally:
        await asyncio.to_thread(folder.rmdir)


def fill(path: Path) -> None:
    """Until there is not a byte left."""
    with path.open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(b"\0" * size)
            except OSError:
                size //= 2


async def test_a_full_disk_refuses_writes_and_heals_when_there_is_space(small_disk: Path) -> None:
    filler = small_disk / "filler"
    async with (
        own_server(small_disk, max_wal_size="32MB", min_wal_size="32MB") as server,
        service_on(server) as http,
    ):
        acknowledged: dict[int, int] = {}
        for number in range(3):
            acknowledged[number] = (await send(http, number))["cursor"]
        await asyncio.to_thread(fill, filler)

        async def write() -> Answer:
            body = "x" * 500_000  # grows the table, whatever is left free in it
            message = {
                "project": "p",
                "from": "ann",
                "to": ["cy"],
                "body": f"{body}{os.urandom(200_000).hex()}",
            }
            return await http.post("/api/messages", message)

        refused = await until(write, lambda answer: answer.status != 200)
        assert is_unavailable(refused)
        filler.unlink()
        if Postmaster.read(server.cluster.data) is None:  # without space for its log PostgreSQL ends itself
            await server.cluster.start()
        answer = await until(lambda: send(http, 3), lambda answer: answer.status == 200)
        acknowledged[3] = answer["cursor"]
        inbox = await until(lambda: read(http), lambda answer: answer.status == 200)
        assert {message["id"]: message["cursor"] for message in inbox["messages"]} == {
            f"m{number}": cursor for number, cursor in acknowledged.items()
        }
