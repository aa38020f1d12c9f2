"""How far a project's event log was read: kept in the transaction of what the events caused."""

from asyncpg.protocol import Record

from demarch.kernel import Marks
from storage import sql
from storage.database import Connection, Database

SEEDED = ""  #: a source that says that marks were set, whatever sources the kernel has

_SQL = sql.load("host", "feed")


class MarksMoved(Exception):
    """Another reader was faster; what it read is not told twice."""


class FeedMarks:
    def __init__(self, database: Database, project: str) -> None:
        self._database = database
        self._project = project

    async def read(self) -> dict[str, int] | None:
        """None before the first start."""
        return _marks(await self._database.fetch(_SQL["feed.marks"], self._project))

    async def hold(self, conn: Connection, expected: Marks) -> None:
        """Nobody else moves them until the transaction ends. Raises MarksMoved when somebody has."""
        if _marks(await conn.fetch(_SQL["feed.held"], self._project)) != dict(expected):
            raise MarksMoved("another reader moved the marks")

    async def keep(self, conn: Connection, marks: Marks) -> None:
        await conn.execute(_SQL["feed.keep"], self._project, list(marks.keys()), list(marks.values()))

    async def seed(self, head: Marks) -> None:
        """A first start begins at the head: history is not told."""
        async with self._database.transaction() as conn:
            await self.keep(conn, {SEEDED: 0, **head})


def _marks(rows: list[Record]) -> dict[str, int] | None:
    if not rows:
        return None
    return {row["source"]: row["mark"] for row in rows if row["source"] != SEEDED}
