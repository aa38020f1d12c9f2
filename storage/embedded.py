"""The embedded PostgreSQL of a data folder, shared by every process that uses that folder.

Three locks in the folder, all released by the kernel when their holder dies:
- `host.lock`: held by the one host; a second host is refused.
- `postgres.users`: held shared by everybody who uses the server. Whoever leaves last stops it. After a killed
  host the server goes on running, and whoever comes next takes it over.
- `postgres.lock`: held for the moments of coming and going, so that nobody starts what another just stops.

As root, PostgreSQL runs as a system user (see `storage.system_user`): the folders above its data become
traversable for everybody, so every secret kept in the folder must have mode 0600. Nobody but that user and
root can connect: the data folder and the socket are private.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path

import structlog

from storage.background import background
from storage.cluster import Cluster
from storage.errors import DataFolderBusy, ServerFailed
from storage.flock import FileLock
from storage.postmaster import Postmaster
from storage.system_user import unprivileged

log = structlog.get_logger()

#: seconds between two looks of the host at whether the server still lives
WATCH_EVERY = 2.0


class EmbeddedServer:
    """PostgreSQL in FOLDER/postgres for as long as anybody uses it."""

    def __init__(self, cluster: Cluster, users: FileLock, moment: FileLock) -> None:
        self._cluster = cluster
        self._users = users
        self._moment = moment

    @classmethod
    @asynccontextmanager
    async def running(
        cls,
        folder: Path,
        exclusive: bool,
        *,
        watched: bool = False,
        settings: Mapping[str, str] | None = None,
    ) -> AsyncIterator[str]:
        """The URL of the folder's server (the folder is INTERCOM_HOME).

        `exclusive` is for the host: a second one gets DataFolderBusy, and a dead server is started again.
        A command beside it, or alone, passes False; one that runs for long has the server `watched` as well.
        `settings` configure a server that we start.
        """
        folder = await asyncio.to_thread(folder.absolute)
        with ExitStack() as locks:
            try:
                folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                host, users, moment = (
                    locks.enter_context(FileLock.open(folder / name))
                    for name in ("host.lock", "postgres.users", "postgres.lock")
                )
            except OSError as error:
                raise ServerFailed(f"the data folder {folder} cannot be used: {error}") from error
            if exclusive:
                _claim(host, folder)
            cluster = Cluster(data=folder / "postgres", user=unprivileged(), settings=settings or {})
            server = cls(cluster, users, moment)
            try:
                url = await server._enter()
                if not (exclusive or watched):
                    yield url
                else:
                    async with background(server._watch()):
                        yield url
            finally:
                await server._leave()

    async def _enter(self) -> str:
        await self._moment.wait()
        try:
            await self._users.wait(shared=True)
            await self._cluster.make()
            return await self._cluster.start()
        finally:
            self._moment.release()

    async def _leave(self) -> None:
        await self._moment.wait()
        try:
            if self._users.take():
                await self._cluster.stop()
            self._users.release()
        finally:
            self._moment.release()

    async def _watch(self) -> None:
        """Start the server again if it died (killed, out of memory); its clients reconnect by themselves."""
        while True:
            await asyncio.sleep(WATCH_EVERY)
            if Postmaster.read(self._cluster.data) is not None:
                continue
            log.error("postgres.died", folder=str(self._cluster.data))
            try:
                await self._enter()
            except ServerFailed as error:
                # A disk may be full, or the dead one not yet out of the way: it is tried again.
                log.error("postgres.not_started", reason=str(error))


def _claim(host: FileLock, folder: Path) -> None:
    if not host.take():
        pid = host.read().strip() or "unknown"
        raise DataFolderBusy(
            f"another Intercom host (pid {pid}) uses {folder}; stop it or set INTERCOM_HOME to another folder"
        )
    host.write(str(os.getpid()))
