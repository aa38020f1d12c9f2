"""The calls of the Go client that is bundled with the original, request by request."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from tests.intermute.conformance import decoding as d
from tests.intermute.conformance.go import ZERO_TIME, Program, encode, path_escape

AGENT = d.struct(
    agent_id=d.text,
    session_id=d.text,
    name=d.text,
    project=d.text,
    capabilities=d.many(d.text),
    metadata=d.texts_by_name,
    status=d.text,
    last_seen=d.text,
    created_at=d.text,
)
MESSAGE = d.struct(
    id=d.text,
    thread_id=d.text,
    project=d.text,
    from_=d.text,
    to=d.many(d.text),
    cc=d.many(d.text),
    bcc=d.many(d.text),
    subject=d.text,
    body=d.text,
    importance=d.text,
    ack_required=d.flag,
    created_at=d.text,
    cursor=d.cursor,
)
SENT = d.struct(message_id=d.text, cursor=d.cursor)
INBOX = d.struct(messages=d.many(MESSAGE), cursor=d.cursor)
COUNTS = d.struct(total=d.whole, unread=d.whole)
STALE = d.struct(
    id=d.text,
    thread_id=d.text,
    project=d.text,
    from_=d.text,
    to=d.many(d.text),
    subject=d.text,
    body=d.text,
    created_at=d.text,
    kind=d.text,
    read_at=d.text,
    age_seconds=d.whole,
)
STALES = d.struct(project=d.text, agent=d.text, ttl_seconds=d.whole, count=d.whole, messages=d.many(STALE))
THREAD = d.struct(
    thread_id=d.text,
    last_cursor=d.cursor,
    message_count=d.whole,
    last_from=d.text,
    last_body=d.text,
    last_at=d.text,
)
THREADS = d.struct(threads=d.many(THREAD), cursor=d.cursor)
SAID = d.struct(thread_id=d.text, messages=d.many(MESSAGE), cursor=d.cursor)
RESERVATION = d.struct(
    id=d.text,
    agent_id=d.text,
    project=d.text,
    path_pattern=d.text,
    exclusive=d.flag,
    reason=d.text,
    ttl_minutes=d.whole,
    created_at=d.text,
    expires_at=d.text,
    released_at=d.text,
    is_active=d.flag,
)
RESERVATIONS = d.struct(reservations=d.many(RESERVATION))
AGENTS = d.struct(agents=d.many(AGENT))
EVENT = d.struct(type=d.text, project=d.text, entity_id=d.text, data=d.anything, created_at=d.moment)

_AGED = {"version": d.whole, "created_at": d.moment, "updated_at": d.moment}
_NAMED = {"id": d.text, "project": d.text, "title": d.text, "status": d.text}
STEP = d.struct(order=d.whole, action=d.text, expected=d.text, alternatives=d.many(d.text))
#: path → shape of one, names that are sent even when they are empty, names of its times
KINDS: Mapping[str, tuple[d.Shape, Sequence[str], Sequence[str]]] = {
    "specs": (
        d.struct(**_NAMED, **_AGED, vision=d.text, users=d.text, problem=d.text),
        ("id", "project", "title", "status"),
        ("created_at", "updated_at"),
    ),
    "epics": (
        d.struct(**_NAMED, **_AGED, spec_id=d.text, description=d.text),
        ("id", "project", "title", "status"),
        ("created_at", "updated_at"),
    ),
    "stories": (
        d.struct(**_NAMED, **_AGED, epic_id=d.text, acceptance_criteria=d.many(d.text)),
        ("id", "project", "epic_id", "title", "status"),
        ("created_at", "updated_at"),
    ),
    "tasks": (
        d.struct(**_NAMED, **_AGED, story_id=d.text, agent=d.text, session_id=d.text),
        ("id", "project", "title", "status"),
        ("created_at", "updated_at"),
    ),
    "insights": (
        d.struct(
            id=d.text,
            project=d.text,
            spec_id=d.text,
            source=d.text,
            category=d.text,
            title=d.text,
            body=d.text,
            url=d.text,
            score=d.number,
            created_at=d.moment,
        ),
        ("id", "project", "source", "category", "title"),
        ("created_at",),
    ),
    "sessions": (
        d.struct(
            id=d.text,
            project=d.text,
            name=d.text,
            agent=d.text,
            task_id=d.text,
            status=d.text,
            started_at=d.moment,
            updated_at=d.moment,
        ),
        ("id", "project", "name", "agent", "status"),
        ("started_at", "updated_at"),
    ),
    "cujs": (
        d.struct(
            **_NAMED,
            **_AGED,
            spec_id=d.text,
            persona=d.text,
            priority=d.text,
            entry_point=d.text,
            exit_point=d.text,
            steps=d.many(STEP),
            success_criteria=d.many(d.text),
            error_recovery=d.many(d.text),
        ),
        ("id", "spec_id", "project", "title", "priority", "status"),
        ("created_at", "updated_at"),
    ),
}
LINK = d.struct(cuj_id=d.text, feature_id=d.text, project=d.text, linked_at=d.moment)


class Sdk:
    """It sends no header about its agent, ever, and takes no status but the one it expects."""

    def __init__(self, session: aiohttp.ClientSession, base: str, project: str, key: str = "") -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._go = Program(session, base, headers)
        self._project = project

    async def register(self, **agent: Any) -> Any:
        return await self._go.ok("POST", "/api/agents", {**agent, **self._own()}, 200, AGENT)

    async def heartbeat(self, agent: str) -> None:
        await self._go.ok("POST", f"/api/agents/{path_escape(agent)}/heartbeat", {}, 200, None)

    async def list_agents(self, capabilities: Sequence[str] = ()) -> Any:
        wanted = {"capability": ",".join(capabilities)} if capabilities else {}
        target = "/api/agents" + self._query(wanted)
        return (await self._go.ok("GET", target, None, 200, AGENTS))["agents"]

    async def send(self, sender: str, to: Sequence[str], body: str, **more: Any) -> Any:
        message = {**more, **self._own(), "from": sender, "to": to, "body": body}
        return await self._go.ok("POST", "/api/messages", message, 200, SENT)

    async def inbox_since(self, agent: str, cursor: int) -> Any:
        target = f"/api/inbox/{path_escape(agent)}" + self._query({"since_cursor": str(cursor)})
        return await self._go.ok("GET", target, None, 200, INBOX)

    async def counts(self, agent: str) -> Any:
        target = f"/api/inbox/{path_escape(agent)}/counts" + self._query({})
        return await self._go.ok("GET", target, None, 200, COUNTS)

    async def stale_acks(self, agent: str, **query: str) -> Any:
        target = f"/api/inbox/{path_escape(agent)}/stale-acks" + self._query(query)
        return await self._go.ok("GET", target, None, 200, STALES)

    async def mark(self, message: str, action: str) -> None:
        target = f"/api/messages/{path_escape(message)}/{action}" + self._query({})
        await self._go.ok("POST", target, {}, 200, None)

    async def threads(self, agent: str, cursor: int) -> Any:
        target = "/api/threads" + self._query({"agent": agent, "cursor": str(cursor)})
        return await self._go.ok("GET", target, None, 200, THREADS)

    async def thread(self, thread: str, cursor: int) -> Any:
        target = f"/api/threads/{path_escape(thread)}" + self._query({"cursor": str(cursor)})
        return await self._go.ok("GET", target, None, 200, SAID)

    async def reserve(self, agent: str, pattern: str, exclusive: bool, **more: Any) -> Any:
        """The id is always there, and empty: that is how a 200 is asked for."""
        wish = {"id": "", "agent_id": agent, "project": self._project, "path_pattern": pattern}
        body = {**wish, "exclusive": exclusive, **more}
        return await self._go.ok("POST", "/api/reservations", body, 200, RESERVATION)

    async def release(self, reservation: str) -> None:
        await self._go.ok("DELETE", f"/api/reservations/{path_escape(reservation)}", None, 200, None)

    async def active_reservations(self) -> Any:
        target = "/api/reservations?" + encode({"project": self._project})
        return (await self._go.ok("GET", target, None, 200, RESERVATIONS))["reservations"]

    async def agent_reservations(self, agent: str) -> Any:
        target = "/api/reservations?" + encode({"agent": agent})
        return (await self._go.ok("GET", target, None, 200, RESERVATIONS))["reservations"]

    async def create(self, plural: str, **entity: Any) -> Any:
        shape = KINDS[plural][0]
        return await self._go.ok("POST", f"/api/{plural}", self._entity(plural, entity), 201, shape)

    async def get(self, plural: str, entity: str) -> Any:
        target = f"/api/{plural}/{path_escape(entity)}" + self._query({})
        return await self._go.ok("GET", target, None, 200, KINDS[plural][0])

    async def list(self, plural: str, **where: str) -> Any:
        target = f"/api/{plural}" + self._query(where)
        return await self._go.ok("GET", target, None, 200, d.many(KINDS[plural][0]))

    async def update(self, plural: str, **entity: Any) -> Any:
        target = f"/api/{plural}/{path_escape(entity['id'])}"
        return await self._go.ok("PUT", target, self._entity(plural, entity), 200, KINDS[plural][0])

    async def delete(self, plural: str, entity: str) -> None:
        target = f"/api/{plural}/{path_escape(entity)}" + self._query({})
        await self._go.ok("DELETE", target, None, 204, None)

    async def act(self, plural: str, entity: str, action: str, **body: str) -> Any:
        """assign, link and unlink."""
        target = f"/api/{plural}/{path_escape(entity)}/{action}" + self._query({})
        shape = KINDS[plural][0] if action == "assign" else None
        return await self._go.ok("POST", target, body, 200, shape)

    async def links(self, journey: str) -> Any:
        target = f"/api/cujs/{path_escape(journey)}/links" + self._query({})
        return await self._go.ok("GET", target, None, 200, d.many(LINK))

    def _own(self) -> dict[str, str]:
        return {"project": self._project} if self._project else {}

    def _query(self, values: Mapping[str, str]) -> str:
        all_ = {**values, **self._own()}
        return f"?{encode(all_)}" if all_ else ""

    def _entity(self, plural: str, entity: Mapping[str, Any]) -> dict[str, Any]:
        _, always, times = KINDS[plural]
        score = {"score": 0} if plural == "insights" else {}
        sent = {**dict.fromkeys(always, ""), **score, **dict.fromkeys(times, ZERO_TIME)}
        return {**sent, **entity, "project": entity.get("project") or self._project}
