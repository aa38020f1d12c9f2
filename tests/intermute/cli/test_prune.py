"""`intercom intermute prune`: counts first, then removes, and only what the operator asked for."""

import json

from storage.database import Database
from tests.intermute.cli.installed import Install


async def old_events(database: Database, count: int) -> None:
    await database.execute(
        "INSERT INTO intermute.events (cursor, project, type, data, at) "
        "SELECT number, 'p', 'message.read', '{\"message_id\": \"m\"}', now() - interval '10 days' "
        "FROM generate_series(1, $1::int) AS number",
        count,
    )
    await database.execute("UPDATE intermute.counter SET cursor = $1", count)


async def left(database: Database) -> int:
    number: int = await database.fetchval("SELECT count(*) FROM intermute.events")
    return number


async def test_nothing_is_removed_unless_days_are_given_or_set(install: Install, database: Database) -> None:
    await old_events(database, 3)
    ended = await install.run("prune")
    assert ended.status == 2
    assert "INTERCOM_INTERMUTE__RETENTION__MESSAGES" in ended.complained
    assert await left(database) == 3


async def test_a_dry_run_counts_and_the_other_removes(install: Install, database: Database) -> None:
    await old_events(database, 3)
    assert (await install.run("prune", "--events", "9", "--dry-run")).printed == "Would remove 3 events.\n"
    assert await left(database) == 3
    counted = await install.run("prune", "--events", "9", "--json")
    assert json.loads(counted.printed) == {"messages": 0, "events": 3, "reservations": 0, "dry_run": False}
    assert await left(database) == 0
    assert (await install.run("prune", "--events", "9")).printed == "Removed nothing.\n"


async def test_the_settings_say_the_days_and_an_option_says_otherwise(
    install: Install, database: Database
) -> None:
    await old_events(database, 3)
    days = {"INTERCOM_INTERMUTE__RETENTION__EVENTS": "9"}
    assert (await install.run("prune", "--events", "11", **days)).printed == "Removed nothing.\n"
    assert (await install.run("prune", "--events", "0", **days)).status == 2
    assert (await install.run("prune", **days)).printed == "Removed 3 events.\n"
