"""Schemas are brought up to date once, in order, or not at all."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from storage.database import Database
from storage.errors import BrokenMigrations, SchemaTooNew
from storage.migrations import Part, migrate, steps_of
from tests.conftest import parts

FIRST = "CREATE TABLE shop.item (id int PRIMARY KEY);"
SECOND = "ALTER TABLE shop.item ADD name text; INSERT INTO shop.item VALUES (1, 'pen');"


@pytest.fixture
async def empty(empty_database_url: str) -> AsyncIterator[Database]:
    async with Database.open(empty_database_url, size=4) as database:
        yield database


@pytest.fixture
def shop(tmp_path: Path) -> Part:
    return part_of(tmp_path, "0001_items.sql", FIRST)


def part_of(folder: Path, *names_and_texts: str) -> Part:
    for name, text in zip(names_and_texts[::2], names_and_texts[1::2], strict=True):
        (folder / name).write_text(text)
    return Part("shop", folder)


async def applied(database: Database) -> list[tuple[str, int, str]]:
    rows = await database.fetch("SELECT part, version, name FROM storage.schema_version ORDER BY 1, 2")
    return [tuple(row) for row in rows]


async def test_every_parts_own_migrations_fit_an_empty_database(empty: Database) -> None:
    await migrate(empty, parts())
    expected = [(part.name, step.version, step.name) for part in parts() for step in steps_of(part)]
    assert await applied(empty) == sorted(expected)


async def test_files_are_applied_in_order_and_only_once(empty: Database, shop: Part) -> None:
    await migrate(empty, [shop])
    part_of(shop.folder, "0002_names.sql", SECOND)
    await migrate(empty, [shop])
    await migrate(empty, [shop])
    assert await applied(empty) == [("shop", 1, "items"), ("shop", 2, "names")]
    assert await empty.fetchval("SELECT name FROM shop.item") == "pen"


async def test_processes_that_start_together_migrate_once(
    empty_database_url: str, empty: Database, shop: Part
) -> None:
    part_of(shop.folder, "0002_names.sql", SECOND + "SELECT pg_sleep(0.05);")
    async with Database.open(empty_database_url) as other, asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        for database in (empty, other, empty, other):
            tasks.create_task(migrate(database, [shop]))
    assert await applied(empty) == [("shop", 1, "items"), ("shop", 2, "names")]


async def test_a_failing_file_changes_nothing_and_the_next_attempt_goes_on_there(
    empty: Database, shop: Part
) -> None:
    part_of(shop.folder, "0002_names.sql", SECOND + "TABLE nowhere;")
    with pytest.raises(BrokenMigrations, match=r'0002_names.sql of shop failed: relation "nowhere"'):
        await migrate(empty, [shop])
    assert await applied(empty) == [("shop", 1, "items")]
    part_of(shop.folder, "0002_names.sql", SECOND)
    async with asyncio.timeout(5):
        await migrate(empty, [shop])
    assert await empty.fetchval("SELECT count(*) FROM shop.item") == 1


async def test_a_schema_from_a_newer_program_is_refused_untouched(empty: Database, shop: Part) -> None:
    await migrate(empty, [part_of(shop.folder, "0002_names.sql", SECOND)])
    (shop.folder / "0002_names.sql").unlink()
    with pytest.raises(SchemaTooNew, match=r"newer Intercom \(shop schema version 2, this program knows 1\)"):
        await migrate(empty, [shop])
    assert await applied(empty) == [("shop", 1, "items"), ("shop", 2, "names")]


async def test_one_part_that_does_not_fit_keeps_the_others_from_changing(
    empty: Database, shop: Part, tmp_path_factory: pytest.TempPathFactory
) -> None:
    await migrate(empty, [shop])
    (shop.folder / "0001_items.sql").rename(shop.folder / "0001_things.sql")
    other = tmp_path_factory.mktemp("other")
    (other / "0001_first.sql").write_text("CREATE TABLE other.t (id int)")
    with pytest.raises(BrokenMigrations, match=r"applied as 'items' but the file is now named 'things'"):
        await migrate(empty, [Part("other", other), shop])
    assert await applied(empty) == [("shop", 1, "items")]


async def test_an_unknown_parts_rows_are_left_alone(empty: Database, shop: Part) -> None:
    await migrate(empty, [shop])
    await empty.execute("INSERT INTO storage.schema_version VALUES ('later', 9, 'words')")
    await migrate(empty, [shop])


async def test_before_an_upgrade_the_caller_is_asked_once_and_may_refuse(empty: Database, shop: Part) -> None:
    seen: list[Mapping[str, int]] = []

    async def remember(versions: Mapping[str, int]) -> None:
        seen.append(dict(versions))
        if len(seen) == 1:
            raise BrokenMigrations("the disk is full")

    await migrate(empty, [shop], before_upgrade=remember)
    assert seen == []
    part_of(shop.folder, "0002_names.sql", SECOND, "0003_more.sql", "SELECT 1")
    with pytest.raises(BrokenMigrations, match="disk is full"):
        await migrate(empty, [shop], before_upgrade=remember)
    assert len(await applied(empty)) == 1
    await migrate(empty, [shop], before_upgrade=remember)
    await migrate(empty, [shop], before_upgrade=remember)
    assert seen == [{"shop": 1}, {"shop": 1}]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["0001_a.sql", "0003_c.sql"], "without gaps; there are 0001, 0003"),
        (["0001_a.sql", "0001_b.sql"], "without gaps"),
        (["0002_a.sql"], "without gaps"),
        ([], "are none"),
        (["0001_a.sql", "2_b.sql"], "2_b.sql is not named like 0001_words.sql"),
        (["0001_A b.sql"], "is not named like"),
    ],
)
def test_misnumbered_files_are_refused(tmp_path: Path, names: list[str], words: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(BrokenMigrations, match=words):
        steps_of(Part("shop", tmp_path))


def test_a_part_whose_name_cannot_be_a_schema_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenMigrations, match="cannot be the name of a schema"):
        steps_of(Part('x"; DROP', tmp_path))
