"""Conversations over HTTP."""

from collections.abc import Sequence

from asyncpg.protocol import Record
from typing_extensions import TypedDict

from intermute import times
from intermute.agents.guards import Guards
from intermute.errors import InvalidRequest
from intermute.http.endpoint import AnyEndpoint, Endpoint, Given, Nothing, Reply, Request
from intermute.http.fields import Cursor, Id, Limit50, LimitMost, Name
from intermute.messages.threads import Threads

SHOWN = 200  #: bytes of a thread's last message
GONE = "1970-01-01T00:00:00Z"  #: readers of JSON want a time where a pruned message was the last


class ThreadsQuery(Given):
    agent: Id = ""
    project: Name = ""
    cursor: Cursor = 0
    limit: Limit50 = 50


class ThreadQuery(Given):
    project: Name = ""
    cursor: Cursor = 0
    limit: LimitMost = 1000


class ThreadJson(TypedDict):
    thread_id: str
    last_cursor: int
    message_count: int
    last_from: str
    last_body: str
    last_at: str


class ThreadsJson(TypedDict):
    threads: list[ThreadJson]
    cursor: int


ThreadMessageJson = TypedDict(
    "ThreadMessageJson",
    {
        "id": str,
        "thread_id": str,
        "project": str,
        "from": str,
        "to": list[str],
        "body": str,
        "created_at": str,
        "cursor": int,
    },
)


class ThreadMessagesJson(TypedDict):
    thread_id: str
    messages: list[ThreadMessageJson]
    cursor: int


class ThreadRoom:
    """What the paths of threads do."""

    def __init__(self, threads: Threads, guards: Guards) -> None:
        self._threads = threads
        self._guards = guards

    async def page(self, request: Request[ThreadsQuery, Nothing]) -> Reply:
        query, caller = request.query, request.caller
        if not query.agent.strip():
            raise InvalidRequest("Whose threads? The parameter agent is missing.", code="agent_required")
        await self._guards.check(caller, query.agent)
        rows = await self._threads.page(caller.within(query.project), query.agent, query.cursor, query.limit)
        cursor = rows[-1]["last_cursor"] if rows else query.cursor
        return Reply(body=ThreadsJson(threads=[_thread(row) for row in rows], cursor=cursor))

    async def messages(self, request: Request[ThreadQuery, Nothing]) -> Reply:
        query, thread_id = request.query, request.path["thread_id"]
        project = request.caller.within(query.project)
        rows = await self._threads.messages(project, thread_id, query.cursor, query.limit)
        cursor = rows[-1]["cursor"] if rows else query.cursor
        answer = ThreadMessagesJson(
            thread_id=thread_id, messages=[_message(row) for row in rows], cursor=cursor
        )
        return Reply(body=answer)


def _thread(row: Record) -> ThreadJson:
    # The last message may have been pruned while the thread goes on.
    at = row["created_at"]
    return {
        "thread_id": row["thread_id"],
        "last_cursor": row["last_cursor"],
        "message_count": row["message_count"],
        "last_from": row["sender"] or "",
        "last_body": (row["body"] or "").encode()[:SHOWN].decode(errors="ignore"),
        "last_at": times.seconds(at) if at else GONE,
    }


def _message(row: Record) -> ThreadMessageJson:
    return {
        "id": row["id"],
        "thread_id": row["thread_id"],
        "project": row["project"],
        "from": row["sender"],
        "to": row["recipients"],
        "body": row["body"],
        "created_at": times.precise(row["created_at"]),
        "cursor": row["cursor"],
    }


def endpoints(room: ThreadRoom) -> Sequence[AnyEndpoint]:
    return (
        Endpoint(
            method="GET",
            path="/api/threads",
            summary="Threads an agent takes part in, the one with the newest message first",
            tag="threads",
            run=room.page,
            query=ThreadsQuery,
            body=Nothing,
            replies={200: ThreadsJson},
        ),
        Endpoint(
            method="GET",
            path="/api/threads/{thread_id...}",
            summary="What was said in a thread behind a cursor",
            tag="threads",
            run=room.messages,
            query=ThreadQuery,
            body=Nothing,
            replies={200: ThreadMessagesJson},
        ),
    )
