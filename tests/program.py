"""The real program as a child process: started, watched, killed and stopped as an operator would."""

import asyncio
import os
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

READY_WITHIN = 60.0
_LOOK_EVERY = 0.01


class NeverReady(AssertionError):
    """The host ended or hung before it was ready; the message carries its last words."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Program:
    """One install of Intercom: a home, its settings, and at most one running host."""

    def __init__(self, home: Path, settings: Mapping[str, str]) -> None:
        self.home = home
        self.port = free_port()
        self.intermute_port = free_port()
        self._settings = {
            "INTERCOM_HOME": str(home),
            "INTERCOM_WEB__PORT": str(self.port),
            "INTERCOM_INTERMUTE__PORT": str(self.intermute_port),
            "INTERCOM_INTERMUTE__KEYS_FILE": str(home / "intermute.keys.yaml"),
            "INTERCOM_NO_INSTALL": "1",
            **settings,
        }
        self._process: asyncio.subprocess.Process | None = None
        self.log = home / "host.log"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Program"]:
        await self.start()
        try:
            yield self
        finally:
            await self.kill()

    async def launch(self) -> None:
        """Start the host without waiting for it."""
        self.home.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv("up"),
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def start(self) -> float:
        """Start the host and wait until /readyz says so; returns the seconds that took."""
        begun = time.monotonic()
        await self.launch()
        async with aiohttp.ClientSession() as http:
            while not await self._ready(http):
                if not self.alive or time.monotonic() - begun > READY_WITHIN:
                    raise NeverReady(self.last_words())
                await asyncio.sleep(_LOOK_EVERY)
        return time.monotonic() - begun

    async def kill(self) -> None:
        """As a crash would: no goodbye."""
        if self.alive:
            self._living.kill()
        if self._process is not None:
            await self._process.wait()

    async def stop(self, within: float = 30.0) -> tuple[int, float]:
        """SIGTERM and wait; returns the exit status and the seconds it took."""
        begun = time.monotonic()
        self._living.send_signal(signal.SIGTERM)
        async with asyncio.timeout(within):
            status = await self._living.wait()
        return status, time.monotonic() - begun

    async def ended(self) -> None:
        await self._living.wait()

    async def command(self, *arguments: str) -> tuple[int, str]:
        """Run another `intercom` command beside the host; returns its status and what it printed."""
        process = await asyncio.create_subprocess_exec(
            *self._argv(*arguments),
            env=self._environment(),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await process.communicate()
        assert process.returncode is not None
        return process.returncode, printed.decode()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def pid(self) -> int:
        return self._living.pid

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def rss(self) -> float:
        """Resident memory of the host itself in MB (2^20 bytes)."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    def last_words(self, lines: int = 40) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])

    @property
    def _living(self) -> asyncio.subprocess.Process:
        assert self._process is not None, "the host was never started"
        return self._process

    async def _ready(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/readyz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def _argv(self, *arguments: str) -> tuple[str, ...]:
        return (str(Path(sys.executable).with_name("intercom")), *arguments)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("INTERCOM_")}  # noqa: TID251 - a child's environment is made here
        return {**kept, **self._settings}
