"""The pool of connections: short statements, transactions, JSON both ways, one error for "unreachable".

`json` and `jsonb` columns are Python values in both directions (what PostgreSQL cannot keep in them, NUL and
lone surrogates, is replaced by U+FFFD), `uuid` is `uuid.UUID`, `timestamptz` an aware datetime.

Inside a transaction use the connection it gives, never the Database: that would take a second connection,
see nothing of the first and, with the pool empty, wait for itself.
"""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy
from asyncpg.protocol import Record

from storage.errors import DatabaseUnavailable
from storage.text import storable

if TYPE_CHECKING:
    OwnConnection: TypeAlias = asyncpg.Connection[Record]
    Connection: TypeAlias = OwnConnection | PoolConnectionProxy[Record]
    Pool: TypeAlias = asyncpg.Pool[Record]
else:  # the driver's classes take no type arguments when the program runs
    OwnConnection = asyncpg.Connection
    Connection = OwnConnection | PoolConnectionProxy
    Pool = asyncpg.Pool

#: seconds for one statement, and for a free connection; what takes longer is a fault, not work
PATIENCE = 60.0
CONNECT_PATIENCE = 10.0

_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.CannotConnectNowError,
    asyncpg.DatabaseDroppedError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,
)
_ESCAPED_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")


class Database:
    """A pool of connections to one database."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, size: int = 10, application: str = "intercom"
    ) -> AsyncIterator["Database"]:
        """Connect to the database at the URL with up to `size` connections, all closed on leave."""
        with opening():
            pool = await asyncpg.create_pool(
                url,
                min_size=1,
                max_size=size,
                command_timeout=PATIENCE,
                timeout=CONNECT_PATIENCE,
                init=_prepare,
                reset=_keep,
                server_settings=_session(application),
            )
        try:
            yield cls(pool)
        finally:
            await _close(pool)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One connection without a transaction, for session state (a lock) that its user takes back."""
        with reaching():
            connection = await self._pool.acquire(timeout=PATIENCE)
        try:
            with translated():
                yield connection
        finally:
            await self._pool.release(connection)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[Connection]:
        async with self.connection() as connection, connection.transaction():
            yield connection

    def transaction(self) -> AbstractAsyncContextManager[Connection]:
        """Commit on leave, roll back on an exception; nothing is ever retried."""
        return self._transaction()

    async def fetch(self, sql: str, *args: Any) -> list[Record]:
        with reaching():
            async with self._pool.acquire(timeout=PATIENCE) as connection:
                return await connection.fetch(sql, *args)

    async def fetchrow(self, sql: str, *args: Any) -> Record | None:
        with reaching():
            async with self._pool.acquire(timeout=PATIENCE) as connection:
                return await connection.fetchrow(sql, *args)

    async def fetchval(self, sql: str, *args: Any) -> Any:
        with reaching():
            async with self._pool.acquire(timeout=PATIENCE) as connection:
                return await connection.fetchval(sql, *args)

    async def execute(self, sql: str, *args: Any) -> str:
        """Run one statement and return its tag ("UPDATE 1")."""
        with reaching():
            async with self._pool.acquire(timeout=PATIENCE) as connection:
                return await connection.execute(sql, *args)


async def connect(url: str, *, application: str) -> OwnConnection:
    """A connection outside any pool, for those that live as long as a task (LISTEN, a lease)."""
    with opening():
        return await asyncpg.connect(
            url,
            timeout=CONNECT_PATIENCE,
            command_timeout=PATIENCE,
            server_settings=_session(application),
        )


@contextmanager
def translated() -> Iterator[None]:
    """Turn the driver's many words for "the connection is gone" into DatabaseUnavailable."""
    try:
        yield
    except _GONE as error:
        raise DatabaseUnavailable(f"PostgreSQL is gone: {_words(error)}") from error
    except asyncpg.InterfaceError as error:
        if not _says_closed(error):
            raise
        raise DatabaseUnavailable(f"PostgreSQL is gone: {_words(error)}") from error


@contextmanager
def reaching() -> Iterator[None]:
    """Like `translated`, around the driver alone: a refused socket or a timeout there is the database's."""
    try:
        with translated():
            yield
    except (OSError, TimeoutError) as error:
        raise DatabaseUnavailable(f"PostgreSQL cannot be reached: {_words(error)}") from error
    except (asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError) as error:
        raise DatabaseUnavailable(f"PostgreSQL does not let us in: {_words(error)}") from error


@contextmanager
def opening() -> Iterator[None]:
    """Like `reaching`, around a first connection, where the URL may be wrong too."""
    try:
        with reaching():
            yield
    except (asyncpg.ClientConfigurationError, ValueError):
        # What the driver says here may quote the URL, and the URL holds a password.
        raise DatabaseUnavailable(
            "the database's URL cannot be read; it looks like postgresql://user:password@host/database"
        ) from None


def encode_json(value: Any) -> str:
    """JSON that PostgreSQL accepts, whatever characters the strings hold."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    if "\\u0000" in text:
        text = _ESCAPED_NUL.sub("\\1\N{REPLACEMENT CHARACTER}", text)
    return storable(text)


def _session(application: str) -> dict[str, str]:
    # The server's keepalives free the locks of a client whose machine or network went away.
    keepalives = {"tcp_keepalives_idle": "30", "tcp_keepalives_interval": "10", "tcp_keepalives_count": "3"}
    # An operator's default of another isolation would show transactions that wait for a lock an old world.
    isolation = {"default_transaction_isolation": "read committed"}
    return {"application_name": application, "timezone": "UTC", **isolation, **keepalives}


def _says_closed(error: asyncpg.InterfaceError) -> bool:
    # The driver has no class of its own for it, and InterfaceError is also what wrong arguments raise.
    words = str(error)
    return type(error) is asyncpg.InterfaceError and ("is closed" in words or "is closing" in words)


def _words(error: BaseException) -> str:
    return str(error) or type(error).__name__


async def _prepare(connection: OwnConnection) -> None:
    for name in ("json", "jsonb"):
        await connection.set_type_codec(name, schema="pg_catalog", encoder=encode_json, decoder=json.loads)


async def _keep(connection: OwnConnection) -> None:
    """No session state is left behind here, so a released connection needs no round trip to be clean."""


async def _close(pool: Pool) -> None:
    try:
        with reaching():
            async with asyncio.timeout(CONNECT_PATIENCE):
                await pool.close()
    except DatabaseUnavailable:
        pool.terminate()
