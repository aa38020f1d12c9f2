"""Work entities over HTTP: one table of endpoints for each kind, and what single kinds have besides."""

import types
from collections.abc import Sequence
from typing import Any

from intermute.caller import Caller
from intermute.entities.features import Features
from intermute.entities.kind import Kind
from intermute.entities.kinds import INSIGHT, JOURNEY, KINDS, TASK
from intermute.entities.store import Entities
from intermute.errors import NotAllowed
from intermute.http import entity_shapes as shapes
from intermute.http.endpoint import AnyEndpoint, Endpoint, Nothing, Reply, Request
from intermute.http.entity_shapes import (
    Assignment,
    EntityGiven,
    FeatureLink,
    LinkShape,
    Listed,
    SpecLink,
    Where,
)
from intermute.http.paging import marks_of, next_page, place_of, place_word, word


def endpoints(entities: Entities, features: Features) -> Sequence[AnyEndpoint]:
    """All endpoints of all kinds."""
    of_kinds = [endpoint for kind in KINDS for endpoint in _Room(kind, entities).endpoints()]
    return [*of_kinds, _assign(entities), _link_insight(entities), *_links(features)]


class _Room:
    """What is the same for every kind."""

    def __init__(self, kind: Kind, entities: Entities) -> None:
        self._kind = kind
        self._entities = entities
        self._list = f"/api/{kind.plural}"
        self._one = f"{self._list}/{{id}}"

    def endpoints(self) -> Sequence[AnyEndpoint]:
        kind = self._kind
        shape: Any = shapes.shape(kind)
        page: Any = types.GenericAlias(list, (shape,))
        given, listed = shapes.given(kind), shapes.listed(kind)
        table: list[AnyEndpoint] = [
            Endpoint(
                method="GET",
                path=self._list,
                summary=f"List {kind.plural}. `X-Next-Cursor` and `Link` lead to the next page.",
                tag=kind.plural,
                run=self._page,
                query=listed,
                body=Nothing,
                replies={200: page},
            ),
            Endpoint(
                method="POST",
                path=self._list,
                summary=f"Make a new {kind.name}.",
                tag=kind.plural,
                run=self._create,
                query=Nothing,
                body=given,
                replies={201: shape},
                errors=(409,),
            ),
            Endpoint(
                method="GET",
                path=self._one,
                summary=f"Read one {kind.name}.",
                tag=kind.plural,
                run=self._read,
                query=Where,
                body=Nothing,
                replies={200: shape},
                errors=(404,),
            ),
            Endpoint(
                method="DELETE",
                path=self._one,
                summary=f"Take one {kind.name} out; it is well if there is none.",
                tag=kind.plural,
                run=self._remove,
                query=Where,
                body=Nothing,
                replies={204: None},
            ),
        ]
        return [*table, self._replacing(given, shape)] if kind.replaceable else table

    def _replacing(self, given: type[EntityGiven], shape: Any) -> AnyEndpoint:
        kind = self._kind
        on = " `version` must be the one on record." if kind.versioned else " The last write wins."
        return Endpoint(
            method="PUT",
            path=self._one,
            summary=f"Replace one {kind.name}.{on}",
            tag=kind.plural,
            run=self._replace,
            query=Nothing,
            body=given,
            replies={200: shape},
            errors=(404, 409) if kind.versioned else (404,),
        )

    async def _page(self, request: Request[Listed, Nothing]) -> Reply:
        query = request.query
        filters = {name: str(getattr(query, name)) for name in self._kind.filters}
        project = request.caller.within(query.project)
        page = await self._entities.page(
            self._kind,
            project if project or request.caller.bound else None,
            filters,
            limit=query.limit,
            after=place_of(query.cursor),
        )
        shown = {"project": query.project, **filters, "limit": str(query.limit)}
        headers = next_page(shown, place_word(page.after)) if page.after else {}
        return Reply(body=[entity.shape() for entity in page.entities], headers=headers)

    async def _create(self, request: Request[Nothing, EntityGiven]) -> Reply:
        kind, body = self._kind, request.body
        entity = await self._entities.create(
            kind,
            _own(request.caller, body.project),
            _members(kind, body),
            entity_id=body.id,
            version=_version(body),
            created_at=getattr(body, kind.born),
            updated_at=getattr(body, kind.changed) if kind.changed else None,
        )
        return Reply(status=201, body=entity.shape())

    async def _read(self, request: Request[Where, Nothing]) -> Reply:
        project = request.caller.within(request.query.project)
        entity = await self._entities.read(self._kind, project, request.path["id"])
        return Reply(body=entity.shape())

    async def _replace(self, request: Request[Nothing, EntityGiven]) -> Reply:
        kind, body = self._kind, request.body
        project = _own(request.caller, body.project)
        entity = await self._entities.replace(
            kind, project, request.path["id"], _members(kind, body), version=_version(body)
        )
        return Reply(body=entity.shape())

    async def _remove(self, request: Request[Where, Nothing]) -> Reply:
        project = request.caller.within(request.query.project)
        await self._entities.remove(self._kind, project, request.path["id"])
        return Reply(status=204)


def _assign(entities: Entities) -> AnyEndpoint:
    async def run(request: Request[Where, Assignment]) -> Reply:
        project = request.caller.within(request.query.project)
        task = await entities.assign(
            project, request.path["id"], request.body.agent, version=request.body.version
        )
        return Reply(body=task.shape())

    return Endpoint(
        method="POST",
        path="/api/tasks/{id}/assign",
        summary="Give the task to an agent; it runs now.",
        tag=TASK.plural,
        run=run,
        query=Where,
        body=Assignment,
        replies={200: shapes.shape(TASK)},
        errors=(404, 409),
    )


def _link_insight(entities: Entities) -> AnyEndpoint:
    async def run(request: Request[Where, SpecLink]) -> Reply:
        project = request.caller.within(request.query.project)
        await entities.link_insight(project, request.path["id"], request.body.spec_id)
        return Reply()

    return Endpoint(
        method="POST",
        path="/api/insights/{id}/link",
        summary="Say which spec the insight is about; an empty id takes that back.",
        tag=INSIGHT.plural,
        run=run,
        query=Where,
        body=SpecLink,
        replies={200: None},
        errors=(404,),
    )


def _links(features: Features) -> Sequence[AnyEndpoint]:
    """The three endpoints about the features of a journey."""

    async def link(request: Request[Where, FeatureLink]) -> Reply:
        project = request.caller.within(request.query.project)
        await features.link(project, request.path["id"], request.body.feature_id)
        return Reply()

    async def unlink(request: Request[Where, FeatureLink]) -> Reply:
        project = request.caller.within(request.query.project)
        await features.unlink(project, request.path["id"], request.body.feature_id)
        return Reply()

    async def links(request: Request[Listed, Nothing]) -> Reply:
        query, journey = request.query, request.path["id"]
        project = request.caller.within(query.project)
        after = marks_of(query.cursor, str)[0] if query.cursor else ""
        found = await features.links(project, journey, after=after, limit=query.limit + 1)
        page = found[: query.limit]
        shown = {"project": query.project, "limit": str(query.limit)}
        headers = next_page(shown, word(page[-1].feature)) if len(found) > len(page) else {}
        return Reply(body=[link.shape() for link in page], headers=headers)

    return [
        Endpoint(
            method="POST",
            path="/api/cujs/{id}/link",
            summary="Link the journey to a feature; again is well too.",
            tag=JOURNEY.plural,
            run=link,
            query=Where,
            body=FeatureLink,
            replies={200: None},
            errors=(404,),
        ),
        Endpoint(
            method="POST",
            path="/api/cujs/{id}/unlink",
            summary="Take the link to a feature away; it is well if there is none.",
            tag=JOURNEY.plural,
            run=unlink,
            query=Where,
            body=FeatureLink,
            replies={200: None},
        ),
        Endpoint(
            method="GET",
            path="/api/cujs/{id}/links",
            summary="List the features the journey is linked to, in the order of their ids.",
            tag=JOURNEY.plural,
            run=links,
            query=Listed,
            body=Nothing,
            replies={200: list[LinkShape]},
        ),
    ]


def _own(caller: Caller, project: str) -> str:
    """The project of a body that names an entity. A key's holder must name the key's own."""
    if caller.bound and project != caller.project:
        raise NotAllowed("This key belongs to another project.", code="project_mismatch")
    return project


def _version(body: EntityGiven) -> int:
    return int(getattr(body, "version", 0))


def _members(kind: Kind, body: EntityGiven) -> dict[str, Any]:
    """The members of the kind's own as JSON."""
    given = body.model_dump(include={member.name for member in kind.members})
    for step in given.get("steps", ()):
        if not step["alternatives"]:
            del step["alternatives"]
    return given
