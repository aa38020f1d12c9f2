"""`GET /api/events`: the log of a project by pages, or as a stream of server-sent events."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Annotated, Any

import structlog
from pydantic import ConfigDict, StringConstraints
from typing_extensions import TypedDict

from intermute.caller import Caller
from intermute.errors import InvalidRequest, Unavailable
from intermute.events.feed import Feed
from intermute.events.interest import Interest, TooMany, types_of
from intermute.events.listener import StreamListener
from intermute.http.endpoint import AnyEndpoint, Endpoint, Flow, Given, Nothing, Reply, Request
from intermute.http.fields import LARGEST_CURSOR, Cursor, Id, Limit, Name
from intermute.http.seats import Seats
from intermute.http.speaking import Speaking
from storage.errors import DatabaseUnavailable

log = structlog.get_logger()

MEDIA = "text/event-stream"
KEEP_ALIVE = 15.0  #: seconds after which a silent stream says that it is there
STRETCHES = 20  #: of the log that one page looks at; what lies behind is the next page's


class EventsQuery(Given):
    project: Name = ""
    since: Cursor | None = None  #: a page begins behind it; a stream without it begins with the present
    limit: Limit = 100
    types: Annotated[str, StringConstraints(max_length=4000)] = ""  #: separated by commas; empty: all
    agent: Id = ""  #: only what this agent may hear; empty: everything in the project


class EventFrame(TypedDict):
    """One event; further members by its type."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    type: str
    project: str
    cursor: int
    created_at: str


class EventsPage(TypedDict):
    events: list[EventFrame]
    next_cursor: str
    cursor: int
    more: bool
    #: the oldest event that is still in the log (of any project); 0: there is none
    oldest: int


class Events:
    def __init__(
        self, feed: Feed, speaking: Speaking, seats: Seats, *, keep_alive: float = KEEP_ALIVE
    ) -> None:
        self._feed = feed
        self._speaking = speaking
        self._seats = seats
        self._keep_alive = keep_alive

    def table(self) -> Sequence[AnyEndpoint]:
        return (
            Endpoint(
                method="GET",
                path="/api/events",
                summary=f"The events of a project; as a stream where {MEDIA} is accepted.",
                tag="events",
                run=self._get,
                query=EventsQuery,
                body=Nothing,
                replies={200: EventsPage},
                stream=MEDIA,
            ),
        )

    async def _get(self, request: Request[EventsQuery, Nothing]) -> Reply:
        query = request.query
        project = request.caller.only(query.project)
        if query.agent:
            await self._speaking.check(request.caller, query.agent)
            self._speaking.touch(query.agent, request.caller)
        try:
            interest = Interest(types_of(query.types))
        except TooMany as error:
            raise InvalidRequest(str(error), details={"field": "types"}) from error
        if MEDIA in request.headers.get("Accept", "").lower():
            self._seats.refuse_if_full()
            listener = StreamListener(project=project, agent=query.agent, interest=interest)
            since = _since(request)
            since = await self._feed.present() if since is None else since
            return Reply(body=Flow(chunks=self._stream(listener, request.caller, since), media=MEDIA))
        return Reply(body=await self._page(project, query, interest))

    async def _page(self, project: str, query: EventsQuery, interest: Interest) -> Mapping[str, Any]:
        frames: list[Mapping[str, Any]] = []
        through, more = query.since or 0, True
        for _ in range(STRETCHES):
            stretch = await self._feed.history.stretch(
                project,
                after=through,
                agent=query.agent,
                types=interest.only,
                limit=query.limit - len(frames),
            )
            frames += [event.frame(query.agent) for event in stretch.events]
            through, more = stretch.through, stretch.more
            if not more or len(frames) >= query.limit:
                break
        return {
            "events": frames,
            "next_cursor": str(through),
            "cursor": through,
            "more": more,
            "oldest": await self._feed.history.oldest(),
        }

    async def _stream(
        self, listener: StreamListener, caller: Caller, since: int
    ) -> AsyncGenerator[bytes, None]:
        """What was missed and what happens. It ends where the client must come back with its last id."""
        try:
            with self._seats.take(listener.agent, caller) as seat:
                seat.leave = listener.let_go
                yield b"retry: 1000\n\n"
                async with aclosing(self._feed.missed(listener, since)) as missed:
                    async for frame in missed:
                        yield listener.form(frame)
                while (pieces := await self._next(listener)) is not None:
                    yield pieces
        except Unavailable:
            return
        except DatabaseUnavailable as error:
            log.warning("stream.log_unreadable", reason=str(error))
        except Exception:  # the head of the answer is gone; all that is left is to end
            log.exception("stream.failed")
        finally:
            self._feed.hub.leave(listener)

    async def _next(self, listener: StreamListener) -> bytes | None:
        try:
            async with asyncio.timeout(self._keep_alive):
                return await listener.fetch()
        except TimeoutError:
            return b": still here\n\n"


def _since(request: Request[EventsQuery, Nothing]) -> int | None:
    """A stream that is taken up again goes on behind the last event it has had."""
    last = request.headers.get("Last-Event-ID", "").strip()
    if last.isascii() and last.isdecimal() and len(last) <= 19:
        return min(int(last), LARGEST_CURSOR)
    return request.query.since
