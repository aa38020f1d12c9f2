"""`intercom intermute serve`: alone on its database, with keys, a socket, and an end in order."""

import asyncio
import os
import signal
import stat
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import aiohttp
import pytest
import yaml

from storage.postmaster import Postmaster
from tests.intermute.calling import PATIENCE, Http
from tests.intermute.cli.installed import Install, Running
from tests.intermute.conftest import elsewhere

SPEC = {"project": "p", "id": "s", "title": "T"}


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=PATIENCE) as session:
        yield session


async def status_with(session: aiohttp.ClientSession, running: Running, key: str) -> int:
    answer = await Http(session, running.url).get("/api/specs", headers=elsewhere(key))
    return answer.status


async def test_it_serves_on_a_port_and_a_socket_until_it_is_told_to_stop(
    install: Install, folder: Path, session: aiohttp.ClientSession
) -> None:
    socket = folder / "intermute.sock"
    async with install.serving("--socket", str(socket)) as running:
        http = Http(session, running.url)
        assert (await http.get("/health")).body == {"status": "ok"}
        assert (await http.post("/api/specs", SPEC)).status == 201
        assert stat.S_IMODE(socket.stat().st_mode) == 0o660
        async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(socket))) as over_socket:
            read = await Http(over_socket, "http://localhost").get("/api/specs/s", project="p")
            assert (read.status, read["title"]) == (200, "T")
        assert await running.stop() == 0
    assert not socket.exists()
    assert "Traceback" not in running.log.read_text()
    async with install.serving() as running:
        assert (await Http(session, running.url).get("/api/specs/s", project="p")).status == 200


async def test_a_killed_one_loses_nothing_and_the_next_takes_its_socket(
    install: Install, folder: Path, session: aiohttp.ClientSession
) -> None:
    socket = folder / "intermute.sock"
    async with install.serving("--socket", str(socket)) as running:
        assert (await Http(session, running.url).post("/api/specs", SPEC)).status == 201
        running.signal(signal.SIGKILL)
    assert socket.exists()
    async with install.serving("--socket", str(socket)) as running:
        assert (await Http(session, running.url).get("/api/specs/s", project="p"))["version"] == 1
        assert await running.stop() == 0


async def test_one_at_a_time_may_use_a_socket(install: Install, folder: Path) -> None:
    socket = folder / "intermute.sock"
    async with install.serving("--socket", str(socket)):
        ended = await install.run("serve", "--port", "0", "--socket", str(socket))
        assert ended.status == 1
        assert str(socket) in ended.complained
        assert "Traceback" not in ended.complained


async def test_a_keys_file_is_made_and_its_key_opens_the_project_dev(
    install: Install, folder: Path, session: aiohttp.ClientSession
) -> None:
    path = folder / "intermute.keys.yaml"
    async with install.serving() as running:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        (key,) = yaml.safe_load(path.read_text())["projects"]["dev"]["keys"]
        assert len(key) == 43
        assert await status_with(session, running, key) == 200
        assert await status_with(session, running, "another") == 401
    assert any(str(path) in line for line in running.printed)
    assert key not in running.log.read_text() + "".join(running.printed)


async def test_keys_are_read_again_on_sighup_and_kept_where_the_file_is_wrong(
    install: Install, folder: Path, session: aiohttp.ClientSession
) -> None:
    path = folder / "keys.yaml"
    path.write_text("projects: {a: {keys: [first]}}")
    async with install.serving("--keys-file", str(path)) as running:
        assert await status_with(session, running, "first") == 200
        path.write_text("projects: {a: {keys: [second]}}")
        running.signal(signal.SIGHUP)

        async def opened() -> bool:
            return await status_with(session, running, "second") == 200

        async def said() -> bool:
            return "keys.not_read" in await asyncio.to_thread(running.log.read_text)

        await until(opened)
        assert await status_with(session, running, "first") == 401
        path.write_text("projects: [")
        running.signal(signal.SIGHUP)
        await until(said)
        assert await status_with(session, running, "second") == 200
        assert await running.stop() == 0


async def until(done: Callable[[], Awaitable[bool]]) -> None:
    """Ask until it is so: it is another process, nothing here could wake us."""
    async with asyncio.timeout(40):
        while not await done():  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def test_a_port_that_is_taken_is_said_in_a_sentence(install: Install) -> None:
    async with install.serving() as running:
        port = running.url.rpartition(":")[2]
        ended = await install.run("serve", "--port", port)
        assert ended.status == 1
        assert f"cannot listen on 127.0.0.1:{port}" in ended.complained
        assert "Traceback" not in ended.complained


async def test_a_name_that_is_no_address_is_said_in_a_sentence(install: Install) -> None:
    ended = await install.run("serve", "--port", "0", "--host", "999.1.1.1")
    assert ended.status == 1
    assert "cannot listen on 999.1.1.1:0: " in ended.complained
    assert "Unknown error" not in ended.complained


async def test_a_keys_file_that_is_wrong_keeps_it_from_starting(install: Install, folder: Path) -> None:
    path = folder / "intermute.keys.yaml"
    path.write_text("projects: {a: {keys: [same]}, b: {keys: [same]}}")
    ended = await install.run("serve", "--port", "0")
    assert ended.status == 1
    assert "key reused across projects" in ended.complained
    assert "Traceback" not in ended.complained
    assert path.read_text().count("same") == 2


async def test_the_settings_are_the_limits(install: Install, session: aiohttp.ClientSession) -> None:
    async with install.serving(INTERCOM_INTERMUTE__RESERVATIONS="1") as running:
        http = Http(session, running.url)
        answers = [
            await http.post("/api/reservations", {"agent_id": "a", "project": "p", "path_pattern": path})
            for path in ("one", "two")
        ]
        assert [answer.status for answer in answers] == [201, 429]


async def test_an_embedded_database_that_dies_is_started_again_and_has_every_acknowledged_write(
    folder: Path, session: aiohttp.ClientSession
) -> None:
    async with Install(folder, {}).serving() as running:
        http = Http(session, running.url)
        assert (await http.post("/api/specs", SPEC)).status == 201
        postmaster = Postmaster.read(folder / "home" / "postgres")
        assert postmaster is not None
        os.kill(postmaster.pid, signal.SIGKILL)

        async def read() -> bool:
            return (await http.get("/api/specs/s", project="p")).status == 200

        async def written() -> bool:
            return (await http.post("/api/specs", {"project": "p"})).status == 201

        await until(read)
        await until(written)
        assert await running.stop() == 0
