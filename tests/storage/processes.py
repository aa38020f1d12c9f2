"""Other processes for tests: `python -m tests.storage.processes ROLE ...`, alive until their stdin ends."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.errors import StorageError
from storage.wakeups import notify
from tests.conftest import QUICK, ROOT


@asynccontextmanager
async def python(*arguments: str) -> AsyncIterator[Process]:
    """A process in one of the roles below; ended by the end of its stdin."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, *arguments, cwd=ROOT, stdin=PIPE, stdout=PIPE
    )
    try:
        yield process
    finally:
        assert process.stdin
        process.stdin.close()
        async with asyncio.timeout(20):
            await process.wait()
            await process.stdin.wait_closed()


async def line(process: Process) -> str:
    """The next line that process prints."""
    assert process.stdout
    async with asyncio.timeout(20):
        return (await process.stdout.readline()).decode().strip()


async def use(folder: str, kind: str) -> None:
    """Print what the server says while using it, or why that was refused."""
    try:
        async with EmbeddedServer.running(Path(folder), exclusive=kind == "host", settings=QUICK) as url:
            async with Database.open(url, size=1) as database:
                say(f"using {await database.fetchval('SELECT pg_postmaster_start_time()::text')}")
            await asyncio.to_thread(sys.stdin.read)
    except StorageError as error:
        say(f"{type(error).__name__}: {error}")


async def tell(url: str, channel: str, payload: str) -> None:
    async with Database.open(url, size=1) as database, database.transaction() as connection:
        await notify(connection, channel, payload)


def say(words: str) -> None:
    print(words, flush=True)  # noqa: T201 - the other process reads it


if __name__ == "__main__":
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    match sys.argv[1:]:
        case ["use", folder, kind]:
            asyncio.run(use(folder, kind))
        case ["notify", url, channel, payload]:
            asyncio.run(tell(url, channel, payload))
