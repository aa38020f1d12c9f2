"""`/api/inbox/pokes`: messages that wait for a terminal to be looked at."""

from collections.abc import Sequence
from datetime import UTC
from email.utils import format_datetime
from typing import NotRequired

from typing_extensions import TypedDict

from intermute.agents import places
from intermute.http.endpoint import AnyEndpoint, Endpoint, Given, Nothing, Reply, Request
from intermute.http.fields import LimitMost, Line, Name
from intermute.live.pokes import Poke, Pokes


class Whose(Given):
    project: Name = ""
    agent: Name = ""


class Listing(Whose):
    cursor: Line = ""
    limit: LimitMost = 1000


class PokeShape(TypedDict):
    """`body` is what would have been typed, `created_at` a date as HTTP has it."""

    message_id: str
    sender: str
    body: str
    created_at: str


class PokeList(TypedDict):
    """`next_cursor` leads to the next page, where there is one."""

    pokes: list[PokeShape]
    next_cursor: NotRequired[str]


class Surfaced(TypedDict):
    status: str


def endpoints(pokes: Pokes) -> Sequence[AnyEndpoint]:
    handlers = _Handlers(pokes)
    return [
        Endpoint(
            method="GET",
            path="/api/inbox/pokes",
            summary="Messages that could not be typed, oldest first",
            tag="pokes",
            run=handlers.list,
            query=Listing,
            body=Nothing,
            replies={200: PokeList},
        ),
        Endpoint(
            method="POST",
            path="/api/inbox/pokes/{message_id}/ack",
            summary="The agent has looked at it",
            tag="pokes",
            run=handlers.surface,
            query=Whose,
            body=Nothing,
            replies={200: Surfaced},
        ),
    ]


class _Handlers:
    def __init__(self, pokes: Pokes) -> None:
        self._pokes = pokes

    async def list(self, request: Request[Listing, Nothing]) -> Reply:
        query = request.query
        page = await self._pokes.list(
            request.caller, query.project, query.agent, after=places.read(query.cursor), limit=query.limit
        )
        body = PokeList(pokes=[_shape(poke) for poke in page.items])
        if page.next:
            body["next_cursor"] = str(page.next)
        return Reply(body=body)

    async def surface(self, request: Request[Whose, Nothing]) -> Reply:
        query = request.query
        await self._pokes.surface(request.caller, query.project, query.agent, request.path["message_id"])
        return Reply(body=Surfaced(status="ok"))


def _shape(poke: Poke) -> PokeShape:
    return PokeShape(
        message_id=poke.message_id,
        sender=poke.sender,
        body=poke.text,
        created_at=format_datetime(poke.created_at.astimezone(UTC), usegmt=True),
    )
