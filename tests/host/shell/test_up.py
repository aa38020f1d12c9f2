"""`intercom up` as an operator runs it: a real process and database, a Telegram server, the page."""

import asyncio
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from container.docker import DockerSandbox
from container.engine import Engine
from container.sandbox import SandboxUnavailable
from storage.embedded import EmbeddedServer
from tests.conftest import TestServer
from tests.host.shell.page import offers, opened, words
from tests.program import Program
from tests.servers.telegram import TOKEN, TelegramServer

ANA = 1000
PATIENCE = 60.0
NO_ENGINE = {"DOCKER_HOST": "unix:///nonexistent/docker.sock"}


@pytest.fixture
async def home() -> AsyncIterator[Path]:
    # Short, because the path of a socket is.
    folder = Path(tempfile.mkdtemp(prefix="ic-"))
    yield folder
    await _remove_containers(_install(folder))
    if (folder / "postgres").exists():
        async with EmbeddedServer.running(folder, exclusive=False):
            pass  # a killed host leaves its server running; the last user stops it
    shutil.rmtree(folder, ignore_errors=True)


def _install(home: Path) -> str:
    file = home / "install-id"
    return file.read_text().strip() if file.exists() else "none"


async def _remove_containers(install: str) -> None:
    """A killed host leaves its containers to its next start, which a test's host does not have."""
    engine = Engine()
    sandbox = DockerSandbox(install, engine)
    try:
        for left in await sandbox.running():
            await sandbox.stop(left.id, grace=0)
    except SandboxUnavailable:
        pass  # no engine, no containers
    finally:
        await engine.close()


@pytest.fixture
def external(postgres: TestServer) -> Iterator[dict[str, str]]:
    """A database of the tests' own server: quicker than one in the home."""
    name = postgres.create(migrated=True)
    yield {"INTERCOM_DATABASE_URL": postgres.url(name)}
    postgres.drop(name)


@pytest.fixture
async def telegram() -> AsyncIterator[TelegramServer]:
    async with TelegramServer.running() as server:
        yield server


def with_telegram(server: TelegramServer, **more: str) -> dict[str, str]:
    return {"INTERCOM_TELEGRAM__TOKEN": TOKEN, "INTERCOM_TELEGRAM__API_BASE": server.url, **more}


SANDBOXES = ["process", pytest.param("docker", marks=pytest.mark.docker)]


@pytest.mark.parametrize("sandbox", SANDBOXES)
async def test_a_question_in_telegram_is_answered_and_a_stop_is_clean(
    home: Path, telegram: TelegramServer, sandbox: str
) -> None:
    owners = f'["tg:{ANA}"]'
    settings = with_telegram(telegram, INTERCOM_SANDBOX=sandbox, INTERCOM_OWNERS=owners)
    async with Program(home, settings).running() as program:
        telegram.say(ANA, ANA, "create an issue: mend the fence")
        await telegram.wait_for_message(ANA, "mend the fence", within=PATIENCE)
        status, seconds = await program.stop()
        assert status == 0, program.last_words()
        assert seconds < 30


@pytest.mark.parametrize("sandbox", SANDBOXES)
async def test_a_run_is_asked_for_approved_and_its_gate_rejected_on_the_page(
    home: Path, sandbox: str
) -> None:
    async with Program(home, {"INTERCOM_SANDBOX": sandbox}).running() as program:
        status, link = await program.command("link")
        assert status == 0, link
        async with opened(link.strip()) as page:
            await page.say("start a run to refactor auth")
            card = await page.item(lambda item: offers(item, "approve"), PATIENCE)
            assert "refactor auth" in words(card)
            await page.tap(card, "approve")
            await page.item(lambda item: item["id"] == card["id"] and "Approved" in words(item), PATIENCE)

            status, listed = await program.command("kernel", "run", "list", "--json")
            assert status == 0, listed
            (run,) = re.findall(r'"id": ?"([^"]+)"', listed)[:1]
            status, printed = await program.command("kernel", "run", "advance", run)
            gate = await page.item(lambda item: item["id"] != card["id"] and offers(item, "reject"), PATIENCE)
            assert "refactor auth" in words(gate), printed
            await page.tap(gate, "reject")
            await page.item(lambda item: item["id"] == gate["id"] and "Rejected" in words(item), PATIENCE)

            history = await page.get("/api/rooms/main/history?limit=50")
            assert any("start a run to refactor auth" in words(item) for item in history["items"])
            assert any("Rejected" in words(item) for item in history["items"])


async def test_a_second_host_on_the_folder_is_refused_in_words(home: Path) -> None:
    async with Program(home, {"INTERCOM_SANDBOX": "process"}).running() as program:
        status, printed = await program.command("up")
        assert status == 1
        assert f"pid {program.pid}" in printed
        assert "Traceback" not in printed


async def test_the_first_owner_claims_the_bot_with_the_printed_code(
    home: Path, external: dict[str, str], telegram: TelegramServer
) -> None:
    settings = with_telegram(telegram, **external, INTERCOM_SANDBOX="process")
    async with Program(home, settings).running() as program:
        found = re.search(r"/claim (\S+)", program.log.read_text())
        assert found, program.last_words()
        telegram.say(ANA, ANA, f"/claim {found[1]}")
        await telegram.wait_for_message(ANA, "own", within=PATIENCE)
        status, listed = await program.command("role", "list")
        assert status == 0
        assert re.search(rf"main\s+owner\s+tg:{ANA}", listed)


async def test_a_killed_host_comes_back_and_answers_what_was_said_meanwhile(
    home: Path, telegram: TelegramServer
) -> None:
    settings = with_telegram(telegram, INTERCOM_SANDBOX="process", INTERCOM_OWNERS=f'["tg:{ANA}"]')
    program = Program(home, settings)
    async with program.running():
        await program.kill()
        telegram.say(ANA, ANA, "create an issue: paint the gate")
        await program.start()
        await telegram.wait_for_message(ANA, "paint the gate", within=PATIENCE)
        status, _ = await program.stop()
        assert status == 0


async def test_commands_work_beside_a_running_host(home: Path, external: dict[str, str]) -> None:
    async with Program(home, {"INTERCOM_SANDBOX": "process", **external}).running() as program:
        for command in (
            ["group", "add", "tg:-100", "--folder", "engineering", "--no-trigger"],
            ["role", "set", "tg:-100", "tg:1000", "approver"],
            ["approvals", "list", "--json"],
            ["audit", "tail"],
            ["audit", "verify"],
            ["kernel", "run", "list"],
        ):
            status, printed = await program.command(*command)
            assert status == 0, printed
        further = ["group", "add", "tg:-200", "--folder", "engineering", "--writes"]
        status, printed = await program.command(*further)
        assert "stays as it was" in printed, "what is ignored is said"
        assert "The chat tg:-200 is registered already" in (await program.command(*further))[1]
        status, printed = await program.command("group", "list", "--json")
        assert '"engineering"' in printed
        assert '"writes": true' not in printed.split('"engineering"')[1]
        assert (await program.command("group", "list", "--bogus"))[0] == 2


async def test_readyz_says_part_by_part_how_the_host_is(home: Path, external: dict[str, str]) -> None:
    async with Program(home, {"INTERCOM_SANDBOX": "process", **external}).running() as program:
        async with aiohttp.ClientSession() as http:
            async with http.get(f"{program.url}/readyz") as answer:
                found = await answer.json()
            async with http.get(f"{program.url}/metrics") as answer:
                metrics = await answer.text()
        assert {"database", "sandbox", "kernel", "bridge:web"} <= set(found["parts"])
        assert "not isolated" in str(found)
        assert "intercom_inbox_lag_seconds" in metrics
        assert "not isolated" in program.log.read_text()


async def test_telegram_without_docker_is_refused_in_words(
    home: Path, external: dict[str, str], telegram: TelegramServer
) -> None:
    status, printed = await Program(home, with_telegram(telegram, **external, **NO_ENGINE)).command("up")
    assert status == 1
    assert "Telegram is configured" in printed
    assert "Traceback" not in printed


async def test_a_port_that_is_taken_is_told_by_name(home: Path, external: dict[str, str]) -> None:
    program = Program(home, {"INTERCOM_SANDBOX": "process", **external})
    with socket.create_server(("127.0.0.1", program.port)):
        status, printed = await program.command("up")
    assert status == 1
    assert "INTERCOM_WEB__PORT" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"INTERCOM_TELEGRM__TOKEN": "1:x"}, "INTERCOM_TELEGRAM__TOKEN"),
        ({"INTERCOM_KERNEL": "quantum"}, "INTERCOM_KERNEL"),
    ],
)
async def test_wrong_settings_end_with_2_and_a_sentence(
    home: Path, settings: dict[str, str], told: str
) -> None:
    status, printed = await Program(home, settings).command("up")
    assert status == 2
    assert told in printed
    assert "Traceback" not in printed


async def test_the_token_stands_nowhere_in_what_the_host_prints(
    home: Path, external: dict[str, str], telegram: TelegramServer
) -> None:
    settings = with_telegram(telegram, **external, INTERCOM_SANDBOX="process", INTERCOM_LOG_LEVEL="debug")
    telegram.fail_next("getUpdates", 401, "Unauthorized")
    async with Program(home, settings).running() as program:
        os.kill(program.pid, signal.SIGTERM)
        await program.ended()
        assert TOKEN not in program.log.read_text()


async def test_a_second_signal_does_not_wait(home: Path, external: dict[str, str]) -> None:
    async with Program(home, {"INTERCOM_SANDBOX": "process", **external}).running() as program:
        os.kill(program.pid, signal.SIGTERM)
        os.kill(program.pid, signal.SIGTERM)
        async with asyncio.timeout(10):
            await program.ended()
        assert "Traceback" not in program.log.read_text()


async def test_a_closed_terminal_is_a_stop_like_any_other(home: Path, external: dict[str, str]) -> None:
    async with Program(home, {"INTERCOM_SANDBOX": "process", **external}).running() as program:
        os.kill(program.pid, signal.SIGHUP)
        async with asyncio.timeout(30):
            await program.ended()
        assert "Stopped." in program.log.read_text()
