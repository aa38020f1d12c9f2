"""Registers agents: as new ones, or as the ones they were before."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import structlog
from asyncpg.protocol import Record

from intermute.agents import agent, sessions
from intermute.agents.agent import Agent
from intermute.agents.guards import HOSTED, refuse
from intermute.agents.names import new_name
from intermute.agents.standings import Standings
from intermute.agents.tokens import RandomBytes, digest, new_token
from intermute.caller import Caller, Mode
from intermute.errors import Conflict, InvalidRequest, Unavailable
from intermute.events.journal import Journal
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.ids import NewId

log = structlog.get_logger()

ATTEMPTS = 4  #: of a registration that another one of the same agent gets in the way of

_SQL = sql.load("intermute", "agents")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a client says about itself."""

    id: str = ""
    name: str = ""
    session_id: str = ""
    project: str = ""
    capabilities: Sequence[str] | None = None
    metadata: Mapping[str, str] | None = None
    status: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registered:
    """`token` proves from now on who it is; nobody can read it again."""

    agent: Agent
    token: str


class Registration:
    """Who comes again is who it was: by its id, or by its session."""

    def __init__(
        self,
        db: Database,
        journal: Journal,
        clock: Clock,
        new_id: NewId,
        random: RandomBytes,
        standings: Standings,
        grace: timedelta,
    ) -> None:
        self._db = db
        self._journal = journal
        self._clock = clock
        self._new_id = new_id
        self._random = random
        self._standings = standings
        self._grace = grace

    async def register(self, caller: Caller, wanted: Wanted) -> Registered:
        """Raises InvalidRequest, NotAllowed and Conflict."""
        project = caller.writing(wanted.project)
        _check(caller, wanted)
        refuse(caller, wanted.id, guarded=False)
        await self._journal.ensure_project(project)
        for _ in range(ATTEMPTS):
            try:
                async with self._db.transaction() as conn:
                    registered = await self._settle(conn, caller, wanted, project)
            except asyncpg.UniqueViolationError:
                continue  # somebody registered the same agent at this moment: now it is there
            self._standings.forget(registered.agent.id)
            log.info("agent.registered", agent=registered.agent.id, project=project)
            return registered
        raise Unavailable("Others register the same agent at this moment.")

    async def _settle(self, conn: Connection, caller: Caller, wanted: Wanted, project: str) -> Registered:
        rows = await conn.fetch(_SQL["agents.claimed"], wanted.id, wanted.session_id, self._clock.now())
        by_id = next((row for row in rows if row["id"] == wanted.id), None)
        by_session = _of_session(rows, caller, wanted, project)
        if by_session and by_session is not by_id:
            self._refuse_session(by_session, caller, wanted)
            refuse(caller, by_session["id"], guarded=by_session["guarded"])
            if wanted.id:  # which says who it is; the session was another agent's before
                await conn.execute(_SQL["agents.leave_session"], by_session["id"])
        before = by_id if wanted.id else by_session
        if before:
            _refuse_row(before, caller, project, moving=before is by_session)
        return await self._write(conn, caller, wanted, project, before)

    def _refuse_session(self, row: Record, caller: Caller, wanted: Wanted) -> None:
        """Raises Conflict where the session is another client's that is still at work."""
        if caller.proven == row["id"] or (wanted.name and wanted.name == row["name"]):
            return
        if row["holding"] or row["last_seen"] > self._clock.now() - self._grace:
            raise sessions.taken()

    async def _write(
        self, conn: Connection, caller: Caller, wanted: Wanted, project: str, before: Record | None
    ) -> Registered:
        token = new_token(self._random)
        kept = dict(before) if before else {}
        # In another project the session it had may be another agent's already.
        session = kept.get("session_id") if kept.get("project") == project else None
        row = await conn.fetchrow(
            _SQL["agents.replace" if before else "agents.insert"],
            kept.get("id") or wanted.id or str(self._new_id()),
            project,
            wanted.session_id or session or str(self._new_id()),
            wanted.name or kept.get("name") or new_name(self._random),
            digest(token),
            caller.mode is Mode.HOST,
            _list(wanted.capabilities),
            None if wanted.metadata is None else dict(wanted.metadata),
            wanted.status,
            self._clock.now(),
        )
        if row is None:  # the row is held by this transaction
            raise Unavailable("The agent was removed at this moment.")
        return Registered(agent=agent.of_row(row), token=token)


def _of_session(rows: Sequence[Record], caller: Caller, wanted: Wanted, project: str) -> Record | None:
    """The agent with this session: in the project, or anywhere for those who are in all projects."""
    if not wanted.session_id:
        return None
    known = [row for row in rows if row["session_id"] == wanted.session_id]
    here = next((row for row in known if row["project"] == project), None)
    return here or (known[0] if known and not caller.bound else None)


def _refuse_row(row: Record, caller: Caller, project: str, *, moving: bool) -> None:
    refuse(caller, row["id"], guarded=row["guarded"])
    if row["project"] != project and not moving and caller.mode is not Mode.HOST:
        raise Conflict("This id is another agent's already.", code="agent_id_taken")


def _list(values: Sequence[str] | None) -> list[str] | None:
    return None if values is None else list(values)


def _check(caller: Caller, wanted: Wanted) -> None:
    if caller.mode is Mode.HOST and not wanted.id.startswith(HOSTED):
        raise InvalidRequest(f"The host's agents have ids that begin with {HOSTED}", code="invalid_agent_id")
    if wanted.session_id:
        sessions.check(wanted.session_id)
    if wanted.id in agent.RESERVED or any(sign in wanted.id for sign in "/\n\r\t"):
        raise InvalidRequest(
            "An agent's id holds no slash and no line break, and is not one of the words "
            f"{' and '.join(sorted(agent.RESERVED))}.",
            code="invalid_agent_id",
            details={"field": "id"},
        )
