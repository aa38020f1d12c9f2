"""What a request costs: set aside before, settled once after; see `container/broker/bill.py`."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from container.agent import ModelApi
from container.broker.bounds import Bounds
from container.broker.port import BudgetSpent, TroubleKind, Unrecorded, Usage
from tests.container.broker.scene import (
    MODELS,
    Books,
    Naps,
    ask,
    bases,
    body_of,
    error_of,
    path_of,
    provider_that,
    refused,
    served,
)
from tests.servers.models import Cut, Endless, Hold, ModelServer, Overload, Refuse, Say, Spent

ANTHROPIC, OPENAI, GEMINI = ModelApi.ANTHROPIC, ModelApi.OPENAI, ModelApi.GEMINI


@pytest.mark.parametrize("stream", [True, False])
async def test_usage_is_what_the_provider_says(
    server: ModelServer, tmp_path: Path, api: ModelApi, stream: bool
) -> None:
    spent = Spent(input=1200, cache_read=800, output=90, thought=30)
    server.then((Say("well then"), spent))
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api]) as client:
        assert (await ask(client, api, stream=stream))[0] == 200
    assert books.used == [Usage(input=1200, cache_read=800, output=90)]


async def test_what_is_written_to_a_cache_is_told_by_how_long_it_stays(tmp_path: Path) -> None:
    async def messages(request: web.BaseRequest) -> web.Response:
        await request.read()
        usage = {
            "input_tokens": 7,
            "cache_creation_input_tokens": 500,
            "cache_creation": {"ephemeral_5m_input_tokens": 300, "ephemeral_1h_input_tokens": 200},
            "output_tokens": 3,
        }
        return web.json_response({"type": "message", "usage": usage})

    books = Books(ANTHROPIC)
    async with provider_that(messages) as base, served(tmp_path, books, base) as client:
        await ask(client, ANTHROPIC, stream=False)
    assert books.used == [Usage(input=7, cache_write=300, cache_write_hour=200, output=3)]


@pytest.mark.parametrize(
    "usage",
    [
        None,
        [],
        "much",
        {"input_tokens": "many", "output_tokens": -5},
        {"input_tokens": True, "output_tokens": 1e300},
        {"input_tokens": 10**30, "output_tokens": 10**30},
    ],
)
async def test_nonsense_about_usage_ends_in_numbers(tmp_path: Path, usage: Any) -> None:
    async def messages(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.json_response({"type": "message", "usage": usage})

    books = Books(ANTHROPIC)
    async with provider_that(messages) as base, served(tmp_path, books, base) as client:
        assert (await ask(client, ANTHROPIC, stream=False))[0] == 200
    (used,) = books.used
    assert used is not None
    assert 0 <= used.input <= 10**9
    assert 0 <= used.output <= 10**9


async def test_an_answer_without_a_word_about_usage_is_not_free(tmp_path: Path, api: ModelApi) -> None:
    async def silent_about_it(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for _ in range(10):
            await response.write(b'data: {"text": "' + b"word " * 60 + b'"}\n\n')
        await response.write_eof()
        return response

    books = Books(api)
    async with provider_that(silent_about_it) as base, served(tmp_path, books, base) as client:
        await ask(client, api)
    (used,) = books.used
    assert used is not None
    assert used.input == books.asked[0].input_tokens
    assert 500 < used.output < 1500


async def test_the_estimate_before_is_above_the_usage_after(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api]) as client:
        await ask(client, api, "word " * 2000)
    (asked,) = books.asked
    (used,) = books.used
    assert used is not None
    assert asked.model == MODELS[api]
    assert used.input < asked.input_tokens < 3 * used.input
    assert asked.output_tokens == {ANTHROPIC: 500, OPENAI: 64_000, GEMINI: 65_536}[api]


async def test_the_provider_is_told_how_long_the_answer_may_be(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    books = Books(api)
    books.most_output = 123
    async with served(tmp_path, books, bases(server)[api]) as client:
        assert (await ask(client, api))[0] == 200
    body = server.requests[0].body
    told = body["generationConfig"]["maxOutputTokens"] if api is GEMINI else None
    assert (body.get("max_tokens") or body.get("max_output_tokens") or told) == 123


async def test_a_provider_that_takes_no_bound_gets_none(server: ModelServer, tmp_path: Path) -> None:
    async with served(tmp_path, Books(OPENAI), bases(server)[OPENAI], capped=False) as client:
        assert (await ask(client, OPENAI))[0] == 200
    assert "max_output_tokens" not in server.requests[0].body


async def test_nothing_is_asked_when_the_budget_is_spent(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    books = Books(api)
    books.refusal = BudgetSpent("The model was not asked: the limit of today is reached.")
    async with served(tmp_path, books, bases(server)[api]) as client:
        assert await refused(client, api) == "The model was not asked: the limit of today is reached."
    assert books.trouble_told.kind is TroubleKind.BUDGET
    assert server.requests == []


async def test_nothing_is_passed_on_before_the_reservation_is_stored(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    books = Books(api)
    books.stored.clear()
    async with served(tmp_path, books, bases(server)[api]) as client, asyncio.TaskGroup() as group:
        asking = group.create_task(ask(client, api))
        await server.until(lambda server: any(asked.ended.is_set() for asked in server.requests))
        done, _ = await asyncio.wait({asking}, timeout=0.05)
        assert not done  # the provider has answered, the container knows nothing of it
        books.stored.set()
        assert (await asking)[0] == 200


async def test_what_cannot_be_recorded_is_not_answered(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    books = Books(api)
    books.unrecorded = Unrecorded("The model was not asked: the database does not answer.")
    async with served(tmp_path, books, bases(server)[api]) as client:
        assert await refused(client, api) == "The model was not asked: the database does not answer."
    assert len(books.used) == 1


async def test_requests_at_the_same_moment_are_all_set_aside_before_any_is_settled(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    go = asyncio.Event()
    server.script = lambda talk: (Hold(go), Say("done"))
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api]) as client, asyncio.TaskGroup() as group:
        asking = [group.create_task(ask(client, api)) for _ in range(12)]
        await server.until(lambda server: len(server.asked()) == 12)
        assert len(books.asked) == 12
        assert books.used == []
        go.set()
        assert {(await each)[0] for each in asking} == {200}
    assert len(await books.until_settled(12)) == 12


@pytest.mark.parametrize("status", [400, 404, 413, 429, 500, 529])
async def test_a_refused_request_costs_nothing(
    server: ModelServer, tmp_path: Path, api: ModelApi, status: int
) -> None:
    server.script = lambda talk: Refuse(status=status)
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api], naps=Naps()) as client:
        assert (await ask(client, api))[0] != 200
    assert books.used == [Usage()]


async def test_a_stream_that_breaks_off_costs_what_was_seen_of_it(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    server.then((Say("word " * 300), Cut()))
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api]) as client:
        with pytest.raises(Exception, match=r"payload|disconnected|closed|reset"):
            await ask(client, api)
    (used,) = await books.until_settled()
    assert used is not None
    assert used.input > 0
    assert 100 <= used.output <= 500 + 64_000
    assert books.trouble_told.kind is TroubleKind.UNREACHABLE
    assert "broke off" in books.trouble_told.sentence


async def test_a_container_that_goes_away_pays_and_the_provider_stops(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    server.then((Endless(),))
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api]) as client:
        response = await client.post(path_of(api), json=body_of(api))
        await response.content.readany()
        response.close()
        (used,) = await books.until_settled()
        await server.until(lambda server: server.requests[0].outcome == "left")
    assert used is not None
    assert used.input > 0
    assert used.output > 0
    assert books.troubles == []  # nobody is left to be told


async def test_who_goes_away_before_the_first_byte_pays_for_the_time(tmp_path: Path) -> None:
    """An unseen answer may have been written: the pace of a model, up to what was allowed."""
    asked = asyncio.Event()

    async def thinking(request: web.BaseRequest) -> web.Response:
        await request.read()
        asked.set()
        await asyncio.Event().wait()
        raise AssertionError

    books = Books(ANTHROPIC)
    async with provider_that(thinking) as base, served(tmp_path, books, base) as client:
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(ask(client, ANTHROPIC, stream=False))
            await asked.wait()
            asking.cancel()
        (used,) = await books.until_settled()
    assert used is not None
    assert used.input == books.asked[0].input_tokens
    assert used.output <= 500


async def test_an_overload_in_the_midst_of_a_stream_is_passed_on_and_told(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    server.then((Say("so"), Overload()))
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api]) as client:
        status, text = await ask(client, api)
    assert status == 200
    assert "overloaded" in text.lower()
    assert books.trouble_told.kind is TroubleKind.OVERLOADED
    assert len(books.used) == 1


async def test_a_fault_of_ours_is_answered_and_the_next_request_served(
    server: ModelServer, tmp_path: Path
) -> None:
    class Broken(Books):
        async def recorded(self, reservation: Any) -> None:
            if len(self.asked) == 1:
                raise RuntimeError("a bug")

    books = Broken(ANTHROPIC)
    async with served(tmp_path, books, bases(server)[ANTHROPIC], bounds=Bounds()) as client:
        status, text = await ask(client, ANTHROPIC)
        assert status == 400
        assert "a fault of its own" in error_of(ANTHROPIC, json.loads(text))
        assert (await ask(client, ANTHROPIC))[0] == 200
    assert len(books.used) == 2
