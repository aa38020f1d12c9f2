"""Starts a process in a group of its own, and leaves nothing of that group behind however it ends."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

_REAPING = 5.0  #: seconds until a killed process is gone


class Hearer(asyncio.SubprocessProtocol):
    """Hears a process; knows when the process itself is gone, whoever still holds its pipes."""

    def __init__(self) -> None:
        self.left: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def process_exited(self) -> None:
        if not self.left.done():
            self.left.set_result(None)


_Heard = TypeVar("_Heard", bound=Hearer)


@asynccontextmanager
async def spawned(
    make: Callable[[], _Heard],
    *argv: str,
    folder: Path,
    environment: Mapping[str, str],
    stdin: int = asyncio.subprocess.DEVNULL,
    stderr: int = asyncio.subprocess.PIPE,
) -> AsyncIterator[tuple[asyncio.SubprocessTransport, _Heard]]:
    """The process and who hears it. Raises OSError or ValueError when it cannot be started."""
    loop = asyncio.get_running_loop()
    # A start that is given up half way would end the process alone and not what it has started: it is
    # waited for.
    starting = loop.create_task(
        loop.subprocess_exec(
            make,
            *argv,
            stdin=stdin,
            stderr=stderr,
            cwd=folder,
            env=dict(environment),
            # A group to kill as one. A new session would do that too, and be scheduled behind all others.
            process_group=0,
        )
    )
    try:
        transport, heard = await asyncio.shield(starting)
    except asyncio.CancelledError:
        with suppress(OSError, ValueError):
            await _end(*await starting)
        raise
    try:
        yield transport, heard
    finally:
        await _end(transport, heard)


async def _end(transport: asyncio.SubprocessTransport, heard: Hearer) -> None:
    """Kill what still runs of it, and wait until it is gone."""
    if transport.get_returncode() is None:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(transport.get_pid(), signal.SIGKILL)
        with suppress(TimeoutError):
            async with asyncio.timeout(_REAPING):
                await asyncio.shield(heard.left)
    transport.close()
