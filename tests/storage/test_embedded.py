"""One server per data folder: shared on purpose, refused to a second host, taken over after a kill."""

import asyncio
import os
import signal
import stat
from contextlib import AbstractAsyncContextManager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.errors import DatabaseUnavailable, DataFolderBusy, ServerFailed
from storage.postmaster import Postmaster
from tests.conftest import QUICK
from tests.storage.processes import line, python


def host(home: Path) -> AbstractAsyncContextManager[str]:
    return EmbeddedServer.running(home, exclusive=True, settings=QUICK)


def server_of(home: Path) -> Postmaster | None:
    return Postmaster.read(home / "postgres")


async def asked(url: str) -> object:
    async with Database.open(url, size=1) as database:
        return await database.fetchval("SELECT 42")


async def test_the_last_to_leave_stops_the_server_and_data_outlives_it(home: Path) -> None:
    for before in ([], ["kept"]):
        async with host(home) as url, Database.open(url, size=1) as database:
            await database.execute("CREATE TABLE IF NOT EXISTS note (text text)")
            assert [row[0] for row in await database.fetch("SELECT text FROM note")] == before
            await database.execute("INSERT INTO note VALUES ('kept')")
        assert server_of(home) is None


async def test_settings_are_durable_and_small_and_the_socket_is_private(home: Path) -> None:
    async with EmbeddedServer.running(home, exclusive=True) as url, Database.open(url, size=1) as database:
        names = "fsync full_page_writes synchronous_commit data_checksums"
        names += " shared_buffers listen_addresses TimeZone"
        settings = {
            name: await database.fetchval("SELECT current_setting($1)", name) for name in names.split()
        }
        assert settings == {
            "fsync": "on",
            "full_page_writes": "on",
            "synchronous_commit": "on",
            "data_checksums": "on",
            "shared_buffers": "32MB",
            "listen_addresses": "",
            "TimeZone": "UTC",
        }
        collation = await database.fetchval("SELECT datlocale FROM pg_database WHERE datname = 'postgres'")
        assert collation == "C.UTF-8"
        server = server_of(home)
        assert server is not None
        assert stat.S_IMODE((server.sockets / ".s.PGSQL.5432").stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700
        assert stat.S_IMODE((home / "host.lock").stat().st_mode) == 0o600


async def test_a_second_host_is_refused_naming_the_first(home: Path) -> None:
    async with python("use", str(home), "host") as first:
        assert (await line(first)).startswith("using ")
        words = rf"another Intercom host \(pid {first.pid}\) uses {home}; stop it or set INTERCOM_HOME"
        with pytest.raises(DataFolderBusy, match=words):
            async with host(home):
                pass
        assert server_of(home) is not None


async def test_processes_racing_for_a_new_folder_share_one_server(home: Path) -> None:
    async with (
        python("use", str(home), "guest") as one,
        python("use", str(home), "host") as two,
        python("use", str(home), "guest") as three,
    ):
        said = {await line(process) for process in (one, two, three)}
        assert len(said) == 1
        assert said.pop().startswith("using ")
    assert server_of(home) is None


async def test_two_hosts_racing_leave_one(home: Path) -> None:
    async with python("use", str(home), "host") as one, python("use", str(home), "host") as two:
        said = sorted([await line(one), await line(two)])
    assert said[0].startswith("DataFolderBusy: another Intercom host")
    assert said[1].startswith("using ")


async def test_a_command_beside_the_host_does_not_stop_it_and_may_outlive_it(home: Path) -> None:
    async with python("use", str(home), "guest") as command:
        async with host(home) as url:
            await line(command)
            async with EmbeddedServer.running(home, exclusive=False, settings=QUICK) as same:
                assert same == url
            assert await asked(url) == 42
        assert await asked(url) == 42
    assert server_of(home) is None


async def test_after_a_killed_host_the_next_takes_the_running_server_over(home: Path) -> None:
    async with python("use", str(home), "host") as first:
        said = await line(first)
        first.kill()
        async with asyncio.timeout(10):
            await first.wait()
        async with python("use", str(home), "host") as second:
            assert await line(second) == said
    assert server_of(home) is None


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGKILL])
async def test_a_server_that_dies_under_the_host_is_started_again(home: Path, how: signal.Signals) -> None:
    async with host(home) as url, Database.open(url, size=1) as database:
        server = server_of(home)
        assert server is not None
        os.kill(server.pid, how)
        async with asyncio.timeout(20):
            while not ((again := server_of(home)) and again.pid != server.pid and again.status == "ready"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        with suppress(DatabaseUnavailable):
            await database.fetchval("SELECT 42")
        assert await database.fetchval("SELECT 42") == 42


async def test_a_server_that_cannot_be_started_again_is_tried_until_it_can(home: Path) -> None:
    with capture_logs() as said:
        async with host(home) as url:
            server = server_of(home)
            assert server is not None
            settings = home / "postgres" / "postgresql.auto.conf"
            settings.write_text("max_connections = nonsense\n")
            os.kill(server.pid, signal.SIGKILL)
            async with asyncio.timeout(20):
                while not any(entry["event"] == "postgres.not_started" for entry in said):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            settings.write_text("")
            async with asyncio.timeout(20):
                while not ((again := server_of(home)) and again.status == "ready"):  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert await asked(url) == 42


@pytest.mark.parametrize("name", ["postmaster.pid", ".s.PGSQL.5432.lock"])
async def test_a_stale_lock_file_naming_a_living_stranger_does_not_keep_it_from_starting(
    home: Path, name: str
) -> None:
    async with host(home):
        left_behind = (home / "postgres" / name).read_text()
    stale = left_behind.splitlines()
    stale[0] = str(os.getpid())
    (home / "postgres" / name).write_text("\n".join(stale) + "\n")
    async with host(home) as url:
        assert await asked(url) == 42


@pytest.mark.parametrize("name", ["x" * 150, "with space, comma 'quote' & ümlaut"])
async def test_long_and_odd_folders_work(home: Path, name: str) -> None:
    async with host(home / name) as url:
        assert await asked(url) == 42
        server = server_of(home / name)
        assert server is not None
        assert stat.S_IMODE(server.sockets.stat().st_mode) == 0o700
    assert not server.sockets.exists()


async def test_an_interrupted_first_start_is_begun_afresh(home: Path) -> None:
    half_made = home / "postgres.new-half"
    half_made.mkdir()
    (half_made / "PG_VERSION").write_text("18")
    async with host(home) as url:
        assert await asked(url) == 42
    assert not half_made.exists()


async def test_a_folder_of_another_postgres_is_refused_in_words(home: Path) -> None:
    (home / "postgres").mkdir()
    (home / "postgres" / "PG_VERSION").write_text("16\n")
    with pytest.raises(ServerFailed, match="was made by PostgreSQL 16, this program brings 18"):
        async with EmbeddedServer.running(home, exclusive=True):
            pass


async def test_a_server_that_does_not_start_says_why_and_frees_the_folder(home: Path) -> None:
    with pytest.raises(ServerFailed, match=r"(?s)does not start.*no_such_setting"):
        async with EmbeddedServer.running(home, exclusive=True, settings={"no_such_setting": "1"}):
            pass
    async with host(home) as url:
        assert await asked(url) == 42


async def test_a_folder_that_cannot_be_made_is_refused_in_words(home: Path) -> None:
    (home / "file").write_text("")
    with pytest.raises(ServerFailed, match="cannot be used"):
        async with EmbeddedServer.running(home / "file" / "home", exclusive=True):
            pass


async def test_after_leaving_the_database_is_unavailable(home: Path) -> None:
    async with EmbeddedServer.running(home, exclusive=False, settings=QUICK) as url:
        pass
    with pytest.raises(DatabaseUnavailable):
        await asked(url)
