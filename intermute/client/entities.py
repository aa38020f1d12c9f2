"""The seven kinds of work entities, and the calls that are the same for each."""

from collections.abc import Sequence
from datetime import datetime
from typing import Generic, TypeVar

from pydantic import TypeAdapter

from intermute.client.shapes import Names, Shape
from intermute.client.wire import Wire, part


class Entity(Shape):
    """Without an id the service makes one; `version` says which one a change is about."""

    id: str = ""
    project: str = ""


class Spec(Entity):
    title: str = ""
    vision: str = ""
    users: str = ""
    problem: str = ""
    status: str = ""
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Epic(Entity):
    spec_id: str = ""
    title: str = ""
    description: str = ""
    status: str = ""
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Story(Entity):
    epic_id: str = ""
    title: str = ""
    acceptance_criteria: Names = ()
    status: str = ""
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Task(Entity):
    story_id: str = ""
    title: str = ""
    agent: str = ""
    session_id: str = ""
    status: str = ""
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Insight(Entity):
    spec_id: str = ""
    source: str = ""
    category: str = ""
    title: str = ""
    body: str = ""
    url: str = ""
    score: float = 0.0
    created_at: datetime | None = None


class Session(Entity):
    name: str = ""
    agent: str = ""
    task_id: str = ""
    status: str = ""
    started_at: datetime | None = None
    updated_at: datetime | None = None


class Step(Shape):
    order: int = 0
    action: str = ""
    expected: str = ""
    alternatives: Names = ()


class Journey(Entity):
    """A critical user journey."""

    spec_id: str = ""
    title: str = ""
    persona: str = ""
    priority: str = ""
    entry_point: str = ""
    exit_point: str = ""
    steps: tuple[Step, ...] | None = None
    success_criteria: Names = ()
    error_recovery: Names = ()
    status: str = ""
    version: int = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None


class FeatureLink(Shape):
    cuj_id: str
    feature_id: str
    project: str = ""
    linked_at: datetime | None = None


Kind = TypeVar("Kind", bound=Entity)


class Entities(Generic[Kind]):
    """`/api/specs` and its like. `where` takes the filters of the kind, as `status` or `spec`."""

    def __init__(self, wire: Wire, project: str, kind: type[Kind], plural: str) -> None:
        self._wire = wire
        self._project = project
        self._path = f"/api/{plural}"
        self._one: TypeAdapter[Kind] = TypeAdapter(kind)
        self._many: TypeAdapter[tuple[Kind, ...]] = TypeAdapter(tuple[kind, ...])  # type: ignore[valid-type]

    async def create(self, entity: Kind) -> Kind:
        """Raises Conflict where the id is taken."""
        return await self._wire.ask(self._one, "POST", self._path, body=self._body(entity))

    async def get(self, entity_id: str) -> Kind:
        return await self._wire.ask(self._one, "GET", self._at(entity_id), query=self._where())

    async def list(self, *, limit: int | None = None, **where: str) -> tuple[Kind, ...]:
        query = {**self._where(), **where, "limit": limit}
        return await self._wire.ask(self._many, "GET", self._path, query=query)

    async def update(self, entity: Kind) -> Kind:
        """Replace it. Raises Conflict where somebody was quicker."""
        return await self._wire.ask(self._one, "PUT", self._at(entity.id), body=self._body(entity))

    async def delete(self, entity_id: str) -> None:
        await self._wire.do("DELETE", self._at(entity_id), query=self._where())

    def _at(self, entity_id: str) -> str:
        return f"{self._path}/{part(entity_id)}"

    def _where(self) -> dict[str, str]:
        return {"project": self._project}

    def _body(self, entity: Kind) -> object:
        return {"project": self._project, **entity.model_dump(mode="json", exclude_defaults=True)}


class Tasks(Entities[Task]):
    """Tasks can be assigned."""

    async def assign(self, task_id: str, agent: str) -> Task:
        """Give it to an agent; it runs now."""
        path = f"{self._at(task_id)}/assign"
        return await self._wire.ask(self._one, "POST", path, query=self._where(), body={"agent": agent})


class Insights(Entities[Insight]):
    """Insights belong to specs."""

    async def link(self, insight_id: str, spec_id: str) -> None:
        path = f"{self._at(insight_id)}/link"
        await self._wire.do("POST", path, query=self._where(), body={"spec_id": spec_id})


_LINKS: TypeAdapter[Sequence[FeatureLink]] = TypeAdapter(tuple[FeatureLink, ...])


class Journeys(Entities[Journey]):
    """Journeys are linked to features."""

    async def link(self, journey_id: str, feature_id: str) -> None:
        await self._mend(journey_id, "link", feature_id)

    async def unlink(self, journey_id: str, feature_id: str) -> None:
        await self._mend(journey_id, "unlink", feature_id)

    async def links(self, journey_id: str) -> Sequence[FeatureLink]:
        return await self._wire.ask(_LINKS, "GET", f"{self._at(journey_id)}/links", query=self._where())

    async def _mend(self, journey_id: str, action: str, feature_id: str) -> None:
        path = f"{self._at(journey_id)}/{action}"
        await self._wire.do("POST", path, query=self._where(), body={"feature_id": feature_id})
