"""`/api/agents`: register, keep alive, find, describe, remove."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from intermute.agents import places, presence
from intermute.agents.agents import Agents
from intermute.agents.registration import Wanted
from intermute.http.agent_shapes import (
    AgentList,
    AgentShape,
    OneAgent,
    PresenceList,
    RegisteredAgent,
    agent_shape,
    one_agent,
    presence_shape,
)
from intermute.http.endpoint import AnyEndpoint, Endpoint, Given, Nothing, Reply, Request
from intermute.http.fields import Id, LimitMost, Line, Name, Text

#: lets go of everything an agent holds, by its id
Release = Callable[[str], Awaitable[object]]


class Registering(Given):
    id: Name = ""
    agent_id: Name = ""
    name: Name = ""
    session_id: Id = ""
    project: Name = ""
    capabilities: Annotated[list[Name], Field(max_length=100)] | None = None
    metadata: dict[Name, Text] | None = None
    status: Name = ""


class Listing(Given):
    """`all` names also those who were silent for long."""

    project: Name = ""
    capability: Line = ""
    all: bool = False
    cursor: Line = ""
    limit: LimitMost = 1000


class PresenceAsked(Given):
    project: Name = ""
    repo: Line = ""
    active_bead_id: Line = ""
    all: bool = False
    cursor: Line = ""
    limit: LimitMost = 1000


class Beating(Given):
    focus_state: Name = ""


class Merging(Given):
    metadata: dict[Name, Text] = Field(default_factory=dict)


class Beaten(TypedDict):
    agent_id: str


def endpoints(agents: Agents, release: Release) -> Sequence[AnyEndpoint]:
    handlers = _Handlers(agents, release)
    return [
        Endpoint(
            method="POST",
            path="/api/agents",
            summary="Register an agent, or come again as the one it was",
            tag="agents",
            run=handlers.register,
            query=Nothing,
            body=Registering,
            replies={200: RegisteredAgent},
            errors=(409,),
        ),
        Endpoint(
            method="GET",
            path="/api/agents",
            summary="The agents of a project, those seen last first",
            tag="agents",
            run=handlers.list,
            query=Listing,
            body=Nothing,
            replies={200: AgentList},
        ),
        Endpoint(
            method="GET",
            path="/api/agents/presence",
            summary="What the agents say they work on",
            tag="agents",
            run=handlers.presence,
            query=PresenceAsked,
            body=Nothing,
            replies={200: PresenceList},
        ),
        Endpoint(
            method="GET",
            path="/api/agents/{id}",
            summary="One agent",
            tag="agents",
            run=handlers.get,
            query=Nothing,
            body=Nothing,
            replies={200: OneAgent},
            errors=(404,),
        ),
        Endpoint(
            method="DELETE",
            path="/api/agents/{id}",
            summary="Let go of everything the agent holds, and forget it",
            tag="agents",
            run=handlers.remove,
            query=Nothing,
            body=Nothing,
            replies={204: None},
            errors=(404,),
        ),
        Endpoint(
            method="POST",
            path="/api/agents/{id}/heartbeat",
            summary="A sign of life, and what the agent looks at",
            tag="agents",
            run=handlers.heartbeat,
            query=Nothing,
            body=Beating,
            replies={200: Beaten},
            errors=(404,),
            body_optional=True,
        ),
        Endpoint(
            method="PATCH",
            path="/api/agents/{id}/metadata",
            summary="Add to what the agent says about itself",
            tag="agents",
            run=handlers.merge,
            query=Nothing,
            body=Merging,
            replies={200: AgentShape},
            errors=(404,),
        ),
    ]


class _Handlers:
    def __init__(self, agents: Agents, release: Release) -> None:
        self._agents = agents
        self._release = release

    async def register(self, request: Request[Nothing, Registering]) -> Reply:
        body = request.body
        wanted = Wanted(
            id=body.id or body.agent_id,
            name=body.name,
            session_id=body.session_id,
            project=body.project,
            capabilities=body.capabilities,
            metadata=body.metadata,
            status=body.status,
        )
        done = await self._agents.register(request.caller, wanted)
        one = done.agent
        return Reply(
            body=RegisteredAgent(
                agent_id=one.id, session_id=one.session_id, name=one.name, token=done.token, cursor=0
            )
        )

    async def list(self, request: Request[Listing, Nothing]) -> Reply:
        query = request.query
        page = await self._agents.list(
            request.caller,
            query.project,
            capabilities=_words(query.capability),
            everybody=query.all,
            after=places.read(query.cursor),
            limit=query.limit,
        )
        body = AgentList(agents=[agent_shape(one, alive=self._agents.alive(one)) for one in page.items])
        if page.next:
            body["next_cursor"] = str(page.next)
        return Reply(body=body)

    async def presence(self, request: Request[PresenceAsked, Nothing]) -> Reply:
        query = request.query
        page = await self._agents.list(
            request.caller,
            query.project,
            repo=query.repo.strip(),
            bead=query.active_bead_id.strip(),
            everybody=query.all,
            after=places.read(query.cursor),
            limit=query.limit,
        )
        body = PresenceList(agents=[presence_shape(presence.of(one)) for one in page.items])
        if page.next:
            body["next_cursor"] = str(page.next)
        return Reply(body=body)

    async def get(self, request: Request[Nothing, Nothing]) -> Reply:
        one = await self._agents.get(request.caller, request.path["id"])
        agents = self._agents
        return Reply(body=one_agent(one, alive=agents.alive(one), focus=agents.focus(one)))

    async def remove(self, request: Request[Nothing, Nothing]) -> Reply:
        id_ = request.path["id"]
        await self._agents.speak_for(request.caller, id_)
        await self._release(id_)
        await self._agents.remove(request.caller, id_)
        return Reply(status=204)

    async def heartbeat(self, request: Request[Nothing, Beating]) -> Reply:
        id_ = request.path["id"]
        await self._agents.heartbeat(request.caller, id_, request.body.focus_state)
        return Reply(body=Beaten(agent_id=id_))

    async def merge(self, request: Request[Nothing, Merging]) -> Reply:
        one = await self._agents.merge(request.caller, request.path["id"], request.body.metadata)
        return Reply(body=agent_shape(one, alive=self._agents.alive(one)))


def _words(text: str) -> Sequence[str]:
    return [word for word in (piece.strip() for piece in text.split(",")) if word]
