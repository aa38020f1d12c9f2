"""A replica in its own process: `python -m tests.intermute.events.replicas URL`, until its stdin ends."""

import asyncio
import resource
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from intermute.rooms import Given
from intermute.service import Service
from storage.background import background
from storage.clock import SystemClock
from storage.database import Database
from storage.ids import new_ids
from storage.wakeups import Wakeups
from tests.conftest import ROOT

WITHIN = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    url: str
    pid: int

    def memory(self) -> int:
        """Bytes it has in memory."""
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * resource.getpagesize()


@asynccontextmanager
async def replica(database_url: str) -> AsyncIterator[Replica]:
    """Running until leave, and ended in order."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, database_url, cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    assert process.stdin
    assert process.stdout
    try:
        async with asyncio.timeout(WITHIN):
            url = (await process.stdout.readline()).decode().strip()
        assert url.startswith("http://")
        yield Replica(url=url, pid=process.pid)
    finally:
        process.stdin.close()
        async with asyncio.timeout(WITHIN):
            await process.wait()
            await process.stdin.wait_closed()
    assert process.returncode == 0


async def serve(database_url: str) -> None:
    """Print the address and answer until stdin ends."""
    clock = SystemClock()
    async with Database.open(database_url, size=4) as database, Wakeups.open(database_url) as wakeups:
        given = Given(db=database, wakeups=wakeups, clock=clock, new_id=new_ids(clock))
        async with (
            Service.open(given) as service,
            background(service.run()),
            service.serve(port=0) as listening,
        ):
            print(listening.url, flush=True)  # noqa: T201 - the other process reads it
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    asyncio.run(serve(*sys.argv[1:]))
