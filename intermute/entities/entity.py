"""One work entity as it is on record, its JSON, and a page of a list of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from intermute import times
from intermute.entities.kind import Kind
from intermute.events.event import NewEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """`data` are the members of its kind, without the empty ones that are not shown."""

    kind: Kind
    project: str
    id: str
    data: Mapping[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def rank(self) -> float:
        return self.kind.rank(self.data)

    @property
    def listed_at(self) -> datetime:
        return self.created_at if self.kind.listed_by_birth else self.updated_at

    def shape(self) -> dict[str, Any]:
        """Its JSON."""
        shape = {"id": self.id, "project": self.project, **self.data}
        if self.kind.versioned:
            shape["version"] = self.version
        shape[self.kind.born] = times.precise(self.created_at)
        if self.kind.changed:
            shape[self.kind.changed] = times.precise(self.updated_at)
        return shape

    def news(self, type_: str) -> NewEvent:
        """What tells everybody in the project how it is now."""
        return told(type_, self.project, self.id, self.shape())


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where in a list somebody is: behind the entity with these marks."""

    rank: float
    listed_at: datetime
    id: str
    project: str


#: before the first entity of any list
START = Place(rank=float("inf"), listed_at=datetime.max.replace(tzinfo=UTC), id="", project="")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """`after` is the place of the last one when there are more."""

    entities: Sequence[Entity]
    after: Place | None


def told(type_: str, project: str, entity_id: str, data: Mapping[str, Any] | None) -> NewEvent:
    """An event about an entity, for everybody in the project."""
    return NewEvent(project=project, type=type_, data={"entity_id": entity_id, "data": data})
