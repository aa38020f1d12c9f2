"""A plan made while the tables were empty, and kept, must do when there are a million messages."""

import pytest

from storage import sql
from storage.database import Database

TABLES = ("messages", "inbox", "threads", "events", "agents", "words")

NOW = "'2026-01-05T09:00:00Z'"
SEND = ", ".join([*["'{x}'"] * 13, "'{f}'", "'{f}'", "'{1}'", "'{ben}'", "'{to}'", NOW])
ASKED = {
    "messages.send": SEND,
    "messages.stands": "'p', 'm'",
    "messages.say_again": "1, '', '', '', '', false",
    "messages.injected": f"1, 'p', '{{ben}}', {NOW}",
    "marks.put": f"'p', 'm', 'ben', false, {NOW}",
    "marks.sole": "'p', 'm'",
    "inbox.page": "'ben', 'p', 0, 100",
    "inbox.page_of_all": "'ben', 0, 100",
    "inbox.counts": "'ben', 'p'",
    "inbox.stale": f"'ben', 'p', {NOW}, 20, 0",
    "inbox.topic": "'p', 't', 0, 100",
    "threads.page": "'p', 'ben', 0, 50",
    "threads.messages": "'p', 't', 0, 1000",
    "search.put_down": "250",
}


@pytest.mark.parametrize("name", ASKED)
async def test_no_table_is_read_as_a_whole(database: Database, name: str) -> None:
    statements = sql.load("intermute", "messages", "marks", "inbox", "threads", "search")
    async with database.connection() as conn, conn.transaction():
        await conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        await conn.execute(f"PREPARE asked AS {statements[name]}")
        plan = [row[0] for row in await conn.fetch(f"EXPLAIN EXECUTE asked ({ASKED[name]})")]
        await conn.execute("DEALLOCATE asked")
    scanned = [table for table in TABLES for line in plan if f"Seq Scan on {table}" in line]
    assert not scanned, "\n".join(plan)
