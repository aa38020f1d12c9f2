"""`/api/reservations/waiting`: who stands in line for paths that are held."""

from collections.abc import Sequence

from intermute.agents.guards import Guards
from intermute.caller import Caller
from intermute.errors import InvalidRequest, NotFound
from intermute.http import holdings
from intermute.http.endpoint import AnyEndpoint, Endpoint, Nothing, Reply, Request
from intermute.http.holdings import InLine, Line
from intermute.http.reserving import Lining
from intermute.reservations.line import Place
from intermute.reservations.reservations import Reservations

TAG = "reservations"
PATH = "/api/reservations/waiting"


class WaitingRoom:
    def __init__(self, reservations: Reservations, guards: Guards) -> None:
        self._reservations = reservations
        self._guards = guards

    async def list(self, request: Request[Lining, Nothing]) -> Reply:
        project = request.caller.only(request.query.project)
        if not project:
            raise InvalidRequest("Name a project.", code="project_required")
        query = request.query
        line = await self._reservations.line(project, query.agent, after=query.cursor, limit=query.limit + 1)
        shown = line[: query.limit]
        cursor = shown[-1].waiter.number if shown else query.cursor
        places = [holdings.in_line(place) for place in shown]
        return Reply(body=Line(waiting=places, cursor=cursor, more=len(line) > len(shown)))

    async def get(self, request: Request[Nothing, Nothing]) -> Reply:
        return Reply(body=holdings.in_line(await self._seen(request.caller, request.path["id"])))

    async def leave(self, request: Request[Nothing, Nothing]) -> Reply:
        found = await self._seen(request.caller, request.path["id"])
        await self._guards.check(request.caller, found.waiter.claim.agent)
        await self._reservations.leave(found.waiter.claim.id, agent=request.caller.agent)
        return Reply()

    def endpoints(self) -> Sequence[AnyEndpoint]:
        return (
            Endpoint(
                method="GET",
                path=PATH,
                summary="Who waits in a project, the first first",
                tag=TAG,
                run=self.list,
                query=Lining,
                body=Nothing,
                replies={200: Line},
            ),
            Endpoint(
                method="GET",
                path=f"{PATH}/{{id}}",
                summary="A place in line",
                tag=TAG,
                run=self.get,
                query=Nothing,
                body=Nothing,
                replies={200: InLine},
                errors=(404,),
            ),
            Endpoint(
                method="DELETE",
                path=f"{PATH}/{{id}}",
                summary="Give up a place in line",
                tag=TAG,
                run=self.leave,
                query=Nothing,
                body=Nothing,
                replies={200: None},
                errors=(404,),
            ),
        )

    async def _seen(self, caller: Caller, waiting_id: str) -> Place:
        place = await self._reservations.place(waiting_id)
        if caller.bound and place.waiter.claim.project != caller.project:
            raise NotFound("Nobody waits by this id (any more).", code="waiting_not_found")
        return place
