"""The agents of all projects: who there is, who is alive, and what each says about itself."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

import structlog

from intermute.agents import agent
from intermute.agents.agent import FOCUS_STATES, Agent
from intermute.agents.guards import Guards
from intermute.agents.places import Page, Place, page
from intermute.agents.registration import Registered, Registration, Wanted
from intermute.agents.standings import Standings
from intermute.agents.tokens import RandomBytes
from intermute.caller import Caller
from intermute.errors import InvalidRequest, NotFound
from intermute.events.journal import Journal
from intermute.limits import Limits
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId

log = structlog.get_logger()

MOST_METADATA = 200  #: members an agent's metadata may grow to
LARGEST_METADATA = 256 * 1024  #: characters of all of them

_SQL = sql.load("intermute", "agents")


class Agents:
    """All of them. A caller that is bound to a project sees and changes those of its project only."""

    def __init__(
        self,
        db: Database,
        journal: Journal,
        clock: Clock,
        new_id: NewId,
        random: RandomBytes,
        limits: Limits,
        standings: Standings,
        guards: Guards,
    ) -> None:
        self._db = db
        self._clock = clock
        self._limits = limits
        self._standings = standings
        self._guards = guards
        self._registration = Registration(db, journal, clock, new_id, random, standings, limits.grace)

    async def register(self, caller: Caller, wanted: Wanted) -> Registered:
        """Raises InvalidRequest, NotAllowed, Conflict."""
        _check_metadata(wanted.metadata or {})
        return await self._registration.register(caller, wanted)

    async def get(self, caller: Caller, id_: str) -> Agent:
        """Raises NotFound."""
        row = await self._db.fetchrow(_SQL["agents.get"], id_, _bound(caller))
        if row is None:
            raise unknown(id_)
        return agent.of_row(row)

    async def list(
        self,
        caller: Caller,
        project: str = "",
        *,
        capabilities: Sequence[str] = (),
        repo: str = "",
        bead: str = "",
        everybody: bool = False,
        after: Place | None = None,
        limit: int = 1000,
    ) -> Page[Agent]:
        """Those seen last come first. Without `everybody` those who were silent for long are left out.

        `repo` and `bead` are what they say they work on. Raises NotAllowed.
        """
        project = caller.only(project)
        rows = await self._db.fetch(
            _SQL["agents.list"],
            project if project or caller.bound else None,
            list(capabilities) or None,
            None if everybody else self._clock.now() - self._limits.listed_for,
            after.at if after else None,
            after.id if after else None,
            limit + 1,
            repo,
            bead,
        )
        return page(rows, limit, agent.of_row, lambda last: Place(at=last.last_seen, id=last.id))

    def alive(self, one: Agent) -> bool:
        """Whether it gave a sign of life within the time after which its locks are freed."""
        silent: timedelta = self._clock.now() - one.last_seen
        return silent <= self._limits.grace

    def focus(self, one: Agent) -> str:
        """What it is doing at this moment."""
        return agent.focus(one.focus_state, one.focus_at, self._clock.now())

    async def heartbeat(self, caller: Caller, id_: str, focus: str = "") -> None:
        """Raises InvalidRequest, NotAllowed, NotFound."""
        if focus and focus not in FOCUS_STATES:
            raise InvalidRequest(
                f"An agent's focus is one of {', '.join(FOCUS_STATES)}.", code="invalid focus_state"
            )
        await self._guards.check(caller, id_)
        done = await self._db.execute(_SQL["agents.beat"], id_, _bound(caller), self._clock.now(), focus)
        if done == "UPDATE 0":
            raise unknown(id_)

    async def merge(self, caller: Caller, id_: str, metadata: Mapping[str, str]) -> Agent:
        """Add to what it says about itself, or say it anew. Raises InvalidRequest, NotAllowed, NotFound."""
        if not metadata:
            raise InvalidRequest("Send the metadata to merge.", code="metadata map required")
        await self._guards.check(caller, id_)
        async with self._db.transaction() as conn:
            row = await conn.fetchrow(
                _SQL["agents.merge"], id_, _bound(caller), dict(metadata), self._clock.now()
            )
            if row is None:
                raise unknown(id_)
            _check_metadata(row["metadata"])
        return agent.of_row(row)

    async def speak_for(self, caller: Caller, id_: str) -> Agent:
        """The agent, where the caller may act for it. Raises NotAllowed, NotFound."""
        await self._guards.check(caller, id_)
        return await self.get(caller, id_)

    async def remove(self, caller: Caller, id_: str) -> None:
        """Forget the agent, its contacts, windows and pokes; what it wrote stays.

        What it holds is for the caller to release before. Raises NotAllowed, NotFound.
        """
        await self._guards.check(caller, id_)
        async with self._db.transaction() as conn:
            project = await conn.fetchval(_SQL["agents.delete"], id_, _bound(caller))
            if project is None:
                raise unknown(id_)
            await conn.execute(_SQL["agents.forget_contacts"], id_)
            await conn.execute(_SQL["agents.forget_windows"], id_)
            await conn.execute(_SQL["agents.forget_pokes"], id_, project)
        self._standings.forget(id_)
        log.info("agent.removed", agent=id_, project=project)


def unknown(id_: str) -> NotFound:
    return NotFound(f"No agent {id_} is registered here.", code="agent_not_found")


def _bound(caller: Caller) -> str | None:
    return caller.project if caller.bound else None


def _check_metadata(metadata: Mapping[str, str]) -> None:
    size = sum(len(name) + len(value) for name, value in metadata.items())
    if len(metadata) > MOST_METADATA or size > LARGEST_METADATA:
        raise InvalidRequest(
            f"An agent's metadata has at most {MOST_METADATA} members "
            f"and {LARGEST_METADATA} characters in all.",
            code="metadata_too_large",
        )
