"""How far an agent has read its inbox: a turn that is run again reads again what its first attempt read."""

from host.conversation.turns import Turn
from host.coordination.identity import Me
from storage import sql
from storage.database import Database

_SQL = sql.load("host", "coordination_marks")


class Marks:
    """The store of these marks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, me: Me, turn: Turn) -> int:
        since: int | None = await self._database.fetchval(
            _SQL["marks.since"], me.agent, me.project, turn.id, turn.attempt
        )
        return since or 0

    async def advance(self, me: Me, turn: Turn, since: int, cursor: int) -> None:
        """Everything after `since` up to `cursor` has been read in this turn."""
        await self._database.execute(
            _SQL["marks.advance"], me.agent, me.project, turn.id, turn.attempt, cursor, since
        )

    async def forget(self, agent: str) -> None:
        await self._database.execute(_SQL["marks.forget"], agent)
