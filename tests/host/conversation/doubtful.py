"""A database that breaks when a test says so."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asyncpg.protocol import Record

from storage.database import Connection, Database
from storage.errors import DatabaseUnavailable


class DoubtfulDatabase(Database):
    """A database whose connection may break, before or just after what it was asked for is committed."""

    breaks: int = 0  #: how many of the next commits break
    committed: bool = True  #: whether they happened all the same
    unread: str = ""  #: what the next statement that only reads must contain to fail

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with super()._transaction() as conn:
            yield conn
            if not self.committed:
                self._break()
        self._break()

    async def fetchval(self, sql: str, *args: Any) -> Any:
        value = await super().fetchval(sql, *args)
        if "UPDATE" in sql:
            self._break()
        return value

    async def fetch(self, sql: str, *args: Any) -> list[Record]:
        if self.unread and self.unread in sql:
            self.unread = ""
            raise DatabaseUnavailable("the connection broke")
        return await super().fetch(sql, *args)

    def _break(self) -> None:
        if self.breaks:
            self.breaks -= 1
            raise DatabaseUnavailable("the connection broke")
