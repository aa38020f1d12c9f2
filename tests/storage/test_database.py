"""The pool: round trips, transactions, and one error for everything that means "gone"."""

from storage.database import Database


async def test_value_comes_back(database: Database) -> None:
    assert await database.fetchval("SELECT $1::jsonb", {"a": [1]}) == {"a": [1]}
