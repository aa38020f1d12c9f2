"""Who may speak where: registered groups, their addresses and people's roles, cached and kept fresh.

RegistryError
├── BadName             a folder or an address is not written as it must be
├── AlreadyRegistered   the folder or the address belongs to a group already
└── NoSuchGroup         there is no such group
"""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from types import MappingProxyType

import structlog
from asyncpg.protocol import Record

from host.people.profiles import Profile
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.errors import DatabaseUnavailable
from storage.wakeups import Wakeups, notify

log = structlog.get_logger()

CHANNEL = "host_registry"
MAIN_FOLDER = "main"
LOCAL_ADDRESS = "web:local"
LOCAL_PERSON = "web:owner"
LOCAL_NAME = "Owner"  #: as others read it, in every chat
FOLDER = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", re.ASCII)
ADDRESS = re.compile(r"[a-z]{1,16}:[^\s/]{1,128}(/[^\s/]{1,64})?")
RESERVED = frozenset({"global"})
_POLL_EVERY = 60.0
_SQL = sql.load("host", "registry")


class RegistryError(Exception):
    """The registration was not changed; the message says why."""


class BadName(RegistryError):
    """A folder or an address is not written as it must be."""


class AlreadyRegistered(RegistryError):
    """The folder or the address belongs to a group already."""


class NoSuchGroup(RegistryError):
    """There is no such group."""


class Role(StrEnum):
    """What a person is in a group; each includes what the ones after it may do."""

    OWNER = "owner"
    APPROVER = "approver"
    MEMBER = "member"
    VIEWER = "viewer"

    def includes(self, other: "Role") -> bool:
        order = list(Role)
        return order.index(self) <= order.index(other)


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A registered group of chats with an agent of its own."""

    folder: str
    title: str
    main: bool
    trigger_required: bool
    writes: bool
    runtime: str
    model: str
    project: str
    addresses: tuple[str, ...]
    profile: Profile = field(default_factory=Profile)

    def lane_of(self, address: str) -> str:
        """The conversation an address belongs to: the group's, or that of a topic without a registration."""
        if address in self.addresses:
            return self.folder
        return f"{self.folder}/{address.rpartition('/')[2]}"


@dataclass(frozen=True, slots=True)
class _Known:
    """All that is registered, as one value that is replaced as a whole."""

    groups: Mapping[str, Group] = field(default_factory=dict)
    by_address: Mapping[str, Group] = field(default_factory=dict)
    roles: Mapping[str, Mapping[str, tuple[Role, str]]] = field(default_factory=dict)


class Registry:
    """Reads from memory, writes to the database and tells every process that it did."""

    def __init__(self, database: Database, clock: Clock, *, runtime: str) -> None:
        self._database = database
        self._clock = clock
        self._runtime = runtime  #: of groups that name none: they follow the setting
        self._known = _Known()
        self._loading = asyncio.Lock()

    async def load(self) -> None:
        async with self._loading:
            groups = await self._database.fetch(_SQL["registry.groups"])
            roles = await self._database.fetch(_SQL["registry.roles"])
            self._known = _read(groups, roles, self._runtime)

    async def run(self, wakeups: Wakeups) -> None:
        """Follow what other processes change until cancelled."""
        wakeup = wakeups.subscribe(CHANNEL)
        try:
            while True:
                await wakeup.wait(self._clock, _POLL_EVERY)
                try:
                    await self.load()
                except DatabaseUnavailable as error:
                    log.warning("registry.stale", reason=str(error))
        finally:
            wakeup.close()

    def group_of(self, address: str) -> Group | None:
        """The group of a chat; a topic that is not registered itself belongs to its chat's group."""
        known = self._known.by_address
        return known.get(address) or known.get(address.partition("/")[0])

    def group(self, folder: str) -> Group | None:
        return self._known.groups.get(folder)

    def group_of_lane(self, lane: str) -> Group | None:
        return self.group(lane.partition("/")[0])

    def groups(self) -> Sequence[Group]:
        """The main group first."""
        return tuple(self._known.groups.values())

    def main(self) -> Group | None:
        return next((group for group in self.groups() if group.main), None)

    def role(self, folder: str, person: str) -> Role | None:
        role, _ = self._known.roles.get(folder, {}).get(person, (None, ""))
        return role

    def roles_of(self, person: str) -> Mapping[str, Role]:
        """Folder to role, for every group this person has one in."""
        return {folder: people[person][0] for folder, people in self._known.roles.items() if person in people}

    def people_with(self, folder: str, *roles: Role) -> list[tuple[str, str]]:
        """Person and name of those with one of the roles, who got it first stands first."""
        people = self._known.roles.get(folder, {})
        return [(person, name or person) for person, (role, name) in people.items() if role in roles]

    def heard_from(self, person: str, name: str) -> None:
        """A network calls the person so; stored already by whoever accepted the message."""
        roles = self._known.roles
        stale = [folder for folder, people in roles.items() if person in people and people[person][1] != name]
        if stale:
            renamed = {
                folder: {**roles[folder], person: (roles[folder][person][0], name)} for folder in stale
            }
            self._known = replace(self._known, roles=MappingProxyType({**roles, **renamed}))

    async def add_group(
        self,
        address: str,
        folder: str,
        *,
        title: str = "",
        main: bool = False,
        trigger_required: bool = True,
        writes: bool | None = None,
        runtime: str | None = None,
        model: str = "",
        project: str = "",
    ) -> Group:
        """Register a chat as a new group. The main group may write, others only when `writes` says so."""
        _check_folder(folder)
        _check_address(address)
        may_write = main if writes is None else writes
        row = (folder, title, main, trigger_required, may_write, runtime or "", model, project)
        async with self._changing() as conn:
            if await conn.fetchval(_SQL["registry.add_group"], *row, self._clock.now(), address) is None:
                raise AlreadyRegistered(await self._taken(conn, folder, main))
            await self._link(conn, address, folder)
        return self._must(folder)

    async def add_address(self, address: str, folder: str) -> Group:
        """Let one more chat be a chat of the group."""
        _check_address(address)
        self._must(folder)
        async with self._changing() as conn:
            await self._link(conn, address, folder)
        return self._must(folder)

    async def remove_address(self, address: str) -> None:
        async with self._changing() as conn:
            if await conn.fetchval(_SQL["registry.remove_address"], address) is None:
                raise NoSuchGroup(f"{address} is not registered.")

    async def remove_group(self, folder: str) -> None:
        """Unregister a group with its chats and roles; what was said there stays stored."""
        if self._must(folder).main:
            raise RegistryError("The main group stays: the local page belongs to it.")
        async with self._changing() as conn:
            await conn.execute(_SQL["registry.forget_waiting"], folder)
            await conn.execute(_SQL["registry.end_conversations"], folder, self._clock.now())
            await conn.execute(_SQL["registry.remove_group"], folder)

    async def set_role(self, folder: str, person: str, role: Role | None) -> None:
        """Give a person a role in a group; None takes it away."""
        _check_address(person)
        self._must(folder)
        async with self._changing() as conn:
            if role is None:
                await conn.execute(_SQL["registry.drop_role"], folder, person)
            else:
                await conn.execute(_SQL["registry.set_role"], folder, person, role.value, self._clock.now())

    async def set_model(self, folder: str, runtime: str, model: str) -> Group:
        self._must(folder)
        async with self._changing() as conn:
            await conn.execute(_SQL["registry.set_model"], folder, runtime, model)
        return self._must(folder)

    async def set_project(self, folder: str, project: str) -> Group:
        self._must(folder)
        async with self._changing() as conn:
            await conn.execute(_SQL["registry.set_project"], folder, project)
        return self._must(folder)

    async def set_profile(self, folder: str, profile: Profile) -> Group:
        self._must(folder)
        stored = profile.model_dump(mode="json", exclude_defaults=True)
        async with self._changing() as conn:
            await conn.execute(_SQL["registry.set_profile"], folder, stored)
        return self._must(folder)

    async def ensure_main(self, owners: Sequence[str] = ()) -> Group:
        """Make sure there is a main group with the local page, and that the given people own it.

        An owner's private chat has the address of the person, so it becomes a chat of the main group.
        """
        now = self._clock.now()
        async with self._changing() as conn:
            folder: str | None = await conn.fetchval(_SQL["registry.main"])
            if folder is None:
                folder = MAIN_FOLDER
                row = (folder, "Main", True, False, True, "", "", "", now, LOCAL_ADDRESS)
                await conn.execute(_SQL["registry.add_group"], *row)
            await conn.execute(_SQL["registry.ensure_person"], LOCAL_PERSON, LOCAL_NAME, now)
            await conn.execute(_SQL["registry.set_role"], folder, LOCAL_PERSON, Role.OWNER.value, now)
            await conn.execute(_SQL["registry.add_address"], LOCAL_ADDRESS, folder)
            for person in owners:
                await self._own(conn, folder, person)
        return self._must(folder)

    async def _own(self, conn: Connection, folder: str, person: str) -> None:
        _check_address(person)
        await conn.execute(_SQL["registry.set_role"], folder, person, Role.OWNER.value, self._clock.now())
        if await conn.fetchval(_SQL["registry.add_address"], person, folder) is None:
            log.info("registry.address_kept", address=person)

    @asynccontextmanager
    async def _changing(self) -> AsyncIterator[Connection]:
        """One transaction that every process hears of; this one has it in memory on leave."""
        async with self._database.transaction() as conn:
            yield conn
            await notify(conn, CHANNEL)
        await self.load()

    async def _link(self, conn: Connection, address: str, folder: str) -> None:
        if await conn.fetchval(_SQL["registry.add_address"], address, folder) is None:
            raise AlreadyRegistered(
                f"The chat {address} is registered already; `intercom group list` shows where."
            )

    async def _taken(self, conn: Connection, folder: str, main: bool) -> str:
        holder: str | None = await conn.fetchval(_SQL["registry.main"])
        if main and holder is not None and holder != folder:
            return f"There is one main group, “{holder}”; to add this chat to it name its folder."
        return f"The folder “{folder}” is taken by another group."

    def _must(self, folder: str) -> Group:
        group = self.group(folder)
        if group is None:
            raise NoSuchGroup(f"There is no group “{folder}”; `intercom group list` shows all.")
        return group


def _read(groups: Sequence[Record], roles: Sequence[Record], runtime: str) -> _Known:
    known = [_group(row, runtime) for row in groups]
    people: dict[str, dict[str, tuple[Role, str]]] = {}
    for row in roles:
        people.setdefault(row["folder"], {})[row["person"]] = (Role(row["role"]), row["name"])
    return _Known(
        groups=MappingProxyType({group.folder: group for group in known}),
        by_address=MappingProxyType({address: group for group in known for address in group.addresses}),
        roles=MappingProxyType(people),
    )


def _group(row: Record, runtime: str) -> Group:
    return Group(
        folder=row["folder"],
        title=row["title"],
        main=row["main"],
        trigger_required=row["trigger_required"],
        writes=row["writes"],
        runtime=row["runtime"] or runtime,
        model=row["model"],
        project=row["project"],
        addresses=tuple(row["addresses"]),
        profile=Profile.model_validate(row["profile"]),
    )


def _check_folder(folder: str) -> None:
    if not FOLDER.fullmatch(folder) or folder in RESERVED:
        raise BadName(
            f"“{folder[:80]}” cannot be a folder: 1 to 64 letters, digits, - or _, beginning with a letter "
            "or digit, and not “global”."
        )


def _check_address(address: str) -> None:
    if not ADDRESS.fullmatch(address):
        raise BadName(f"“{address[:80]}” is not an address; it is written as network:id, like tg:-100123.")
