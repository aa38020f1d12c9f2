"""Keeps the work entities of all kinds: changed under a lock, and told of in the same transaction."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from asyncpg.protocol import Record

from intermute.entities.entity import START, Entity, Page, Place, told
from intermute.entities.kind import STATUS, Kind
from intermute.entities.kinds import INSIGHT, JOURNEY, RUNNING, TASK
from intermute.errors import Conflict, InvalidRequest, NotFound
from intermute.events.journal import Entry, Journal
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId

MOST_BYTES = 4 * 1024 * 1024  #: of the entities' own members in a page, before the last of them

_SQL = sql.load("intermute", "entities", "journeys")

#: from the entity as it is to how it shall be
Change = Callable[[Entity], Entity]


class Entities:
    """All of them, by kind, project and id."""

    def __init__(self, db: Database, journal: Journal, clock: Clock, new_id: NewId) -> None:
        self._db = db
        self._journal = journal
        self._clock = clock
        self._new_id = new_id

    async def create(
        self,
        kind: Kind,
        project: str,
        given: Mapping[str, Any],
        *,
        entity_id: str = "",
        version: int = 0,
        created_at: datetime | None = None,
        updated_at: datetime | None = None,
    ) -> Entity:
        """Make a new one. Raises InvalidRequest, Conflict when the id is taken."""
        now = self._clock.now()
        entity = Entity(
            kind=kind,
            project=project,
            id=entity_id or str(self._new_id()),
            data=kind.fresh(given),
            version=(version if kind.own_version else 0) or 1,
            created_at=created_at or now,
            updated_at=updated_at or now,
        )
        await self._journal.ensure_project(project)
        async with self._journal.writing() as entry:
            if await entry.conn.fetchval(_SQL["entities.insert"], *_insertion(entity)) is None:
                raise Conflict(
                    f"Another {kind.name} has this id already.",
                    code="already_exists",
                    details={"id": entity.id},
                )
            await entry.tell([entity.news(kind.created)])
        return entity

    async def read(self, kind: Kind, project: str, entity_id: str) -> Entity:
        """The one with this id. Raises NotFound."""
        row = await self._db.fetchrow(_SQL["entities.read"], kind.name, project, entity_id)
        return _entity(kind, row)

    async def page(
        self,
        kind: Kind,
        project: str | None,
        filters: Mapping[str, str],
        *,
        limit: int,
        after: Place = START,
    ) -> Page:
        """Some of the list behind the place; `project` None is all of them. Empty filters do not count."""
        held = {kind.filters[name]: value for name, value in filters.items() if value}
        most = (limit + 1, MOST_BYTES)
        if project is None:
            where = (kind.name, held, after.rank, after.listed_at, after.id, after.project)
            rows = await self._db.fetch(_SQL["entities.everywhere"], *where, *most)
        else:
            within = (kind.name, project, held, after.rank, after.listed_at, after.id)
            rows = await self._db.fetch(_SQL["entities.of_project"], *within, *most)
        taken = rows[:limit]
        more = bool(taken) and taken[0]["found"] > len(taken)
        return Page(entities=[_entity(kind, row) for row in taken], after=_place(taken[-1]) if more else None)

    async def replace(
        self, kind: Kind, project: str, entity_id: str, given: Mapping[str, Any], *, version: int
    ) -> Entity:
        """Put other members in their place. Raises NotFound, Conflict for another version, InvalidRequest."""

        def renew(entity: Entity) -> Entity:
            if kind.versioned:
                _expect(entity, version)
            return replace(entity, data=kind.renewed(given, entity.data))

        async with self._journal.writing() as entry:
            entity = await self._change(entry, kind, project, entity_id, renew)
            await entry.tell([entity.news(kind.told(entity.data))])
        return entity

    async def remove(self, kind: Kind, project: str, entity_id: str) -> None:
        """Take it out; nothing happens where there is none."""
        async with self._journal.writing() as entry:
            if await entry.conn.fetchval(_SQL["entities.remove"], kind.name, project, entity_id) is None:
                return
            if kind is JOURNEY:
                await entry.conn.execute(_SQL["journeys.forget"], project, entity_id)
            await entry.tell([told(kind.removed, project, entity_id, None)])

    async def assign(self, project: str, task_id: str, agent: str, *, version: int | None) -> Entity:
        """Give the task to the agent: it runs now. `version`, where given, must be the task's."""
        if not agent.strip():
            raise InvalidRequest("The request must name the agent that gets the task.", code="agent_required")

        def give(task: Entity) -> Entity:
            if version is not None:
                _expect(task, version)
            return replace(task, data={**task.data, "agent": agent, STATUS: RUNNING})

        async with self._journal.writing() as entry:
            task = await self._change(entry, TASK, project, task_id, give)
            await entry.tell([task.news("task.assigned")])
        return task

    async def link_insight(self, project: str, insight_id: str, spec_id: str) -> None:
        """Say which spec the insight is about; an empty id takes that back. Raises NotFound."""

        def link(insight: Entity) -> Entity:
            others = {name: value for name, value in insight.data.items() if name != "spec_id"}
            return replace(insight, data={"spec_id": spec_id, **others} if spec_id else others)

        async with self._journal.writing() as entry:
            await self._change(entry, INSIGHT, project, insight_id, link)
            await entry.tell([told("insight.linked", project, insight_id, {"spec_id": spec_id})])

    async def _change(self, entry: Entry, kind: Kind, project: str, entity_id: str, change: Change) -> Entity:
        key = (kind.name, project, entity_id)
        before = _entity(kind, await entry.conn.fetchrow(_SQL["entities.lock"], *key))
        changed = change(before)
        after = replace(changed, version=before.version + 1, updated_at=self._clock.now())
        written = (after.rank, after.listed_at, after.data, after.version, after.updated_at)
        await entry.conn.execute(_SQL["entities.write"], *key, *written)
        return after


def _expect(entity: Entity, version: int) -> None:
    if entity.version != version:
        raise Conflict(
            f"Somebody changed this {entity.kind.name} meanwhile: read it again.",
            code="version_conflict",
            details={"version": entity.version},
        )


def _insertion(entity: Entity) -> tuple[Any, ...]:
    key = (entity.kind.name, entity.project, entity.id, entity.rank, entity.listed_at)
    return (*key, entity.data, entity.version, entity.created_at, entity.updated_at)


def _entity(kind: Kind, row: Record | None) -> Entity:
    if row is None:
        raise NotFound(f"There is no such {kind.name} in this project.", code=f"{kind.name}_not_found")
    return Entity(
        kind=kind,
        project=row["project"],
        id=row["id"],
        data=row["data"],
        version=row["version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
    )


def _place(row: Record) -> Place:
    return Place(rank=row["rank"], listed_at=row["listed_at"], id=row["id"], project=row["project"])
