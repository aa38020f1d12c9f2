"""WebSockets: what is for one agent and its project, or what happens in a project, as it happens."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Annotated

import structlog
from aiohttp import WSMsgType, web
from pydantic import BeforeValidator, Field, StringConstraints

from intermute.caller import Caller, Mode
from intermute.errors import InvalidRequest, NotAllowed, StorageDown
from intermute.events.feed import Feed
from intermute.events.interest import Interest, NotUnderstood, TooMany, types_of, wish
from intermute.events.listener import SocketListener
from intermute.http import reading
from intermute.http.endpoint import Given, Socket
from intermute.http.fields import LARGEST_CURSOR, Name
from intermute.http.seats import Seat, Seats, Why
from intermute.http.speaking import Speaking
from intermute.limits import MAX_FRAME
from storage.clock import Clock
from storage.errors import DatabaseUnavailable

log = structlog.get_logger()

HEARTBEAT = 30.0  #: seconds between pings; half of it for the answer
PATIENCE = 30.0  #: seconds a listener may take nothing of what it missed
GOODBYE = 2.0  #: seconds for the other side to close; less than a service that ends has for its requests
ALIVE = 60.0  #: seconds between signs of life of agents whose connections stand


@dataclass(frozen=True, slots=True)
class Ending:
    """Why we close."""

    code: int
    words: str = ""


LEFT = Ending(1000)
GOING = Ending(1001, "the service ends; reconnect with your cursor")
NOT_TEXT = Ending(1003, "only text is understood here")
NOT_JSON = Ending(1007, "only JSON is understood here")
TOO_MANY = Ending(1008, "too many types of events")
REVOKED = Ending(1008, "the keys have changed; reconnect with a key and your cursor")
FAILED = Ending(1011, "the service failed; its log says why")
SLOW = Ending(1013, "too slow; reconnect with your cursor")
UNREADABLE = Ending(1013, "the log cannot be read now; reconnect with your cursor")

_SENT = {Why.ENDING: GOING, Why.REVOKED: REVOKED}

#: a cursor that cannot be read is refused: to begin with everything would be a surprise here
_Place = Annotated[
    Annotated[int, Field(ge=0, le=LARGEST_CURSOR)] | None, BeforeValidator(lambda value: value or None)
]


class SocketQuery(Given):
    project: Name = ""
    since_cursor: _Place = None  #: begin behind it; without it with the present
    cursor: _Place = None  #: the same
    types: Annotated[str, StringConstraints(max_length=4000)] = ""  #: separated by commas; empty: all


class Sockets:
    """`run` is a loop of the service; `seats.shut()` ends all connections."""

    def __init__(
        self, feed: Feed, speaking: Speaking, seats: Seats, clock: Clock, *, heartbeat: float = HEARTBEAT
    ) -> None:
        self._feed = feed
        self._speaking = speaking
        self._seats = seats
        self._clock = clock
        self._heartbeat = heartbeat

    def table(self) -> Sequence[Socket]:
        of_agent = "What is for one agent and for everybody in the project, as it happens."
        of_project = "What happens in a project, as it happens."
        return (
            Socket(path="/ws/agents/{agent...}", summary=of_agent, query=SocketQuery, run=self.serve),
            Socket(path="/ws/events", summary=of_project, query=SocketQuery, run=self.serve),
        )

    async def run(self) -> None:
        """An agent whose connection answers our pings is alive."""
        while True:
            await self._clock.sleep(ALIVE)
            for agent, caller in self._seats.agents():
                self._speaking.touch(agent, caller)

    async def serve(
        self, request: web.BaseRequest, caller: Caller, path: Mapping[str, str]
    ) -> web.StreamResponse:
        """Until either side closes. Raises IntermuteError instead of letting somebody in."""
        agent = await self._agent(caller, path)
        query = reading.query(request, SocketQuery)
        project, interest = caller.only(query.project), _interest(query)
        since = query.cursor if query.since_cursor is None else query.since_cursor
        _refuse_pages(request, caller)
        socket = web.WebSocketResponse(
            heartbeat=self._heartbeat, compress=False, max_msg_size=MAX_FRAME + 1, timeout=GOODBYE
        )
        present = await self._feed.present()
        # Who came without a cursor goes on from here when the connection breaks before the first event.
        socket.headers["X-Cursor"] = str(present)
        if not socket.can_prepare(request):
            raise InvalidRequest("This path is for WebSockets.", code="not_a_websocket")
        with self._seats.take(agent, caller) as seat:
            await socket.prepare(request)
            transport = request.transport
            if transport is None:
                return socket
            listener = SocketListener(
                transport, project=project, agent=agent, interest=interest, lost=seat.close
            )
            ending = await self._attend(socket, listener, seat, present if since is None else since)
            await _part(socket, transport, ending)
        return socket

    async def _agent(self, caller: Caller, path: Mapping[str, str]) -> str:
        if "agent" not in path:
            return ""
        agent = path["agent"].strip("/")
        if not agent or len(agent) > 200:
            raise InvalidRequest("The path must name the agent.")
        if caller.agent and caller.agent != agent:
            raise NotAllowed("X-Agent-ID names another agent than the path.", code="agent_mismatch")
        try:
            await self._speaking.check(caller, agent)
        except DatabaseUnavailable as error:
            raise StorageDown("The database does not answer just now.") from error
        self._speaking.touch(agent, caller)
        return agent

    async def _attend(
        self, socket: web.WebSocketResponse, listener: SocketListener, seat: Seat, since: int
    ) -> Ending:
        try:
            async with asyncio.timeout(None) as stay:
                loop = asyncio.get_running_loop()
                seat.leave = lambda: stay.reschedule(loop.time())
                try:
                    if seat.why is not None:
                        return _SENT[seat.why]
                    return await self._talk(socket, listener, seat, since)
                finally:
                    seat.leave = None
        except TimeoutError:
            return SLOW if seat.why is None else _SENT[seat.why]
        except DatabaseUnavailable as error:
            log.warning("socket.log_unreadable", reason=str(error))
            return UNREADABLE
        except ConnectionError:
            return LEFT
        except Exception:  # what was a socket cannot be answered over HTTP any more
            log.exception("socket.failed")
            return FAILED
        finally:
            self._feed.hub.leave(listener)

    async def _talk(
        self, socket: web.WebSocketResponse, listener: SocketListener, seat: Seat, since: int
    ) -> Ending:
        async with aclosing(self._feed.missed(listener, since)) as missed:
            async for frame in missed:
                async with asyncio.timeout(PATIENCE):
                    await socket.send_frame(frame.text(listener.agent), WSMsgType.TEXT)
        async for message in socket:
            if message.type is WSMsgType.ERROR:
                return LEFT
            if message.type is not WSMsgType.TEXT:
                return NOT_TEXT
            self._speaking.touch(listener.agent, seat.caller)
            try:
                if (wished := wish(message.data)) is not None:
                    listener.interest.heed(wished)
            except NotUnderstood:
                return NOT_JSON
            except TooMany:
                return TOO_MANY
        return LEFT


async def _part(socket: web.WebSocketResponse, transport: asyncio.Transport, ending: Ending) -> None:
    """Say why, and wait a moment for the other side; what cannot be sent by then is dropped."""
    try:
        async with asyncio.timeout(GOODBYE):
            await socket.close(code=ending.code, message=ending.words.encode())
    except (TimeoutError, ConnectionError):
        pass
    finally:
        if transport.get_write_buffer_size():
            transport.abort()


def _refuse_pages(request: web.BaseRequest, caller: Caller) -> None:
    """A page may open a socket to any server, so its origin must be this one."""
    origin = request.headers.get("Origin")
    if origin is None or caller.mode is Mode.HOST:
        return
    if origin.lower().partition("://")[2] != request.headers.get("Host", "").lower():
        raise NotAllowed("Web pages of other sites may not listen here.", code="web_page_refused")


def _interest(query: SocketQuery) -> Interest:
    try:
        return Interest(types_of(query.types))
    except TooMany as error:
        raise InvalidRequest(str(error), details={"field": "types"}) from error
