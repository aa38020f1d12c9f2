"""Places to die: every row the host writes is a step; at a chosen one it is held inside its transaction."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

_LOCK = 4242

_INSTALL = """
CREATE SCHEMA crash;
CREATE SEQUENCE crash.step;
CREATE TABLE crash.plan (target bigint NOT NULL);
INSERT INTO crash.plan VALUES (0);
CREATE UNLOGGED TABLE crash.trace (step bigint, what text);
CREATE FUNCTION crash.pass() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    here bigint;
BEGIN
    IF current_setting('application_name') = 'intercom-host' THEN
        here := nextval('crash.step');
        INSERT INTO crash.trace VALUES (here, TG_TABLE_SCHEMA || '.' || TG_TABLE_NAME || ' ' || lower(TG_OP));
        IF here = (SELECT target FROM crash.plan) THEN
            PERFORM pg_advisory_xact_lock(4242);
        END IF;
    END IF;
    RETURN COALESCE(NEW, OLD);
END $$;
"""
# What is known of chats and people is told again with their next message: nothing is promised of it.
_TABLES = """
SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
WHERE schemaname IN ('host', 'kernel') AND tablename NOT IN ('chats', 'people', 'web_links', 'web_sessions')
ORDER BY 1
"""
_HELD = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND objid = 4242 AND NOT granted)"
_OURS = "pg_stat_activity WHERE application_name = 'intercom-host' AND datname = current_database()"
_FORGET = f"SELECT pg_terminate_backend(pid) FROM {_OURS}"  # noqa: S608 - our own words
_GONE = f"SELECT NOT EXISTS (SELECT FROM {_OURS})"  # noqa: S608 - our own words
_LOOK_EVERY = 0.005


class Points:
    """The steps of one database. The test holds the lock that the chosen step waits for."""

    def __init__(self, connection: "asyncpg.Connection[Any]") -> None:
        self._connection = connection

    @classmethod
    @asynccontextmanager
    async def installed(cls, url: str) -> AsyncIterator["Points"]:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(_INSTALL)
            for row in await connection.fetch(_TABLES):
                await connection.execute(
                    f"CREATE TRIGGER crash_step BEFORE INSERT OR UPDATE OR DELETE ON {row[0]} "
                    "FOR EACH ROW EXECUTE FUNCTION crash.pass()"
                )
            await connection.execute("SELECT pg_advisory_lock($1)", _LOCK)
            yield cls(connection)
        finally:
            await connection.close()

    async def aim(self, step: int) -> None:
        """The host stops when it writes its step-th row from the beginning; 0 lets it run."""
        await self._connection.execute("UPDATE crash.plan SET target = $1", step)

    async def passed(self) -> int:
        count: int = await self._connection.fetchval("SELECT count(*) FROM crash.trace")
        return count

    async def latest(self, count: int = 6) -> list[str]:
        """What was written last, for the message of a failure; what was rolled back left no trace."""
        rows = await self._connection.fetch(
            "SELECT step, what FROM crash.trace ORDER BY step DESC LIMIT $1", count
        )
        return [f"{row['step']}: {row['what']}" for row in reversed(rows)]

    async def held(self) -> None:
        """Return when the host stands at the chosen step."""
        while not await self._connection.fetchval(_HELD):  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(_LOOK_EVERY)

    async def forget_host(self) -> None:
        """What the killed host had not committed is rolled back, as when its machine dies."""
        await self._connection.execute(_FORGET)
        while not await self._connection.fetchval(_GONE):  # noqa: ASYNC110 - another process's state
            await asyncio.sleep(_LOOK_EVERY)
