"""The account and the broker together: real requests against a provider that takes all it may."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from container.agent import ModelApi
from container.broker.broker import Broker
from container.broker.port import TroubleKind
from host.people.profiles import Profile
from host.spending.account import LaneAccount
from host.spending.books import LEAST_ANSWER
from host.spending.events import Stopped
from tests.container.broker.scene import body_of, path_of, provider, provider_that
from tests.host.spending import counter as till
from tests.host.spending.counter import Counter, turn

AT_ONCE = 12
ROOM = 300_000
WANTED = 20_000  #: tokens of answer each asks for: 0.3 dollars
BODY = body_of(ModelApi.ANTHROPIC, stream=False, model="claude-sonnet-4-6", max_tokens=WANTED)


@dataclass(slots=True)
class Greedy:
    """A provider that answers when everybody was let through or refused, with as much as it was allowed."""

    bounds: list[int] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    all_decided: asyncio.Event = field(default_factory=asyncio.Event)

    def look(self) -> None:
        if len(self.refused) + len(self.bounds) == AT_ONCE:
            self.all_decided.set()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        most = (await request.json())["max_tokens"]
        self.bounds.append(most)
        self.look()
        await self.all_decided.wait()
        usage = {"input_tokens": 10, "output_tokens": most}
        return web.json_response({"type": "message", "content": [], "usage": usage})

    async def ask(self, client: aiohttp.ClientSession) -> None:
        async with client.post(path_of(ModelApi.ANTHROPIC), json=BODY) as response:
            document = json.loads(await response.read())
            if response.status != 200:
                self.refused.append(document["error"]["message"])
                self.look()


@pytest.fixture
async def limited(counter: Counter) -> Counter:
    await counter.registry.set_profile("main", Profile(spend_limit=ROOM))
    return counter


@asynccontextmanager
async def container(
    greedy: Greedy, account: LaneAccount, folder: Path
) -> AsyncIterator[aiohttp.ClientSession]:
    """A container's view of its model socket."""
    socket = str(folder / "model.sock")
    api = ModelApi.ANTHROPIC
    async with (
        asyncio.timeout(30),
        provider_that(greedy.answer) as base,
        Broker.open({api: provider(api, base)}, sleep=asyncio.sleep) as broker,
        aiohttp.ClientSession("http://model", connector=aiohttp.UnixConnector(socket)) as client,
    ):
        listener = await asyncio.get_running_loop().create_unix_server(broker.service(account), socket)
        try:
            yield client
        finally:
            listener.close()


async def test_requests_at_once_cost_no_more_than_the_limit(limited: Counter, tmp_path: Path) -> None:
    greedy = Greedy()
    async with container(greedy, limited.account(), tmp_path) as client, asyncio.TaskGroup() as tasks:
        for _ in range(AT_ONCE):
            tasks.create_task(greedy.ask(client))
    await limited.spending.drain()
    book = limited.spending.today("main")
    assert ROOM // 2 < book.spent <= ROOM
    assert (book.reserved, book.open) == (0, 0)
    assert await limited.total() == book.spent
    assert min(greedy.bounds) >= LEAST_ANSWER
    assert max(greedy.bounds) < WANTED, "the provider was told to answer with less"
    assert greedy.refused
    assert all("set aside for requests under way" in sentence for sentence in greedy.refused)
    assert not any(isinstance(event, Stopped) for event in limited.events)


async def test_a_reached_limit_is_the_trouble_of_the_turn(limited: Counter, tmp_path: Path) -> None:
    running = turn(limited.new_id)
    account = limited.account(turn=running)
    while limited.spending.today("main").spent < ROOM * 9 // 10:
        account.settle(account.reserve(till.ask(output_tokens=WANTED)).id, None)
    greedy = Greedy()
    async with container(greedy, account, tmp_path) as client:
        await greedy.ask(client)
    [sentence] = greedy.refused
    assert greedy.bounds == []
    assert sentence.startswith("Today's spend limit of this group is reached: $0.2")
    trouble = limited.spending.trouble(running)
    assert trouble is not None
    assert (trouble.kind, trouble.sentence) == (TroubleKind.BUDGET, sentence)
    assert isinstance(limited.events[-1], Stopped)
