"""Whom an agent takes messages from: its policies, and the contacts it has by name."""

from collections.abc import Sequence

from intermute.agents import agent
from intermute.agents.agent import Agent
from intermute.agents.agents import Agents, unknown
from intermute.agents.guards import Guards
from intermute.agents.policy import LIVE_DEFAULT, OPEN, POLICIES
from intermute.agents.standings import Standings
from intermute.caller import Caller
from intermute.errors import InvalidRequest, LimitReached, NotFound
from storage import sql
from storage.clock import Clock
from storage.database import Database

MOST = 1000  #: contacts of one agent

_SQL = sql.load("intermute", "agents", "contacts")


class Contacts:
    def __init__(
        self, db: Database, clock: Clock, agents: Agents, standings: Standings, guards: Guards
    ) -> None:
        self._db = db
        self._clock = clock
        self._agents = agents
        self._standings = standings
        self._guards = guards

    async def policies(self, caller: Caller, id_: str) -> tuple[str, str]:
        """Of messages, and of live delivery. Somebody who is not registered takes what is usual."""
        try:
            found = await self._agents.get(caller, id_)
        except NotFound:
            return OPEN, LIVE_DEFAULT
        return found.policy, found.live_policy

    async def decide(self, caller: Caller, id_: str, policy: str | None, live: str | None) -> Agent:
        """Set what is given. Raises InvalidRequest, NotAllowed, NotFound."""
        if not policy and not live:
            raise InvalidRequest(
                "Name a policy or a live_contact_policy.", code="policy or live_contact_policy required"
            )
        _check("policy", policy)
        _check("live_contact_policy", live)
        await self._guards.check(caller, id_)
        project = caller.project if caller.bound else None
        row = await self._db.fetchrow(_SQL["agents.policy"], id_, project, policy or None, live or None)
        if row is None:
            raise unknown(id_)
        self._standings.forget(id_)
        return agent.of_row(row)

    async def list(
        self, caller: Caller, id_: str, *, after: str = "", limit: int = MOST
    ) -> tuple[list[str], str]:
        """In the order of their ids, and where to go on ("": these were the last). Raises NotFound."""
        await self._agents.get(caller, id_)
        rows = await self._db.fetch(_SQL["contacts.list"], id_, after, limit + 1)
        found = [row["contact"] for row in rows[:limit]]
        return found, found[-1] if len(rows) > limit else ""

    async def add(self, caller: Caller, id_: str, contacts: Sequence[str]) -> None:
        """Those it has already stay. Raises InvalidRequest, NotAllowed, NotFound, LimitReached."""
        if not contacts or not all(contacts):
            raise InvalidRequest("Name the contacts to add.", code="contacts required")
        await self._guards.check(caller, id_)
        project = caller.project if caller.bound else None
        async with self._db.transaction() as conn:
            if not await conn.fetchval(_SQL["contacts.hold"], id_, project):
                raise unknown(id_)
            await conn.execute(_SQL["contacts.add"], id_, list(dict.fromkeys(contacts)), self._clock.now())
            if await conn.fetchval(_SQL["contacts.count"], id_) > MOST:
                raise LimitReached(f"An agent has at most {MOST} contacts.", code="contact_limit")

    async def remove(self, caller: Caller, id_: str, contact: str) -> None:
        """Raises NotAllowed, and NotFound for an agent nobody registered; not for a contact it has not."""
        await self._guards.check(caller, id_)
        await self._agents.get(caller, id_)
        await self._db.execute(_SQL["contacts.remove"], id_, contact)


def _check(field: str, value: str | None) -> None:
    if value and value not in POLICIES:
        raise InvalidRequest(
            f"The {field} is one of {', '.join(POLICIES)}.",
            code=f"invalid {field}: must be open, auto, contacts_only, or block_all",
        )
