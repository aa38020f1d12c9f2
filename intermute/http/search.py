"""The search over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from intermute.agents.guards import Guards
from intermute.http import mail
from intermute.http.endpoint import AnyEndpoint, Endpoint, Given, Nothing, Reply, Request
from intermute.http.fields import Cursor, Id, Limit20, Line, Name
from intermute.messages.search import Search


class SearchQuery(Given):
    q: Annotated[Line, Field(description='words, "exact words", or, -not')] = ""
    project: Name = ""
    agent: Annotated[Id, Field(description="only what this agent sent or got")] = ""
    cursor: Annotated[Cursor, Field(description="only messages before this one; 0: from the newest")] = 0
    limit: Limit20 = 20


class SearchRoom:
    """What the path of the search does."""

    def __init__(self, search: Search, guards: Guards) -> None:
        self._search = search
        self._guards = guards

    async def search(self, request: Request[SearchQuery, Nothing]) -> Reply:
        query, caller = request.query, request.caller
        project = caller.only(query.project)
        await self._guards.check(caller, caller.agent)
        # Its blind copies are found as well, and those are its own business.
        await self._guards.check(caller, query.agent)
        rows = await self._search.page(project, query.q, query.cursor, query.limit, agent=query.agent)
        return Reply(body=mail.page(rows, caller.agent, query.cursor))


def endpoints(room: SearchRoom) -> Sequence[AnyEndpoint]:
    return (
        Endpoint(
            method="GET",
            path="/api/messages/search",
            summary="Find messages by their words, the newest first",
            tag="messages",
            run=room.search,
            query=SearchQuery,
            body=Nothing,
            replies={200: mail.PageJson},
            deadline=10.0,
        ),
    )
