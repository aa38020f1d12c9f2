"""The calls of interlock, the other Go program that uses the service."""

from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp

from tests.intermute.conformance import decoding as d
from tests.intermute.conformance.go import Program, encode, path_escape

RESERVATION = d.struct(
    id=d.text,
    agent_id=d.text,
    project=d.text,
    path_pattern=d.text,
    exclusive=d.flag,
    reason=d.text,
    expires_at=d.text,
    is_active=d.flag,
)
CONFLICT = d.struct(
    reservation_id=d.text,
    agent_id=d.text,
    held_by=d.text,
    pattern=d.text,
    reason=d.text,
    expires_at=d.text,
)
AGENT = d.struct(agent_id=d.text, name=d.text, project=d.text, status=d.text)
MESSAGE = d.struct(
    id=d.text,
    message_id=d.text,
    from_=d.text,
    to=d.many(d.text),
    body=d.text,
    thread_id=d.text,
    subject=d.text,
    importance=d.text,
    ack_required=d.flag,
    timestamp=d.text,
    created_at=d.text,
    read=d.flag,
)
CONFLICTS = d.struct(error=d.text, conflicts=d.many(CONFLICT))
#: what it makes of every refusal but a conflict
REFUSAL = d.struct(code=d.whole, error=d.text, retry_after=d.whole)


class Refused(AssertionError):
    """Any status from 400 on."""

    def __init__(self, status: int, found: Mapping[str, Any]) -> None:
        super().__init__(f"{status} {found}")
        self.status = status
        self.found = found


class Interlock:
    """It says with every request which agent it speaks for."""

    def __init__(
        self, session: aiohttp.ClientSession, base: str, project: str, agent: str, name: str
    ) -> None:
        self._go = Program(session, base, {"X-Agent-ID": agent} if agent else {})
        self._project = project
        self.agent = agent
        self._name = name

    async def register(self) -> Any:
        body = {"id": self.agent, "name": self._name, "project": self._project}
        return await self._do("POST", "/api/agents", body, AGENT)

    async def list_agents(self) -> Any:
        target = "/api/agents?" + encode({"project": self._project})
        return (await self._do("GET", target, None, d.struct(agents=d.many(AGENT))))["agents"]

    async def reserve(self, pattern: str, reason: str = "", *, ttl: int = 0, exclusive: bool = True) -> Any:
        body = {
            "agent_id": self.agent,
            "exclusive": exclusive,
            "path_pattern": pattern,
            "project": self._project,
            "reason": reason,
            **({"ttl_minutes": ttl} if ttl else {}),
        }
        return await self._do("POST", "/api/reservations", body, RESERVATION)

    async def release(self, reservation: str) -> None:
        await self._do("DELETE", f"/api/reservations/{reservation}", None, None)

    async def reservations(self, **filters: str) -> Any:
        target = "/api/reservations?" + encode(filters)
        listed = await self._do("GET", target, None, d.struct(reservations=d.many(RESERVATION)))
        return listed["reservations"]

    async def check(self, pattern: str) -> Any:
        values = {"project": self._project, "pattern": pattern, "exclusive": "true"}
        shape = d.struct(conflicts=d.many(CONFLICT))
        return (await self._do("GET", f"/api/reservations/check?{encode(values)}", None, shape))["conflicts"]

    async def send(self, to: str, body: str, **options: Any) -> None:
        message = {"body": body, "from": self.agent, "project": self._project, "to": [to], **options}
        await self._do("POST", "/api/messages", message, None)

    async def inbox(self, cursor: str = "") -> tuple[Sequence[Any], str]:
        """`next_cursor` is a text for it, and given back as `cursor`."""
        values = {"project": self._project, **({"cursor": cursor} if cursor else {})}
        target = f"/api/inbox/{path_escape(self.agent)}?{encode(values)}"
        page = await self._do("GET", target, None, d.struct(messages=d.many(MESSAGE), next_cursor=d.text))
        return page["messages"], page["next_cursor"] or ""

    async def whole_inbox(self) -> Sequence[Any]:
        """Page after page, until the cursor is empty or does not move."""
        messages: list[Any] = []
        cursor = ""
        while True:
            page, following = await self.inbox(cursor)
            messages += page
            if following in ("", cursor):
                return messages
            cursor = following

    async def thread(self, thread: str) -> Any:
        target = f"/api/threads/{path_escape(thread)}?{encode({'project': self._project})}"
        return (await self._do("GET", target, None, d.struct(messages=d.many(MESSAGE))))["messages"]

    async def _do(self, method: str, target: str, body: Any, shape: d.Shape | None) -> Any:
        status, content = await self._go.do(method, target, body)
        if status == 409:
            raise Refused(status, d.decode(CONFLICTS, content))
        if status >= 400:
            raise Refused(status, d.decode(REFUSAL, content))
        return d.decode(shape, content) if shape is not None and content else None
