"""Full-text search over the messages of a project."""

import asyncio
from collections.abc import Sequence

import asyncpg
from asyncpg.protocol import Record

from intermute.errors import InvalidRequest
from intermute.messages.threads import NEWEST
from storage import sql
from storage.database import Database

PATIENCE = 5  #: seconds; who asks for more must ask for less
TURNS = 2  #: searches at a time: the other connections are for those who send and read

_SQL = sql.load("intermute", "search")


class Search:
    """Finds words, newest messages first. What was sent a moment ago is found as well."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._turns = asyncio.Semaphore(TURNS)

    async def page(
        self, project: str, query: str, before: int, limit: int, *, agent: str = ""
    ) -> Sequence[Record]:
        """Messages with the words of a query as search engines take them: `"exact words" this or that -not`.

        With an agent only what it sent or got. Raises InvalidRequest.
        """
        project_lexeme = _lexeme(f"project={project}")
        async with self._turns, self._db.transaction() as conn:
            if not await conn.fetchval(_SQL["search.words"], query):
                raise InvalidRequest("There is no word to search for.", code="empty_query")
            await conn.execute(_SQL["search.patience"], f"{PATIENCE}s")
            try:
                return await conn.fetch(
                    _SQL["search.page"], project, query, before or NEWEST, limit, agent, project_lexeme
                )
            except asyncpg.QueryCanceledError as error:
                raise InvalidRequest(
                    "Too many messages have these words: ask for rarer ones, or begin at a cursor.",
                    code="search_too_broad",
                ) from error


def _lexeme(text: str) -> str:
    """The text of a query for one lexeme as it is."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
