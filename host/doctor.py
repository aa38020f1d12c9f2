"""The checklist of `intercom doctor`: everything the host needs, each with the command that mends it."""

import asyncio
import errno
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from host.data import Data, opened
from host.mounts.allowlist import MountError
from host.people.registry import LOCAL_PERSON, Registry, Role
from host.record.audit import Audit
from host.record.audit_files import AuditBroken
from host.settings import Settings
from host.wiring.mounting import admission
from storage import sql
from storage.clock import Clock
from storage.errors import StorageError

LEAST_DISK = 2 * 1024**3
MOST_DRIFT = timedelta(seconds=5)

_SQL = sql.load("host", "doctor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line of the checklist."""

    name: str
    ok: bool
    words: str
    mend: str = ""  #: the command or the step that mends it


Check = Callable[[], Awaitable[Finding]]


class Doctor:
    """Looks at everything, one thing after the other; nothing it does changes anything."""

    def __init__(self, *, settings: Settings, clock: Clock, more: tuple[Check, ...] = ()) -> None:
        self._settings = settings
        self._clock = clock
        self._more = more  #: Docker and the chat networks bring their own

    async def examine(self) -> AsyncIterator[Finding]:
        yield self._python()
        yield await asyncio.to_thread(self._disk)
        async with self._database() as (finding, data):
            yield finding
            if data is not None:
                yield await self._time(data)
                yield await self._audit(data)
                yield await self._owners(data)
                yield await self._mounts(data)
                yield await self._projects(data)
        yield await asyncio.to_thread(self._port)
        for check in self._more:
            yield await check()

    def _python(self) -> Finding:
        version = ".".join(map(str, sys.version_info[:3]))
        return Finding(name="Python", ok=sys.version_info >= (3, 11), words=version, mend="make setup")

    def _disk(self) -> Finding:
        home = self._settings.home
        place = next(folder for folder in (home, *home.parents) if folder.exists())
        free = shutil.disk_usage(place).free
        return Finding(
            name="Disk",
            ok=free >= LEAST_DISK,
            words=f"{free / 1024**3:.1f} GB free for {home}",
            mend="free some space, or set INTERCOM_HOME to a folder on another disk",
        )

    @asynccontextmanager
    async def _database(self) -> AsyncIterator[tuple[Finding, Data | None]]:
        kind = "embedded" if self._settings.database_url is None else "external"
        mend = (
            "see `make setup`, and whether INTERCOM_HOME is on a local disk"
            if kind == "embedded"
            else "check INTERCOM_DATABASE_URL and that PostgreSQL runs"
        )
        try:
            async with opened(self._settings) as data:
                version = await data.db.fetchval(_SQL["doctor.version"])
                words = f"PostgreSQL {version}, {kind}"
                yield Finding(name="Database", ok=True, words=words), data
        except StorageError as error:
            yield Finding(name="Database", ok=False, words=str(error), mend=mend), None

    async def _time(self, data: Data) -> Finding:
        theirs = await data.db.fetchval(_SQL["doctor.time"])
        drift = abs(theirs - self._clock.now())
        return Finding(
            name="Clock",
            ok=drift <= MOST_DRIFT,
            words=f"{drift.total_seconds():.1f} s apart from the database's",
            mend="sudo timedatectl set-ntp true",
        )

    async def _audit(self, data: Data) -> Finding:
        mend = "intercom audit verify names the first bad row; restore from a backup"
        try:
            audit = await Audit.open(data.db, self._settings.home, self._clock)
        except AuditBroken as error:
            return Finding(name="Audit log", ok=False, words=str(error), mend=mend)
        verdict = await audit.verify()
        return Finding(name="Audit log", ok=verdict.ok, words=verdict.words, mend=mend)

    async def _owners(self, data: Data) -> Finding:
        registry = Registry(data.db, self._clock, runtime=self._settings.agent.runtime)
        await registry.load()
        main = registry.main()
        if main is None:
            return Finding(
                name="Owner", ok=True, words="nobody yet; the main group is made at the first start"
            )
        owners = [name for _, name in registry.people_with(main.folder, Role.OWNER)]
        outside = any(person != LOCAL_PERSON for person, _ in registry.people_with(main.folder, Role.OWNER))
        missing = self._settings.telegram.token is not None and not outside
        return Finding(
            name="Owner",
            ok=not missing,
            words=", ".join(owners) + (" (nobody claimed the bot yet)" if missing else ""),
            mend="write /claim CODE to the bot; `intercom up` prints the code",
        )

    async def _mounts(self, data: Data) -> Finding:
        registry = Registry(data.db, self._clock, runtime=self._settings.agent.runtime)
        await registry.load()
        checks = admission(self._settings, registry)
        try:
            words = await asyncio.to_thread(checks.state)
            refused = await asyncio.to_thread(checks.refusals)
        except MountError as error:
            mend = "see docs/conversations.md for what the file looks like"
            return Finding(name="Mounts", ok=False, words=str(error), mend=mend)
        mend = "mend the allow-list, or take the mount away: intercom group unmount FOLDER NAME"
        return Finding(name="Mounts", ok=not refused, words=" ".join(refused) or words, mend=mend)

    async def _projects(self, data: Data) -> Finding:
        """Whether every group may work on the project it names."""
        registry = Registry(data.db, self._clock, runtime=self._settings.agent.runtime)
        await registry.load()
        allowed = [str(folder) for folder in self._settings.folders()]
        if self._settings.kernel == "embedded":
            allowed = []
        lost = [group for group in registry.groups() if group.project and group.project not in allowed]
        if not lost:
            words = f"the kernel CLI in {', '.join(allowed)}" if allowed else "the embedded kernel"
            return Finding(name="Projects", ok=True, words=words)
        return Finding(
            name="Projects",
            ok=False,
            words=" ".join(
                f"{group.folder} names {group.project}, which is not allowed here." for group in lost
            ),
            mend="intercom group project FOLDER default; or allow it: INTERCOM_KERNEL=cli, INTERCOM_PROJECTS",
        )

    def _port(self) -> Finding:
        web = self._settings.web
        where = f"{web.host} port {web.port}"
        family = socket.AF_INET6 if ":" in web.host else socket.AF_INET
        try:
            socket.create_server((web.host, web.port), family=family).close()
        except OSError as error:
            if error.errno == errno.EADDRINUSE and _is_intercom(web.host, web.port):
                return Finding(name="Page", ok=True, words=f"the host serves it on {where}")
            words = f"cannot listen on {where}: {error.strerror}"
            return Finding(name="Page", ok=False, words=words, mend="set INTERCOM_WEB__PORT to a free port")
        return Finding(name="Page", ok=True, words=f"{where} is free")


def _is_intercom(host: str, port: int) -> bool:
    """Whether what listens there answers like us."""
    request = f"GET /healthz HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection((host, port), timeout=2) as there:
            there.settimeout(2)
            there.sendall(request.encode("ascii"))
            return there.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False
