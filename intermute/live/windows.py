"""Terminal windows of agents: which agent sits where."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from asyncpg.protocol import Record

from intermute.agents.guards import Guards, refuse, speaks_anyway
from intermute.agents.places import Page, Place, page
from intermute.agents.tokens import digest
from intermute.caller import Caller
from intermute.errors import InvalidRequest, NotAllowed, Unavailable
from intermute.live import target
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.ids import NewId

MOST = 50  #: windows of one agent in a project; those it used longest ago go
KEPT_FOR = timedelta(days=1)  #: an ended window keeps its id for that long

_SQL = sql.load("intermute", "windows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    id: str
    project: str
    window_uuid: str
    agent: str
    display_name: str
    tmux_target: str
    created_at: datetime
    last_active_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What an agent says about its window."""

    project: str
    window_uuid: str
    agent: str
    display_name: str = ""
    tmux_target: str = ""
    token: str = ""


class Windows:
    def __init__(self, db: Database, clock: Clock, new_id: NewId, guards: Guards) -> None:
        self._db = db
        self._clock = clock
        self._new_id = new_id
        self._guards = guards

    async def put(self, caller: Caller, opening: Opening) -> Window:
        """Open the window, or use it again. Only the agent itself may: it takes its token.

        Raises InvalidRequest, NotAllowed.
        """
        if not (opening.project and opening.window_uuid and opening.agent):
            raise InvalidRequest(
                "A window has a project, a window_uuid and an agent_id.",
                code="project, window_uuid, and agent_id are required",
            )
        if opening.tmux_target and not target.valid(opening.tmux_target):
            raise InvalidRequest(
                "A tmux_target looks like session, session:window or session:window.pane.",
                code="invalid tmux_target",
                details={"field": "tmux_target"},
            )
        caller.writing(opening.project)
        async with self._db.transaction() as conn:
            await self._prove(conn, caller, opening)
            owner = await conn.fetchrow(_SQL["windows.owner"], opening.project, opening.window_uuid)
            if owner is not None and owner["agent"] != opening.agent:
                refuse(caller, owner["agent"], guarded=owner["guarded"])
            return await self._write(conn, opening, owner["agent"] if owner else opening.agent)

    async def _prove(self, conn: Connection, caller: Caller, opening: Opening) -> None:
        """An agent that proved itself already needs no token besides, but it has to be registered."""
        project = caller.project if caller.bound else None
        needed = None if speaks_anyway(caller, opening.agent) else digest(opening.token)
        if not await conn.fetchval(_SQL["windows.proven"], opening.agent, needed, project):
            raise NotAllowed("The registration_token is not this agent's.", code="agent_token_mismatch")

    async def _write(self, conn: Connection, opening: Opening, owner: str) -> Window:
        now = self._clock.now()
        row = await conn.fetchrow(
            _SQL["windows.put"],
            opening.project,
            opening.window_uuid,
            str(self._new_id()),
            opening.agent,
            opening.display_name or opening.agent,
            opening.tmux_target,
            now,
            owner,
        )
        if row is None:
            raise Unavailable("Another agent opened this window at this moment.")
        await conn.execute(_SQL["windows.tidy"], opening.project, opening.agent, now - KEPT_FOR, MOST)
        return _of_row(row)

    async def list(
        self, caller: Caller, project: str, *, after: Place | None = None, limit: int = 1000
    ) -> Page[Window]:
        """The open ones of a project, used last first. Raises InvalidRequest, NotAllowed."""
        project = _named(caller, project)
        at, id_ = (after.at, after.id) if after else (None, None)
        rows = await self._db.fetch(_SQL["windows.list"], project, self._clock.now(), at, id_, limit + 1)
        return page(rows, limit, _of_row, lambda last: Place(at=last.last_active_at, id=last.id))

    async def expire(self, caller: Caller, project: str, window_uuid: str) -> None:
        """End the window, if there is one. Raises InvalidRequest, NotAllowed."""
        project = _named(caller, project)
        async with self._db.transaction() as conn:
            owner = await conn.fetchrow(_SQL["windows.owner"], project, window_uuid)
            if owner is not None:
                refuse(caller, owner["agent"], guarded=owner["guarded"])
                await conn.execute(_SQL["windows.expire"], project, window_uuid, self._clock.now())


def _named(caller: Caller, project: str) -> str:
    project = caller.only(project)
    if not project:
        raise InvalidRequest("Name the project.", code="project query param required")
    return project


def _of_row(row: Record) -> Window:
    return Window(
        id=row["id"],
        project=row["project"],
        window_uuid=row["window_uuid"],
        agent=row["agent"],
        display_name=row["display_name"],
        tmux_target=row["tmux_target"],
        created_at=row["created_at"],
        last_active_at=row["last_active_at"],
        expires_at=row["expires_at"],
    )
