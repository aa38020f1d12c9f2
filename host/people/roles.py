"""Changes of groups and roles, each on record with who made it."""

from collections.abc import Mapping
from typing import Any, Protocol

from host.people.profiles import Profile
from host.people.registry import Group, Registry, Role
from storage.database import Connection, Database


class Recorder(Protocol):
    """The audit log."""

    async def record(
        self, conn: Connection, *, actor: str, action: str, detail: Mapping[str, Any]
    ) -> object: ...


class Roles:
    """The registry's writes with an actor. Raises what the registry raises."""

    def __init__(self, *, registry: Registry, database: Database, audit: Recorder) -> None:
        self._registry = registry
        self._database = database
        self._audit = audit

    async def add_group(
        self,
        address: str,
        folder: str,
        *,
        actor: str,
        title: str = "",
        main: bool = False,
        trigger_required: bool = True,
        writes: bool | None = None,
        runtime: str | None = None,
        project: str = "",
    ) -> Group:
        group = await self._registry.add_group(
            address,
            folder,
            title=title,
            main=main,
            trigger_required=trigger_required,
            writes=writes,
            runtime=runtime,
            project=project,
        )
        await self._record(
            actor,
            "group.added",
            group=folder,
            address=address,
            main=main,
            writes=group.writes,
            project=project,
        )
        return group

    async def add_address(self, address: str, folder: str, *, actor: str) -> Group:
        group = await self._registry.add_address(address, folder)
        await self._record(actor, "group.address_added", group=folder, address=address)
        return group

    async def remove_address(self, address: str, *, actor: str) -> None:
        await self._registry.remove_address(address)
        await self._record(actor, "group.address_removed", address=address)

    async def remove_group(self, folder: str, *, actor: str) -> None:
        await self._registry.remove_group(folder)
        await self._record(actor, "group.removed", group=folder)

    async def set_role(self, folder: str, person: str, role: Role | None, *, actor: str) -> None:
        before = self._registry.role(folder, person)
        await self._registry.set_role(folder, person, role)
        await self._record(actor, "role.set", group=folder, person=person, role=role, before=before)

    async def set_model(self, folder: str, runtime: str, model: str, *, actor: str) -> Group:
        group = await self._registry.set_model(folder, runtime, model)
        await self._record(actor, "group.model_set", group=folder, runtime=runtime, model=model)
        return group

    async def set_project(self, folder: str, project: str, *, actor: str) -> Group:
        group = await self._registry.set_project(folder, project)
        await self._record(actor, "group.project_set", group=folder, project=project)
        return group

    async def set_profile(self, folder: str, profile: Profile, *, actor: str) -> Group:
        group = await self._registry.set_profile(folder, profile)
        granted = profile.model_dump(mode="json", exclude_defaults=True)
        await self._record(actor, "group.profile_set", group=folder, granted=granted)
        return group

    async def _record(self, actor: str, action: str, **detail: Any) -> None:
        async with self._database.transaction() as conn:
            await self._audit.record(conn, actor=actor, action=action, detail=detail)
