"""The coordination service alone as a child process, on an embedded PostgreSQL with durable settings."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from storage.database import Database
from storage.embedded import EmbeddedServer
from tests.program import free_port

_READY_WITHIN = 60.0


class Serving:
    """One install; `running` may be entered again after it was left."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self._log = home / "intermute.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Serving"]:
        with self._log.open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                Path(sys.executable).with_name("intercom"),
                *("intermute", "serve", "--host", "127.0.0.1", "--port", str(self.port)),
                env=self._environment(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self._process = process
        try:
            await self._ready()
            yield self
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(60):
                await process.wait()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The service's own database; it is the durable one or nothing is measured."""
        async with (
            EmbeddedServer.running(self.home, exclusive=False) as url,
            Database.open(url, size=2) as database,
        ):
            for setting in ("synchronous_commit", "fsync", "full_page_writes"):
                assert await database.fetchval(f"SHOW {setting}") == "on", setting
            yield database

    def rss(self) -> float:
        """Resident memory in MB (2^20 bytes), without PostgreSQL."""
        assert self._process is not None
        pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    async def _ready(self) -> None:
        assert self._process is not None
        async with asyncio.timeout(_READY_WITHIN), aiohttp.ClientSession() as http:
            while not await self._is_well(http):
                if self._process.returncode is not None:
                    words = self._log.read_text(errors="replace").splitlines()[-20:]
                    raise AssertionError("\n".join(words))
                await asyncio.sleep(0.05)  # another process gives no sign

    async def _is_well(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.url}/health") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    def _environment(self) -> dict[str, str]:
        own = {
            "INTERCOM_HOME": str(self.home),
            "INTERCOM_INTERMUTE__KEYS_FILE": str(self.home / "intermute.keys.yaml"),
            "INTERCOM_NO_INSTALL": "1",
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("INTERCOM_")}  # noqa: TID251 - a child's environment is made here
        return {**kept, **own}


@asynccontextmanager
async def install() -> AsyncIterator[Serving]:
    """A home of its own."""
    with tempfile.TemporaryDirectory(prefix="intercom-bench-") as folder:
        yield Serving(Path(folder))
