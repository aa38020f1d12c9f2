"""Reading over HTTP: inboxes and topics, page by page."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Any, NotRequired

from asyncpg.protocol import Record
from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from intermute import times
from intermute.agents.guards import Guards
from intermute.http import mail
from intermute.http.endpoint import AnyEndpoint, Endpoint, Given, Nothing, Reply, Request
from intermute.http.fields import LENIENT, Cursor, Limit, Limit20, Name
from intermute.messages.inbox import Inbox

STALE = 1800  #: seconds
LONGEST = 10 * 365 * 24 * 3600  #: seconds


def _seconds(value: Any) -> int:
    """What cannot be read is the default, as in the original."""
    try:
        number = int(str(value))
    except ValueError:
        return STALE
    return min(number, LONGEST) if number >= 0 else STALE


class PageQuery(Given):
    project: Name = ""
    since_cursor: Cursor = 0
    cursor: Annotated[Cursor, Field(description="the same as since_cursor")] = 0
    limit: Limit = 100

    @property
    def since(self) -> int:
        return self.since_cursor or self.cursor


class CountsQuery(Given):
    project: Name = ""


class StaleQuery(Given):
    project: Name = ""
    ttl_seconds: Annotated[int, BeforeValidator(_seconds), LENIENT] = STALE
    cursor: Annotated[Cursor, Field(description="the next_cursor of the page before")] = 0
    limit: Limit20 = 20


class CountsJson(TypedDict):
    total: int
    unread: int


StaleMessageJson = TypedDict(
    "StaleMessageJson",
    {
        "id": str,
        "thread_id": str,
        "project": str,
        "from": str,
        "to": list[str],
        "subject": NotRequired[str],
        "body": str,
        "created_at": str,
        "kind": str,
        "read_at": str | None,
        "age_seconds": int,
    },
)


class StaleJson(TypedDict):
    """`next_cursor` leads on from the last of the messages; behind it there may be none."""

    project: str
    agent: str
    ttl_seconds: int
    count: int
    messages: list[StaleMessageJson]
    next_cursor: NotRequired[str]


class InboxRoom:
    """What the paths of inboxes and topics do."""

    def __init__(self, inbox: Inbox, guards: Guards) -> None:
        self._inbox = inbox
        self._guards = guards

    async def page(self, request: Request[PageQuery, Nothing]) -> Reply:
        query, agent = request.query, request.path["agent"]
        await self._guards.check(request.caller, agent)
        self._guards.touch(agent, request.caller)
        project = request.caller.within(query.project)
        if project or request.caller.bound:
            rows = await self._inbox.page(project, agent, query.since, query.limit)
        else:
            rows = await self._inbox.page_of_all(agent, query.since, query.limit)
        return Reply(body=mail.page(rows, agent, query.since))

    async def counts(self, request: Request[CountsQuery, Nothing]) -> Reply:
        agent = request.path["agent"]
        await self._guards.check(request.caller, agent)
        counts = await self._inbox.counts(request.caller.within(request.query.project), agent)
        return Reply(body=CountsJson(total=counts.total, unread=counts.unread))

    async def stale(self, request: Request[StaleQuery, Nothing]) -> Reply:
        query, agent = request.query, request.path["agent"]
        await self._guards.check(request.caller, agent)
        project = request.caller.within(query.project)
        ttl = timedelta(seconds=query.ttl_seconds)
        rows = await self._inbox.stale(project, agent, ttl, query.limit, since=query.cursor)
        answer = StaleJson(
            project=project,
            agent=agent,
            ttl_seconds=query.ttl_seconds,
            count=len(rows),
            messages=[_stale(row, age) for row, age in rows],
        )
        if rows:
            answer["next_cursor"] = str(rows[-1][0]["cursor"])
        return Reply(body=answer)

    async def topic(self, request: Request[PageQuery, Nothing]) -> Reply:
        query, caller = request.query, request.caller
        project = caller.only(request.path["project"].strip())
        await self._guards.check(caller, caller.agent)
        topic = request.path["topic"].strip().lower()
        rows = await self._inbox.topic(project, topic, query.since, query.limit)
        return Reply(body=mail.page(rows, caller.agent, query.since))


def _stale(row: Record, age: int) -> StaleMessageJson:
    shown: StaleMessageJson = {
        "id": row["id"],
        "thread_id": row["thread_id"],
        "project": row["project"],
        "from": row["sender"],
        "to": row["recipients"],
        "body": row["body"],
        "created_at": times.precise(row["created_at"]),
        "kind": row["kind"],
        "read_at": times.precise(row["read_at"]) if row["read_at"] else None,
        "age_seconds": age,
    }
    if row["subject"]:
        shown["subject"] = row["subject"]
    return shown


def endpoints(room: InboxRoom) -> Sequence[AnyEndpoint]:
    return (
        Endpoint(
            method="GET",
            path="/api/inbox/{agent}",
            summary="What came to an agent behind a cursor; a local caller who names no project gets all",
            tag="inbox",
            run=room.page,
            query=PageQuery,
            body=Nothing,
            replies={200: mail.PageJson},
        ),
        Endpoint(
            method="GET",
            path="/api/inbox/{agent}/counts",
            summary="How many messages came to an agent, and how many it has not read",
            tag="inbox",
            run=room.counts,
            query=CountsQuery,
            body=Nothing,
            replies={200: CountsJson},
        ),
        Endpoint(
            method="GET",
            path="/api/inbox/{agent}/stale-acks",
            summary="What an agent was asked to acknowledge and has not for some time, oldest first",
            tag="inbox",
            run=room.stale,
            query=StaleQuery,
            body=Nothing,
            replies={200: StaleJson},
        ),
        Endpoint(
            method="GET",
            path="/api/topics/{project}/{topic...}",
            summary="What was said on a topic behind a cursor",
            tag="inbox",
            run=room.topic,
            query=PageQuery,
            body=Nothing,
            replies={200: mail.PageJson},
        ),
    )
