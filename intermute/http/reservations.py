"""`/api/reservations`: who holds which paths."""

from collections.abc import Sequence

from intermute.agents.guards import Guards
from intermute.caller import Caller
from intermute.errors import InvalidRequest
from intermute.http import holdings
from intermute.http.endpoint import AnyEndpoint, Endpoint, Nothing, Reply, Request
from intermute.http.holdings import Checked, Fence, Held, HeldPage, HeldTogether, InLineBehind
from intermute.http.reserving import Checking, Fencing, Listing, Renewing, Reserving, Transferring
from intermute.http.waiting import WaitingRoom
from intermute.reservations.ledger import missing
from intermute.reservations.reservation import Reservation
from intermute.reservations.reservations import Reservations, Waiting

TAG = "reservations"
PATH = "/api/reservations"


class ReservationRoom:
    """What the endpoints do: who may, then the reservations, then JSON."""

    def __init__(self, reservations: Reservations, guards: Guards) -> None:
        self._reservations = reservations
        self._guards = guards
        self._clock = reservations.clock
        self._limits = reservations.limits
        self.waiting = WaitingRoom(reservations, guards)

    async def reserve(self, request: Request[Nothing, Reserving]) -> Reply:
        wanted = request.body.wanted(request.caller.only(request.body.project), self._limits)
        await self._guards.check(request.caller, wanted.agent)
        self._guards.touch(wanted.agent, request.caller)
        answer = await self._reservations.reserve(wanted)
        now = self._clock.now()
        if isinstance(answer, Waiting):
            behind = holdings.in_the_way(answer.obstacles, now)
            return Reply(status=202, body=InLineBehind(**holdings.in_line(answer.place), conflicts=behind))
        # The original's client demands 200 and always sends an id, be it empty; everybody else knows 201.
        status = 200 if "id" in request.body.model_fields_set else 201
        return Reply(status=status, body=holdings.together(answer.reservations, now))

    async def list(self, request: Request[Listing, Nothing]) -> Reply:
        given = request.query
        if given.agent:
            project = request.caller.only(given.project) if request.caller.bound else None
            page = await self._reservations.of_agent(
                given.agent, project, before=given.cursor, limit=given.limit
            )
        else:
            project = request.caller.only(given.project)
            if not project:
                raise InvalidRequest("Name a project or an agent.", code="project_or_agent_required")
            page = await self._reservations.active(project, before=given.cursor, limit=given.limit)
        now = self._clock.now()
        shown = [holdings.held(one, now) for one in page.reservations]
        cursor = shown[-1]["token"] if shown else given.cursor
        return Reply(body=HeldPage(reservations=shown, cursor=cursor, more=page.more))

    async def check(self, request: Request[Checking, Nothing]) -> Reply:
        given = request.query
        project = request.caller.only(given.project)
        if not project or not given.pattern:
            raise InvalidRequest("Name a project and a pattern.", code="project_and_pattern_required")
        found = await self._reservations.check(
            project,
            (given.pattern,),
            exclusive=given.exclusive != "false",
            agent=given.agent or request.caller.agent,
        )
        conflicts = holdings.in_the_way(found, self._clock.now())
        return Reply(body=Checked(conflicts=conflicts or None, more=found.more))

    async def fence(self, request: Request[Fencing, Nothing]) -> Reply:
        given = request.query
        verdict = await self._reservations.fence(request.caller.only(given.project), given.path, given.token)
        return Reply(body=holdings.fence(verdict, given.token, self._clock.now()))

    async def get(self, request: Request[Nothing, Nothing]) -> Reply:
        found = await self._seen(request.caller, request.path["id"])
        return Reply(body=holdings.held(found, self._clock.now()))

    async def release(self, request: Request[Nothing, Nothing]) -> Reply:
        found = await self._mine(request.caller, request.path["id"])
        await self._reservations.release(found.id, agent=request.caller.agent)
        return Reply()

    async def renew(self, request: Request[Nothing, Renewing]) -> Reply:
        found = await self._mine(request.caller, request.path["id"])
        renewed = await self._reservations.renew(
            found.id, request.body.ttl_minutes, agent=request.caller.agent
        )
        return Reply(body=holdings.held(renewed, self._clock.now()))

    async def transfer(self, request: Request[Nothing, Transferring]) -> Reply:
        found = await self._mine(request.caller, request.path["id"])
        to = request.body.agent_id or request.body.agent
        # Nobody fills the few places of somebody who cannot be asked.
        await self._guards.check(request.caller, to)
        handed = await self._reservations.transfer(found.id, to, agent=request.caller.agent)
        return Reply(body=holdings.held(handed, self._clock.now()))

    async def _seen(self, caller: Caller, reservation_id: str) -> Reservation:
        """A reservation the caller may know of."""
        found = await self._reservations.get(reservation_id)
        if caller.bound and found.project != caller.project:
            raise missing()
        return found

    async def _mine(self, caller: Caller, reservation_id: str) -> Reservation:
        """A reservation the caller may act on: as its holder or, like the original's client, as nobody in
        particular; who holds by a guarded id proves it."""
        found = await self._seen(caller, reservation_id)
        await self._guards.check(caller, found.agent)
        self._guards.touch(caller.agent, caller)
        return found


def endpoints(room: ReservationRoom) -> Sequence[AnyEndpoint]:
    one = f"{PATH}/{{id}}"
    return (
        Endpoint(
            method="POST",
            path=PATH,
            summary="Reserve paths: all of the patterns or none",
            tag=TAG,
            run=room.reserve,
            query=Nothing,
            body=Reserving,
            replies={201: HeldTogether, 200: HeldTogether, 202: InLineBehind},
            errors=(409,),
        ),
        Endpoint(
            method="GET",
            path=PATH,
            summary="What is held in a project, or was ever held by an agent",
            tag=TAG,
            run=room.list,
            query=Listing,
            body=Nothing,
            replies={200: HeldPage},
        ),
        Endpoint(
            method="GET",
            path=f"{PATH}/check",
            summary="What would be in the way of a reservation",
            tag=TAG,
            run=room.check,
            query=Checking,
            body=Nothing,
            replies={200: Checked},
        ),
        Endpoint(
            method="GET",
            path=f"{PATH}/fence",
            summary="Whether a fencing token still allows to write to a path",
            tag=TAG,
            run=room.fence,
            query=Fencing,
            body=Nothing,
            replies={200: Fence},
        ),
        *room.waiting.endpoints(),
        Endpoint(
            method="GET",
            path=one,
            summary="A reservation",
            tag=TAG,
            run=room.get,
            query=Nothing,
            body=Nothing,
            replies={200: Held},
            errors=(404,),
        ),
        Endpoint(
            method="DELETE",
            path=one,
            summary="Give a reservation back",
            tag=TAG,
            run=room.release,
            query=Nothing,
            body=Nothing,
            replies={200: None},
            errors=(404,),
        ),
        Endpoint(
            method="POST",
            path=f"{one}/renew",
            summary="Keep a reservation longer",
            tag=TAG,
            run=room.renew,
            query=Nothing,
            body=Renewing,
            replies={200: Held},
            errors=(404, 409),
            body_optional=True,
        ),
        Endpoint(
            method="POST",
            path=f"{one}/transfer",
            summary="Hand a reservation to another agent",
            tag=TAG,
            run=room.transfer,
            query=Nothing,
            body=Transferring,
            replies={200: Held},
            errors=(404, 409),
        ),
    )
