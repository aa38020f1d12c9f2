"""A dump before an upgrade: complete, private, and only the newest are kept."""

import stat
from pathlib import Path

import pytest

from storage import programs
from storage.backup import _without_password, dump
from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.errors import ServerFailed
from storage.migrations import migrate
from storage.restore import restore
from tests.clock import HandClock
from tests.conftest import parts


def files(folder: Path) -> list[Path]:
    return sorted(folder.iterdir())


async def test_a_dump_restores_into_an_empty_database(
    database: Database, database_url: str, empty_database_url: str, clock: HandClock, tmp_path: Path
) -> None:
    await database.execute("INSERT INTO host.chats VALUES ('tg:-1', 'Grüße', false, now())")
    path = await dump(database_url, tmp_path / "backups", clock)
    assert path.name == "20260105T090000.000000Z.dump"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    await programs.run("pg_restore", f"--dbname={empty_database_url}", str(path))
    async with Database.open(empty_database_url, size=1) as restored:
        assert await restored.fetchval("SELECT title FROM host.chats") == "Grüße"


async def test_a_dump_restores_into_a_new_data_folder_once(
    database: Database, database_url: str, clock: HandClock, tmp_path: Path, home: Path
) -> None:
    await database.execute("INSERT INTO host.chats VALUES ('tg:-1', 'Grüße', false, now())")
    path = await dump(database_url, tmp_path, clock)
    await restore(home, path)
    async with EmbeddedServer.running(home, exclusive=True) as url, Database.open(url, size=2) as restored:
        assert await restored.fetchval("SELECT title FROM host.chats") == "Grüße"
        await migrate(restored, parts())
    with pytest.raises(ServerFailed, match="holds a database already"):
        await restore(home, path)


async def test_a_file_that_is_no_dump_is_refused_in_words(tmp_path: Path, home: Path) -> None:
    file = tmp_path / "words.dump"
    file.write_text("not a dump")
    with pytest.raises(ServerFailed, match="pg_restore failed"):
        await restore(home, file)


async def test_only_the_newest_dumps_are_kept(
    empty_database_url: str, clock: HandClock, tmp_path: Path
) -> None:
    made = []
    for _ in range(4):
        made.append(await dump(empty_database_url, tmp_path, clock, kept=2))
        await clock.advance(1)
    assert files(tmp_path) == made[-2:]


async def test_a_dump_that_fails_leaves_the_former_ones(
    empty_database_url: str, clock: HandClock, tmp_path: Path
) -> None:
    good = await dump(empty_database_url, tmp_path, clock)
    await clock.advance(1)
    with pytest.raises(ServerFailed, match="could not be backed up, so nothing was changed"):
        await dump(empty_database_url.replace("/test_", "/no_test_"), tmp_path, clock)
    assert files(tmp_path) == [good]


def test_the_password_is_not_in_the_arguments() -> None:
    address, environment = _without_password("postgresql://me:s%3Acret@db:5433/x?sslmode=require")
    assert address == "postgresql://me@db:5433/x?sslmode=require"
    assert environment == {"PGPASSWORD": "s:cret"}
    assert _without_password("postgresql://postgres@/x?host=/a") == ("postgresql://postgres@/x?host=/a", {})
