"""Who may speak for an agent, and the signs of life that requests leave on their way.

Anybody in a project may use a plain id, as in the original: agents there trust each other. A guarded id
belongs to one of the host's containers: it takes that container's socket, or the token given at registration.
Ids that begin with `intercom:` are guarded whether or not anybody registered them, and the host registers no
others: nothing that is remembered about an id can be older than its guard.
"""

import asyncio
from datetime import datetime, timedelta

import structlog

from intermute.agents.standings import Standings
from intermute.agents.tokens import digest
from intermute.caller import Caller, Mode
from intermute.errors import NotAllowed
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.errors import DatabaseUnavailable

log = structlog.get_logger()

TOUCH_EVERY = timedelta(seconds=15)  #: an agent's sign of life is written that often at most
KEPT = 20_000  #: agents whose last sign is remembered
PAUSE = 1.0  #: seconds after the database could not keep signs of life

HOSTED = "intercom:"  #: how ids of the host's containers begin

_SQL = sql.load("intermute", "standings")

#: an agent, and the only project it may be of (None: whichever)
_Sign = tuple[str, str | None]


class Guards:
    """Checks identities. `run` is the loop that writes the signs of life."""

    def __init__(self, db: Database, clock: Clock, standings: Standings) -> None:
        self._db = db
        self._clock = clock
        self._standings = standings
        self._seen: dict[_Sign, datetime] = {}
        self._due: set[_Sign] = set()
        self._wake = asyncio.Event()

    async def check(self, caller: Caller, agent: str) -> None:
        """Let the caller speak for the agent, or raise NotAllowed."""
        if speaks_anyway(caller, agent):
            return
        refuse(caller, agent, guarded=False)
        standing = (await self._standings.of((agent,)))[agent]
        refuse(caller, agent, guarded=standing.guarded)

    async def owner_of(self, token: str) -> str | None:
        """The agent whose token it is. Never from memory: a new registration ends the old token at once."""
        owner: str | None = await self._db.fetchval(_SQL["standings.owner"], digest(token))
        return owner

    def touch(self, agent: str, caller: Caller | None = None) -> None:
        """The agent did something. Costs the request nothing.

        A caller that is bound to a project says nothing about agents of another one that are called alike.
        """
        if not agent:
            return
        sign = (agent, caller.project if caller and caller.bound else None)
        now = self._clock.now()
        seen = self._seen.get(sign)
        # A clock that was turned back must not silence anybody.
        if seen is not None and abs(now - seen) < TOUCH_EVERY:
            return
        if len(self._seen) >= KEPT:
            self._seen.clear()
        self._seen[sign] = now
        self._due.add(sign)
        self._wake.set()

    async def run(self) -> None:
        """Write what `touch` noted, everything of a moment in one statement. Ends when cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            due, self._due = list(self._due), set()
            agents, projects = [agent for agent, _ in due], [project for _, project in due]
            try:
                await self._db.execute(_SQL["standings.touch"], agents, projects, self._clock.now())
            except Exception as error:  # signs of life go on when the database is back
                known = isinstance(error, DatabaseUnavailable)
                log.warning("agents.signs_lost", agents=len(due), reason=str(error), exc_info=not known)
                for sign in due:
                    self._seen.pop(sign, None)  # the next request says it again
                await self._clock.sleep(PAUSE)


def looks_hosted(agent: str) -> bool:
    """Whether it is the id of one of the host's containers, or would be taken for one by who reads it."""
    return agent.strip().lower().startswith(HOSTED)


def speaks_anyway(caller: Caller, agent: str) -> bool:
    """Whether nothing has to be looked up: there is no agent, it proved itself, or it has its own socket."""
    return not agent or caller.proven == agent or (caller.mode is Mode.HOST and caller.agent == agent)


def refuse(caller: Caller, agent: str, *, guarded: bool) -> None:
    """Raise NotAllowed where the caller may not speak for an agent of that kind."""
    if speaks_anyway(caller, agent):
        return
    if caller.mode is Mode.HOST and caller.agent:
        raise NotAllowed("A container speaks for itself only.", code="agent_guarded")
    if guarded or looks_hosted(agent):
        raise NotAllowed("This agent's id takes a proof: its token, or its own socket.", code="agent_guarded")
