"""Files through the whole program: from Telegram and the page into the group's folder, and out of it."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from tests.bridges.telegram.test_files import png
from tests.host.shell.page import opened
from tests.host.shell.test_up import ANA, PATIENCE, external, home, telegram, with_telegram
from tests.program import Program
from tests.servers.telegram import TelegramServer

__all__ = ["external", "home", "telegram"]


def brought(home: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (home / "groups/main/attachments").glob("*/*")}


@pytest.fixture
async def program(home: Path, external: dict[str, str], telegram: TelegramServer) -> AsyncIterator[Program]:
    owners = {"INTERCOM_OWNERS": f'["tg:{ANA}"]', "INTERCOM_SANDBOX": "process"}
    async with Program(home, with_telegram(telegram, **owners, **external)).running() as running:
        yield running


async def test_a_photo_reaches_the_agents_folder_and_its_file_the_chat(
    program: Program, home: Path, telegram: TelegramServer
) -> None:
    telegram.keep_file("large", png(), path="photos/file_7.jpg")
    telegram.say(ANA, ANA, photo=[{"file_id": "large", "width": 9, "height": 9}], caption="what is ready?")
    await telegram.wait_for_message(ANA, within=PATIENCE)
    assert await asyncio.to_thread(brought, home) == {"photo.jpg": png()}
    outbox = home / "groups" / "main" / "outbox"
    await asyncio.to_thread((outbox / "report.txt").write_bytes, b"All is well.")
    telegram.say(ANA, ANA, "what is ready?")
    await telegram.wait_for(lambda: documents(telegram), PATIENCE)
    assert documents(telegram) == [("report.txt", b"All is well.")]
    await until(lambda: not (outbox / "report.txt").exists())
    assert "TEST-token" not in await asyncio.to_thread(program.log.read_text)


async def test_a_file_of_the_page_goes_the_same_way_and_comes_back(program: Program, home: Path) -> None:
    status, link = await program.command("link")
    assert status == 0, link
    async with opened(link.strip()) as page:
        upload = await page.hand_over("notes.txt", b"words", "text/plain")
        await page.say("what is ready?", files=[upload["id"]])
        mine = await page.item(lambda item: item["files"] and item["mine"], PATIENCE)
        assert [file["name"] for file in mine["files"]] == ["notes.txt"]
        await page.item(lambda item: item["kind"] == "answer" and not item["streaming"], PATIENCE)
        await page.item(lambda item: item["id"] == mine["id"] and item["reading"] == "read", PATIENCE)
        assert await asyncio.to_thread(brought, home) == {"notes.txt": b"words"}
        assert await page.file(upload["id"]) == b"words"
    async with aiohttp.ClientSession() as stranger:
        answer = await stranger.get(f"{program.url}/api/files/{upload['id']}")
        assert answer.status == 401


def documents(server: TelegramServer) -> list[tuple[str, bytes]]:
    return [shown.document for shown in server.messages(ANA) if shown.document is not None]


async def until(seen: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not await asyncio.to_thread(seen):  # noqa: ASYNC110 - another process does it
            await asyncio.sleep(0.01)
