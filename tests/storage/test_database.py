"""The pool: round trips, transactions, and one error for everything that means "gone"."""

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import asyncpg
import pytest

from storage.database import Database
from storage.errors import DatabaseUnavailable
from storage.ids import NewId

CUT = """
    SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


@pytest.fixture
async def notes(database: Database) -> Database:
    await database.execute("CREATE TABLE note (text text UNIQUE DEFERRABLE INITIALLY DEFERRED)")
    return database


async def written(database: Database) -> list[str]:
    return [row["text"] for row in await database.fetch("SELECT text FROM note ORDER BY text")]


async def test_values_come_back_as_python_values(database: Database, new_id: NewId) -> None:
    value = {"list": [1, 2.5, None, True], "text": "Grüße 🙂", "nested": {"a": []}}
    when = datetime(2026, 1, 5, 10, tzinfo=timezone(timedelta(hours=1)))
    row = await database.fetchrow(
        "SELECT $1::jsonb jsonb, $2::json json, $3::uuid id, $4::timestamptz AS at, $5::bytea raw",
        value,
        [value],
        id_ := new_id(),
        when,
        b"\x00\xff",
    )
    assert row is not None
    assert dict(row) == {"jsonb": value, "json": [value], "id": id_, "at": when, "raw": b"\x00\xff"}
    assert row["at"].tzinfo == UTC


async def test_null_is_none_and_json_null_is_none_too(database: Database) -> None:
    assert await database.fetchval("SELECT NULL::jsonb") is None
    assert await database.fetchval("SELECT 'null'::jsonb") is None
    assert await database.fetchrow("SELECT 1 WHERE false") is None
    assert await database.execute("UPDATE host.chats SET title = ''") == "UPDATE 0"


async def test_a_transaction_is_committed_on_leave(notes: Database) -> None:
    async with notes.transaction() as connection:
        await connection.execute("INSERT INTO note VALUES ('kept')")
        assert await written(notes) == []
    assert await written(notes) == ["kept"]


async def test_an_exception_rolls_back_and_leaves_as_it_is(notes: Database) -> None:
    error = ValueError("changed my mind")

    async def change_my_mind() -> None:
        async with notes.transaction() as connection:
            await connection.execute("INSERT INTO note VALUES ('lost')")
            raise error

    with pytest.raises(ValueError, match="changed my mind") as raised:
        await change_my_mind()
    assert raised.value is error
    assert await written(notes) == []


async def test_a_cancelled_transaction_is_rolled_back(notes: Database) -> None:
    inside = asyncio.Event()

    async def work() -> None:
        async with notes.transaction() as connection:
            await connection.execute("INSERT INTO note VALUES ('lost')")
            inside.set()
            await asyncio.Event().wait()

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(work())
        await inside.wait()
        task.cancel()
    assert await written(notes) == []


async def test_a_commit_that_fails_is_the_callers_error(notes: Database) -> None:
    with pytest.raises(asyncpg.UniqueViolationError):
        async with notes.transaction() as connection:
            await connection.execute("INSERT INTO note VALUES ('twice'), ('twice')")
    assert await written(notes) == []


async def test_a_timeout_of_the_callers_own_is_not_the_databases(database: Database) -> None:
    with pytest.raises(TimeoutError):
        async with database.transaction():
            raise TimeoutError


async def test_a_wrong_statement_is_not_unavailable(database: Database) -> None:
    with pytest.raises(asyncpg.UndefinedTableError):
        await database.fetch("SELECT * FROM nowhere")
    with pytest.raises(asyncpg.InterfaceError):
        await database.fetch("SELECT $1::int")
    with pytest.raises(asyncpg.DataError):
        await database.fetch("SELECT $1::int", "words")


async def test_a_cut_connection_is_unavailable_once_and_then_replaced(notes: Database) -> None:
    async def write_while_being_cut() -> None:
        async with notes.transaction() as connection:
            await connection.execute("INSERT INTO note VALUES ('lost')")
            await notes.fetch(CUT)
            await connection.execute("SELECT 1")

    with pytest.raises(DatabaseUnavailable) as raised:
        await write_while_being_cut()
    assert raised.value.__cause__ is not None
    assert await written(notes) == []


async def test_many_callers_share_a_small_pool(database_url: str) -> None:
    async with (
        Database.open(database_url, size=2) as database,
        asyncio.timeout(10),
        asyncio.TaskGroup() as tasks,
    ):
        waits = [tasks.create_task(database.fetchval("SELECT $1::int", n)) for n in range(50)]
    assert [wait.result() for wait in waits] == list(range(50))


async def test_the_server_is_told_who_is_connected(database_url: str) -> None:
    async with Database.open(database_url, application="intercom-host") as database:
        assert await database.fetchval("SELECT current_setting('application_name')") == "intercom-host"


async def test_a_closed_database_is_unavailable(database_url: str) -> None:
    async with Database.open(database_url) as database:
        pass
    with pytest.raises(DatabaseUnavailable):
        await database.fetch("SELECT 1")


@pytest.mark.parametrize(
    "url", ["postgresql://nobody@localhost:1/nothing", "postgresql:///x?host={folder}&port=1"]
)
async def test_no_server_is_unavailable_with_the_cause_kept(url: str, tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="cannot be reached") as raised:
        async with Database.open(url.format(folder=tmp_path)):
            pass
    assert isinstance(raised.value.__cause__, OSError)


async def test_a_missing_database_is_unavailable(database_url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="does not let us in"):
        async with Database.open(database_url.replace("/test_", "/no_test_")):
            pass


@pytest.mark.parametrize("url", ["mysql://localhost/x", "postgresql://me:se/cret@localhost:x/y", "words"])
async def test_a_url_that_is_none_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(DatabaseUnavailable, match="looks like postgresql://") as raised:
        async with Database.open(url):
            pass
    assert "cret" not in str(raised.value)
    assert raised.value.__cause__ is None
