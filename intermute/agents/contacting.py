"""Decides who may write to whom, by the contact policy of each recipient."""

import asyncio
from collections.abc import Callable, Collection, Iterable, Sequence

from asyncpg.protocol import Record

from intermute.agents.policy import AUTO, BLOCK_ALL, OPEN
from intermute.agents.standings import Standings
from storage import sql
from storage.clock import Clock
from storage.database import Database

MOST_PAIRS = 2000  #: of patterns that are compared for one message
FEW_PAIRS = 20  #: more are compared beside the loop

#: whether two path patterns have a path in common
Overlap = Callable[[str, str], bool]

_SQL = sql.load("intermute", "contacting")


class Contacting:
    """Policies are those of the recipients' ids; whoever is not registered is open to everybody."""

    def __init__(self, db: Database, clock: Clock, standings: Standings, overlap: Overlap) -> None:
        self._db = db
        self._clock = clock
        self._standings = standings
        self._overlap = overlap

    async def denied(
        self,
        project: str,
        sender: str,
        recipients: Iterable[str],
        thread_id: str = "",
        *,
        bound: bool = False,
    ) -> set[str]:
        """Those of the recipients whom the sender may not write to.

        A sender that is bound to the project writes to whoever is called so there: agents of other projects
        with such ids have no say, and it learns nothing of them.
        """
        standings = await self._standings.of(recipients)
        asked = {
            agent: one.policy
            for agent, one in standings.items()
            if one.policy != OPEN and (not bound or one.project == project)
        }
        return await self._refusing(project, sender, asked, thread_id) if asked else set()

    async def denied_live(
        self, project: str, sender: str, recipients: Iterable[str], thread_id: str = ""
    ) -> set[str]:
        """Those of the recipients in whose terminals the sender may not have its words typed."""
        standings = await self._standings.of(recipients)
        asked = {agent: one.live_policy for agent, one in standings.items() if one.live_policy != OPEN}
        return await self._refusing(project, sender, asked, thread_id) if asked else set()

    async def _refusing(
        self, project: str, sender: str, policies: dict[str, str], thread_id: str
    ) -> set[str]:
        blocking = {agent for agent, policy in policies.items() if policy == BLOCK_ALL}
        asked = {agent for agent, policy in policies.items() if policy not in (BLOCK_ALL, OPEN)}
        if asked:
            rows = await self._db.fetch(_SQL["contacting.contacts"], sorted(asked), sender)
            asked -= {row["agent"] for row in rows}
        if asked and thread_id:
            # Both must be in it: anybody can come into a thread by writing to somebody else there.
            rows = await self._db.fetch(_SQL["contacting.thread"], project, sender, thread_id, sorted(asked))
            asked -= {row["agent"] for row in rows}
        if working := {agent for agent in asked if policies[agent] == AUTO}:
            asked -= await self._side_by_side(project, sender, working)
        return blocking | asked

    async def _side_by_side(self, project: str, sender: str, others: Collection[str]) -> set[str]:
        """Those of the others who hold files that overlap the sender's."""
        pairs = await self._db.fetch(
            _SQL["contacting.side_by_side"], project, sender, sorted(others), self._clock.now(), MOST_PAIRS
        )
        if len(pairs) > FEW_PAIRS:
            return await asyncio.to_thread(self._overlapping, pairs)
        return self._overlapping(pairs)

    def _overlapping(self, pairs: Sequence[Record]) -> set[str]:
        found: set[str] = set()
        for pair in pairs:
            if pair["agent"] not in found and self._overlap(pair["mine"], pair["theirs"]):
                found.add(pair["agent"])
        return found
