"""`intercom intermute` as an operator runs it: commands, and a service as a child process."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

WITHIN = 30.0
LISTENS = "intermute listens on "


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a command ended, and what it said."""

    status: int
    printed: str
    complained: str


class Running:
    """A service that was started."""

    def __init__(self, process: asyncio.subprocess.Process, url: str, printed: list[str], log: Path) -> None:
        self._process = process
        self.url = url
        self.printed = printed
        self.log = log

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    async def stop(self) -> int:
        """SIGTERM, and the exit status."""
        self.signal(signal.SIGTERM)
        async with asyncio.timeout(WITHIN):
            return await self._process.wait()


class Install:
    """One home with its settings; `folder` is where commands are run."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self.folder = folder
        self.settings = {"INTERCOM_HOME": str(folder / "home"), "INTERCOM_NO_INSTALL": "1", **settings}

    async def run(self, *arguments: str, **environment: str) -> Ended:
        process = await asyncio.create_subprocess_exec(
            *_argv(*arguments),
            cwd=self.folder,
            env=self._environment(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        async with asyncio.timeout(WITHIN):
            printed, complained = await process.communicate()
        assert process.returncode is not None
        return Ended(status=process.returncode, printed=printed.decode(), complained=complained.decode())

    @asynccontextmanager
    async def serving(self, *arguments: str, **environment: str) -> AsyncIterator[Running]:
        """`serve` on a free port, from when it listens; killed on leave if it still runs."""
        log = self.folder / "serve.log"
        with log.open("ab") as words:
            process = await asyncio.create_subprocess_exec(
                *_argv("serve", "--port", "0", *arguments),
                cwd=self.folder,
                env=self._environment(environment),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=words,
            )
        try:
            url, printed = await _listening(process, log)
            yield Running(process, url, printed, log)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    def _environment(self, more: dict[str, str]) -> dict[str, str]:
        ours = ("INTERCOM_", "INTERMUTE_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}  # noqa: TID251 - a child's environment is made here
        return {**kept, **self.settings, **more}


async def _listening(process: asyncio.subprocess.Process, log: Path) -> tuple[str, list[str]]:
    assert process.stdout is not None
    printed: list[str] = []
    async with asyncio.timeout(WITHIN):
        while line := (await process.stdout.readline()).decode().rstrip():
            if line.startswith(LISTENS):
                return line.removeprefix(LISTENS), printed
            printed.append(line)
    words = await asyncio.to_thread(log.read_text, errors="replace")
    raise AssertionError(f"it never listened: {printed} {words}")


def _argv(*arguments: str) -> tuple[str, ...]:
    return (str(Path(sys.executable).with_name("intercom")), "intermute", *arguments)
