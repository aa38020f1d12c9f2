"""Messages: sending, the inbox, and the conversations they make."""

from collections.abc import Sequence

from pydantic import TypeAdapter

from intermute.client.shapes import Counts, Page, Sent, Shape, StaleAck, Threads
from intermute.client.wire import Query, Wire, part


class _StaleAcks(Shape):
    messages: tuple[StaleAck, ...]


_SENT = TypeAdapter(Sent)
_PAGE = TypeAdapter(Page)
_COUNTS = TypeAdapter(Counts)
_STALE = TypeAdapter(_StaleAcks)
_THREADS = TypeAdapter(Threads)


class Messages:
    """`/api/messages`, `/api/broadcast`, `/api/inbox`, `/api/topics` and `/api/threads`."""

    def __init__(self, wire: Wire, project: str) -> None:
        self._wire = wire
        self._project = project

    async def send(
        self,
        sender: str,
        to: Sequence[str],
        body: str,
        *,
        id: str = "",  # noqa: A002 - the member's name
        cc: Sequence[str] = (),
        bcc: Sequence[str] = (),
        subject: str = "",
        topic: str = "",
        thread_id: str = "",
        importance: str = "",
        ack_required: bool = False,
        transport: str = "",
        window: str = "",
    ) -> Sent:
        """Send it; when this returns it is kept. With an id it may be sent again and arrives once."""
        optional = {
            "id": id,
            "cc": list(cc),
            "bcc": list(bcc),
            "subject": subject,
            "topic": topic,
            "thread_id": thread_id,
            "importance": importance,
            "ack_required": ack_required,
            "transport": transport,
            "target_window_uuid": window,
        }
        given = {name: value for name, value in optional.items() if value}
        body_ = {"project": self._project, "from": sender, "to": list(to), "body": body, **given}
        return await self._wire.ask(_SENT, "POST", "/api/messages", body=body_)

    async def broadcast(self, sender: str, topic: str, body: str, *, subject: str = "") -> Sent:
        """Send it to every other agent of the project."""
        given = {"project": self._project, "from": sender, "topic": topic, "body": body}
        if subject:
            given["subject"] = subject
        return await self._wire.ask(_SENT, "POST", "/api/broadcast", body=given)

    async def inbox(self, agent: str, since: int = 0, limit: int | None = None) -> Page:
        """What came behind a cursor, oldest first."""
        query: Query = {"since_cursor": since, "limit": limit, "project": self._project}
        return await self._wire.ask(_PAGE, "GET", f"/api/inbox/{part(agent)}", query=query)

    async def counts(self, agent: str) -> Counts:
        query: Query = {"project": self._project}
        return await self._wire.ask(_COUNTS, "GET", f"/api/inbox/{part(agent)}/counts", query=query)

    async def stale_acks(
        self, agent: str, ttl_seconds: int | None = None, limit: int | None = None
    ) -> tuple[StaleAck, ...]:
        """Messages that wait for an acknowledgement for longer than that, oldest first."""
        query: Query = {"ttl_seconds": ttl_seconds, "limit": limit, "project": self._project}
        path = f"/api/inbox/{part(agent)}/stale-acks"
        return (await self._wire.ask(_STALE, "GET", path, query=query)).messages

    async def ack(self, message_id: str, agent: str = "") -> None:
        """Acknowledge it. Without an agent it is whoever the client speaks for, or the only recipient."""
        await self._mark(message_id, "ack", agent)

    async def read(self, message_id: str, agent: str = "") -> None:
        """Mark it as read."""
        await self._mark(message_id, "read", agent)

    async def topic(self, topic: str, since: int = 0, limit: int | None = None) -> Page:
        """What was said on a topic behind a cursor, oldest first."""
        path = f"/api/topics/{part(self._project)}/{part(topic)}"
        return await self._wire.ask(_PAGE, "GET", path, query={"since_cursor": since, "limit": limit})

    async def search(self, words: str, *, agent: str = "", before: int = 0, limit: int | None = None) -> Page:
        """Messages with these words, the newest first; `cursor` of a page asks for older ones."""
        query: Query = {
            "q": words,
            "project": self._project,
            "agent": agent,
            "cursor": before,
            "limit": limit,
        }
        return await self._wire.ask(_PAGE, "GET", "/api/messages/search", query=query)

    async def threads(self, agent: str, cursor: int = 0, limit: int | None = None) -> Threads:
        """An agent's conversations, the newest first; `cursor` of a page asks for older ones."""
        query: Query = {"agent": agent, "cursor": cursor, "limit": limit, "project": self._project}
        return await self._wire.ask(_THREADS, "GET", "/api/threads", query=query)

    async def thread(self, thread_id: str, since: int = 0, limit: int | None = None) -> Page:
        """What was said in a conversation behind a cursor."""
        query: Query = {"cursor": since, "limit": limit, "project": self._project}
        return await self._wire.ask(_PAGE, "GET", f"/api/threads/{part(thread_id)}", query=query)

    async def _mark(self, message_id: str, action: str, agent: str) -> None:
        path = f"/api/messages/{part(message_id)}/{action}"
        body = {"agent": agent} if agent else {}
        await self._wire.do("POST", path, query={"project": self._project}, body=body)
