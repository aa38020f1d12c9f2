"""Messages that wait for a terminal to be looked at."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from asyncpg.protocol import Record

from intermute.agents.guards import Guards
from intermute.agents.places import Page, Place, page
from intermute.caller import Caller
from intermute.errors import InvalidRequest
from intermute.live.envelope import wrap
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database

_SQL = sql.load("intermute", "pokes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Poke:
    """`text` is what would have been typed."""

    message_id: str
    sender: str
    text: str
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A message that could not be typed now."""

    project: str
    message_id: str
    sender: str
    thread_id: str
    body: str


class Pokes:
    def __init__(self, db: Database, clock: Clock, guards: Guards) -> None:
        self._db = db
        self._clock = clock
        self._guards = guards

    async def stage(self, conn: Connection, waiting: Waiting, agents: Sequence[str]) -> None:
        """In the transaction of the message; nothing for those who have seen the poke already."""
        await conn.execute(
            _SQL["pokes.stage"],
            waiting.project,
            list(agents),
            waiting.message_id,
            waiting.sender,
            waiting.thread_id,
            waiting.body,
            self._clock.now(),
        )

    async def list(
        self, caller: Caller, project: str, agent: str, *, after: Place | None = None, limit: int = 1000
    ) -> Page[Poke]:
        """Those not looked at yet, oldest first. Raises InvalidRequest, NotAllowed."""
        project = await self._check(caller, project, agent)
        at, id_ = (after.at, after.id) if after else (None, None)
        rows = await self._db.fetch(_SQL["pokes.list"], project, agent, at, id_, limit + 1)
        return page(rows, limit, _of_row, lambda last: Place(at=last.created_at, id=last.message_id))

    async def surface(self, caller: Caller, project: str, agent: str, message_id: str) -> None:
        """The agent has looked at it. One that is not there is none. Raises InvalidRequest, NotAllowed."""
        project = await self._check(caller, project, agent)
        await self._db.execute(_SQL["pokes.surface"], project, agent, message_id, self._clock.now())

    async def _check(self, caller: Caller, project: str, agent: str) -> str:
        project = caller.within(project)
        if not project or not agent:
            raise InvalidRequest("Name the project and the agent.", code="project and agent required")
        await self._guards.check(caller, agent)
        self._guards.touch(agent, caller)
        return project


def _of_row(row: Record) -> Poke:
    return Poke(
        message_id=row["message_id"],
        sender=row["sender"],
        text=wrap(row["sender"], row["thread_id"], row["body"]),
        created_at=row["created_at"],
    )
