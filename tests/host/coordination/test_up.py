"""The real program with intermute in it: an agent on the page and a program on this machine, side by side."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.conftest import TestServer
from tests.host.shell.page import Page, offers, opened, words
from tests.program import Program

PATIENCE = 60.0
LAPTOP = "laptop-7"


@pytest.fixture
def home() -> Iterator[Path]:
    # Short, because the path of a socket is.
    folder = Path(tempfile.mkdtemp(prefix="ic-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def settings(postgres: TestServer) -> Iterator[dict[str, str]]:
    name = postgres.create(migrated=True)
    yield {"INTERCOM_DATABASE_URL": postgres.url(name), "INTERCOM_SANDBOX": "process"}
    postgres.drop(name)


class Laptop:
    """A program on this machine, without a key."""

    def __init__(self, http: aiohttp.ClientSession, program: Program) -> None:
        self._http = http
        self._url = f"http://127.0.0.1:{program.intermute_port}"

    async def post(self, path: str, **body: Any) -> Any:
        async with self._http.post(f"{self._url}{path}", json=body) as answer:
            assert answer.status < 300, await answer.text()
            return await answer.json()

    async def get(self, path: str, **query: str) -> Any:
        async with self._http.get(f"{self._url}{path}", params=query) as answer:
            assert answer.status == 200, await answer.text()
            return await answer.json()


@asynccontextmanager
async def beside(program: Program) -> AsyncIterator[tuple[Page, Laptop]]:
    status, link = await program.command("link")
    assert status == 0, link
    async with opened(link.strip()) as page, aiohttp.ClientSession() as http:
        yield page, Laptop(http, program)


async def test_an_agent_on_the_page_and_a_program_beside_it_keep_out_of_each_others_way(
    home: Path, settings: dict[str, str]
) -> None:
    async with Program(home, settings).running() as program, beside(program) as (page, laptop):
        await laptop.post("/api/agents", id=LAPTOP, name="Ana's laptop", project="dev")
        await laptop.post(
            "/api/reservations",
            agent_id=LAPTOP,
            project="dev",
            path_pattern="src/cart/**",
            exclusive=True,
            reason="checkout",
            ttl_minutes=20,
        )
        await page.say("reserve src/auth/** for 45 min: refactor auth")
        await page.item(lambda item: 'Reserved for 45 min: "src/auth/**".' in words(item), PATIENCE)
        listed = await laptop.get("/api/reservations", project="dev")
        assert {each["path_pattern"]: each["agent_id"] for each in listed["reservations"]} == {
            "src/auth/**": "intercom:main",
            "src/cart/**": LAPTOP,
        }
        await page.say("reserve src/cart/pay.py to mend it")
        await page.item(
            lambda item: (
                '"src/cart/**" is held by "Ana\'s laptop" (laptop-7) for 20 min more: "checkout".'
                in words(item)
            ),
            PATIENCE,
        )
        await page.say("/status")
        told = await page.item(lambda item: "Files held" in words(item), PATIENCE)
        assert "src/auth/**" in words(told)
        assert "Agents alive" in words(told)


async def test_what_a_program_writes_is_read_and_answered_only_with_a_persons_leave(
    home: Path, settings: dict[str, str]
) -> None:
    async with Program(home, settings).running() as program, beside(program) as (page, laptop):
        await laptop.post("/api/agents", id=LAPTOP, name="Ana's laptop", project="dev")
        await laptop.post(
            "/api/messages", **{"from": LAPTOP}, project="dev", to=["intercom:main"], body="Is auth yours?"
        )
        await page.say("inbox\ntell laptop-7: it is mine")
        await page.item(lambda item: "From laptop-7: Is auth yours?" in words(item), PATIENCE)
        card = await page.item(lambda item: offers(item, "approve"), PATIENCE)
        assert 'write to "laptop-7"' in words(card)
        assert not (await laptop.get(f"/api/inbox/{LAPTOP}", project="dev"))["messages"]
        await page.tap(card, "approve")
        await page.item(lambda item: item["id"] == card["id"] and "Approved" in words(item), PATIENCE)
        (message,) = (await laptop.get(f"/api/inbox/{LAPTOP}", project="dev"))["messages"]
        assert (message["from"], message["body"]) == ("intercom:main", "it is mine")


async def test_a_port_that_is_taken_stops_nobody_and_is_told_everywhere(
    home: Path, settings: dict[str, str]
) -> None:
    program = Program(home, settings)
    squatter = await asyncio.start_server(
        lambda reader, writer: writer.close(), "127.0.0.1", program.intermute_port
    )
    async with program.running(), aiohttp.ClientSession() as http:
        taken = f"Port {program.intermute_port} of 127.0.0.1 is taken"
        async with http.get(f"{program.url}/readyz") as answer:
            assert answer.status == 200
            part = (await answer.json())["parts"]["intermute"]
            assert not part["ok"]
            assert part["reason"].startswith(taken)
        assert f"Intermute  not served: {taken}" in program.last_words(100)
        _, printed = await program.command("doctor")
        assert f"✗ Intermute  cannot listen on 127.0.0.1 port {program.intermute_port}" in printed
        async with beside(program) as (page, _):
            await page.say("reserve src/auth/**")
            await page.item(lambda item: "Reserved for 30 min" in words(item), PATIENCE)
            await page.say("/status")
            told = await page.item(lambda item: "Not well" in words(item), PATIENCE)
            assert taken in words(told)
        squatter.close()
        await squatter.wait_closed()
        async with asyncio.timeout(PATIENCE):
            while not await _served(http, program):  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.2)
        async with http.get(f"{program.url}/metrics") as answer:
            assert "intermute_requests_total" in await answer.text()


async def _served(http: aiohttp.ClientSession, program: Program) -> bool:
    try:
        async with http.get(f"http://127.0.0.1:{program.intermute_port}/health") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


async def test_turned_off_there_is_no_port_and_no_tool(home: Path, settings: dict[str, str]) -> None:
    off = {**settings, "INTERCOM_INTERMUTE__ENABLED": "false"}
    async with Program(home, off).running() as program, aiohttp.ClientSession() as http:
        assert not await _served(http, program)
        async with beside(program) as (page, _):
            await page.say("who holds what")
            await page.item(lambda item: "I cannot do that here" in words(item), PATIENCE)
