"""What every request asks about agents: remembered for a moment, and looked up together.

Questions that come at the same time share one statement. What this process changes it forgets at once
(`forget`), what another process changes is seen after `KEPT_FOR` seconds at the latest.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from asyncpg.protocol import Record

from intermute.agents.policy import LIVE_DEFAULT, OPEN
from storage import sql
from storage.database import Database
from storage.errors import DatabaseUnavailable

KEPT_FOR = 1.0  #: seconds
KEPT = 20_000  #: agents

_SQL = sql.load("intermute", "standings")


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """One agent; somebody who never registered is open to everybody and guarded by nobody."""

    registered: bool = False
    project: str = ""
    guarded: bool = False
    policy: str = OPEN
    live_policy: str = LIVE_DEFAULT


UNKNOWN = Standing()


@dataclass(slots=True)
class _Round:
    """Questions that are answered by one statement."""

    ids: set[str] = field(default_factory=set)
    answers: dict[str, Standing] | None = None
    error: DatabaseUnavailable | None = None


class Standings:
    """Reads and keeps them, by the loop's own time, which no operator turns back."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._kept: dict[str, tuple[Standing, float]] = {}
        self._changes = 0
        self._next = _Round()
        self._reading = asyncio.Lock()

    def forget(self, agent: str) -> None:
        """The agent was changed; called after that was committed."""
        self._changes += 1
        self._kept.pop(agent, None)

    async def of(self, agents: Iterable[str]) -> Mapping[str, Standing]:
        """The standing of each."""
        now = asyncio.get_running_loop().time()
        found: dict[str, Standing] = {}
        missing: set[str] = set()
        for agent in agents:
            standing, until = self._kept.get(agent, (UNKNOWN, 0.0))
            if now < until:
                found[agent] = standing
            else:
                missing.add(agent)
        if missing:
            answers = await self._ask(missing)
            found.update((agent, answers[agent]) for agent in missing)
        return found

    async def _ask(self, agents: set[str]) -> Mapping[str, Standing]:
        asked = self._next
        asked.ids |= agents
        async with self._reading:
            if asked.error:
                raise DatabaseUnavailable(str(asked.error)) from asked.error
            if asked.answers is None:
                await self._answer(asked)
            return asked.answers or {}

    async def _answer(self, asked: _Round) -> None:
        if asked is self._next:
            self._next = _Round()
        changes, until = self._changes, asyncio.get_running_loop().time() + KEPT_FOR
        try:
            rows = await self._db.fetch(_SQL["standings.of"], list(asked.ids))
        except DatabaseUnavailable as error:
            asked.error = error
            raise
        known = {row["id"]: _standing(row) for row in rows}
        asked.answers = {agent: known.get(agent, UNKNOWN) for agent in asked.ids}
        if changes == self._changes:  # what was read may be older than a change that is forgotten already
            self._keep(asked.answers, until)

    def _keep(self, answers: Mapping[str, Standing], until: float) -> None:
        if len(self._kept) + len(answers) > KEPT:
            self._kept.clear()
        self._kept.update((agent, (standing, until)) for agent, standing in answers.items())


def _standing(row: Record) -> Standing:
    return Standing(
        registered=True,
        project=row["project"],
        guarded=row["guarded"],
        policy=row["contact_policy"],
        live_policy=row["live_contact_policy"],
    )
