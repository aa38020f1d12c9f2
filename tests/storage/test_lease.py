"""One holder per database and name; losing it ends the holder, a broken connection alone does not."""

import asyncio

import asyncpg
import pytest

from storage.database import Database
from storage.errors import DatabaseTaken, LeaseLost
from storage.lease import exclusive, lock_key

HOLDERS = """
    SELECT pid FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE locktype = 'advisory' AND granted AND datname = current_database()
"""
CUT = "SELECT pg_terminate_backend($1, 5000)"
WAITING = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND pid = $1"


async def until(database: Database, sql: str, *args: object, unlike: object) -> object:
    """Ask until the answer is another one."""
    async with asyncio.timeout(10):
        while (answer := await database.fetchval(sql, *args)) in (unlike, None):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    return answer


async def test_a_second_holder_is_refused_naming_the_first(database_url: str) -> None:
    async with exclusive(database_url, "host"):
        with pytest.raises(
            DatabaseTaken, match=r"another Intercom host .*intercom-host-\w+ from this machine"
        ):
            async with exclusive(database_url, "host"):
                pass
        async with exclusive(database_url, "janitor"):
            pass
    async with asyncio.timeout(10), exclusive(database_url, "host"):
        pass


async def test_a_database_beside_it_is_another_matter(database_url: str, empty_database_url: str) -> None:
    async with exclusive(database_url, "host"), exclusive(empty_database_url, "host"):
        pass


async def test_a_broken_connection_is_replaced_and_the_lease_kept(
    database: Database, database_url: str
) -> None:
    async with exclusive(database_url, "host"):
        first = await database.fetchval(HOLDERS)
        await database.fetchval(CUT, first)
        await until(database, HOLDERS, unlike=first)
        with pytest.raises(DatabaseTaken):
            async with exclusive(database_url, "host"):
                pass


async def test_a_lease_taken_by_another_meanwhile_ends_its_holder(
    database: Database, database_url: str
) -> None:
    other = await asyncpg.connect(database_url)

    async def lose() -> None:
        async with exclusive(database_url, "host"), asyncio.TaskGroup() as tasks:
            tasks.create_task(other.execute("SELECT pg_advisory_lock($1)", lock_key("host")))
            await until(database, WAITING, other.get_server_pid(), unlike=0)
            await database.fetchval(CUT, await database.fetchval(HOLDERS))
            await asyncio.Event().wait()

    try:
        with pytest.raises(LeaseLost, match="has taken this database over"):
            async with asyncio.timeout(10):
                await lose()
    finally:
        await other.close()
