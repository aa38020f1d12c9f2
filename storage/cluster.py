"""One PostgreSQL data folder: made, configured, started, watched and stopped."""

import asyncio
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import structlog

from storage import programs
from storage.errors import ServerFailed
from storage.postmaster import Postmaster, forget_stranger
from storage.system_user import SystemUser, make_reachable, make_readable

log = structlog.get_logger()

CONFIG = "intercom.conf"
PORT = 5432  #: no TCP; only part of the socket's name
#: seconds; after a power cut the server replays its log before it is ready
START_PATIENCE = 300
STOP_PATIENCE = 60
LOG_LIMIT = 10_000_000

#: Small, and safe: what a commit has acknowledged survives a power cut.
SETTINGS: Mapping[str, str] = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "listen_addresses": "",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "50",
    "shared_buffers": "32MB",
    "max_wal_size": "256MB",
    "min_wal_size": "48MB",
    "io_method": "sync",
    "jit": "off",
    "max_logical_replication_workers": "0",
    "max_parallel_workers_per_gather": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_min_messages": "warning",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """The data folder and how its server is to run. Callers see to it that only one acts at a time."""

    data: Path
    user: SystemUser | None = None
    settings: Mapping[str, str] = field(default_factory=dict)

    async def make(self) -> None:
        """Make the data folder unless it is there, all of it or nothing."""
        if self.user:
            make_readable(programs.installation())
            make_reachable(programs.installation())
            make_reachable(self.data)
        version = self.data / "PG_VERSION"
        if version.exists():
            if (found := version.read_text(encoding="utf-8").strip()) != str(programs.MAJOR):
                raise ServerFailed(
                    f"{self.data} was made by PostgreSQL {found}, this program brings {programs.MAJOR}; "
                    "dump it with the program that made it and restore the dump here"
                )
            return
        log.info("postgres.making", folder=str(self.data), words="the first start takes a moment longer")
        for leftover in self.data.parent.glob(f"{self.data.name}.new-*"):
            await asyncio.to_thread(shutil.rmtree, leftover, ignore_errors=True)
        # A name of its own: the initdb of a killed process may still be writing into its folder.
        fresh = Path(tempfile.mkdtemp(prefix=f"{self.data.name}.new-", dir=self.data.parent))
        if self.user:
            self.user.own(fresh)
        await self._init(fresh)
        await asyncio.to_thread(fresh.rename, self.data)

    async def _init(self, folder: Path) -> None:
        # The builtin collation sorts the same on every machine and after every upgrade of the C library.
        words = "--encoding=UTF8 --locale=C --locale-provider=builtin --builtin-locale=C.UTF-8 --auth=trust"
        quick = ["--no-sync"] if self.settings.get("fsync") == "off" else []
        await programs.run(
            "initdb",
            *words.split(),
            *quick,
            "--text-search-config=english",
            "--username=postgres",
            f"--pgdata={folder}",
            user=self.user,
        )
        with (folder / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(f"\ninclude_if_exists = '{CONFIG}'\n")

    async def start(self) -> str:
        """The URL of the running server, started if it is not."""
        server = await self._settled()
        if server is None:
            self._configure()
            server = await self._launched()
        if server is None:
            raise ServerFailed(f"PostgreSQL ended right after its start; see {self.data / 'log'}")
        return f"postgresql://postgres@/postgres?host={quote(str(server.sockets), safe='/')}&port={PORT}"

    async def _launched(self) -> Postmaster | None:
        try:
            await self._launch()
        except ServerFailed:
            # A process killed while it started the server may have left a pg_ctl behind that was faster.
            if await self._settled() is None:
                raise
        return Postmaster.read(self.data)

    async def _launch(self) -> None:
        output = self.data / "log"
        if output.exists() and output.stat().st_size > LOG_LIMIT:
            output.replace(output.with_name("log.1"))
        forget_stranger(self.data)
        arguments = ["-s", "-w", "-t", str(START_PATIENCE), "-D", str(self.data), "-l", str(output), "start"]
        try:
            await programs.run("pg_ctl", *arguments, user=self.user)
        except programs.ProgramFailed as error:
            raise ServerFailed(f"PostgreSQL does not start: {error}\n{_tail(output)}") from error
        log.info("postgres.started", folder=str(self.data))

    async def stop(self) -> None:
        """Stop the server: its clients are cut off, what they committed is on disk."""
        server = Postmaster.read(self.data)
        if server is None:
            return
        stop = ["-s", "-w", "-t", str(STOP_PATIENCE), "-D", str(self.data), "stop", "-m"]
        try:
            await programs.run("pg_ctl", *stop, "fast", user=self.user)
        except programs.ProgramFailed as error:
            log.warning("postgres.stop_forced", reason=str(error))
            await programs.run("pg_ctl", *stop, "immediate", user=self.user)
        if server.sockets != self.data:
            await asyncio.to_thread(shutil.rmtree, server.sockets, ignore_errors=True)
        log.info("postgres.stopped", folder=str(self.data))

    async def _settled(self) -> Postmaster | None:
        """The server once it has finished starting, or None once it has finished stopping."""
        try:
            async with asyncio.timeout(START_PATIENCE):
                while (server := Postmaster.read(self.data)) and server.status != "ready":  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
        except TimeoutError as error:
            raise ServerFailed(
                f"PostgreSQL in {self.data} neither starts nor stops; see its log there"
            ) from error
        return server

    def _configure(self) -> None:
        settings = {**SETTINGS, "unix_socket_directories": str(self._sockets()), **self.settings}
        path = self.data / CONFIG
        path.write_text(
            "".join(f"{name} = '{value}'\n" for name, value in settings.items()), encoding="utf-8"
        )
        if self.user:
            self.user.own(path)

    def _sockets(self) -> Path:
        """The folder of the socket: the data folder, or one with a short name, the same after a crash."""
        # A socket's path has at most 107 bytes, and PostgreSQL splits the setting at commas.
        if re.fullmatch(r"[A-Za-z0-9/._+-]{1,85}", str(self.data)):
            return self.data
        if former := self._former_sockets():
            return former
        folder = Path(tempfile.mkdtemp(prefix="intercom-postgres-"))
        if self.user:
            self.user.own(folder)
        return folder

    def _former_sockets(self) -> Path | None:
        try:
            configured = (self.data / CONFIG).read_text(encoding="utf-8")
            folder = Path(re.findall(r"^unix_socket_directories = '(.*)'$", configured, re.MULTILINE)[-1])
            # Its name is known to everybody by now: it must still be the one we made.
            owner = self.user.uid if self.user else os.geteuid()
            return folder if folder.lstat().st_uid == owner and folder.is_dir() else None
        except (OSError, IndexError):
            return None


def _tail(path: Path) -> str:
    try:
        return "\n".join(path.read_text(encoding="utf-8", errors="replace").splitlines()[-10:])
    except OSError:
        return ""
