"""What is asked again, and what people are told when nothing helps; see `container/broker/upstream.py`."""

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web

from container.agent import ModelApi
from container.broker.bounds import Bounds
from container.broker.port import TroubleKind
from tests.container.broker.scene import (
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
from tests.servers.models import KEY, ModelServer, Refuse, Say

ANTHROPIC, OPENAI, GEMINI = ModelApi.ANTHROPIC, ModelApi.OPENAI, ModelApi.GEMINI


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 504, 529])
async def test_a_passing_fault_is_asked_again(
    server: ModelServer, tmp_path: Path, api: ModelApi, status: int
) -> None:
    server.then(Refuse(status=status), Refuse(status=status), (Say("at last"),))
    books, naps = Books(api), Naps()
    async with served(tmp_path, books, bases(server)[api], naps=naps) as client:
        answered, text = await ask(client, api)
    assert answered == 200
    assert "last" in text
    assert naps.slept == [0.5, 1.0]
    assert books.troubles == [None]
    assert len(books.used) == 1


async def test_chance_spreads_the_waits() -> None:
    from container.broker.upstream import Upstream
    from tests.container.broker.scene import provider

    waits = []
    for chance in (0.0, 0.999):
        upstream = Upstream(
            provider(ANTHROPIC, "http://127.0.0.1"),
            None,  # type: ignore[arg-type] # nothing is asked
            Bounds(),
            sleep=Naps().sleep,
            random=lambda chance=chance: chance,  # type: ignore[misc]
        )
        waits.append([round(upstream._wait(tries), 2) for tries in (1, 2, 3)])
    assert waits == [[0.25, 0.5, 1.0], [0.75, 1.5, 3.0]]


async def test_the_provider_says_how_long_to_wait(server: ModelServer, tmp_path: Path, api: ModelApi) -> None:
    server.then(Refuse(status=429, retry_after=7), (Say("well"),))
    naps = Naps()
    async with served(tmp_path, Books(api), bases(server)[api], naps=naps) as client:
        assert (await ask(client, api))[0] == 200
    assert naps.slept == [7.0]


async def test_a_long_wait_is_left_to_people(server: ModelServer, tmp_path: Path, api: ModelApi) -> None:
    server.script = lambda talk: Refuse(status=429, retry_after=600)
    books, naps = Books(api), Naps()
    async with served(tmp_path, books, bases(server)[api], naps=naps) as client:
        sentence = await refused(client, api)
    assert naps.slept == []
    assert sentence.endswith("it gets too many requests from us (asked once). Ask again in 10 min.")
    assert books.trouble_told.kind is TroubleKind.LIMITED
    assert books.trouble_told.sentence == sentence


async def test_waiting_has_an_end(server: ModelServer, tmp_path: Path, api: ModelApi) -> None:
    server.script = lambda talk: Refuse(status=429, retry_after=12)
    naps = Naps()
    async with served(tmp_path, Books(api), bases(server)[api], naps=naps) as client:
        await refused(client, api)
    assert naps.slept == [12.0]  # twice would be more than the patience of 20 s


async def test_an_overloaded_provider_is_asked_three_times(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    server.script = lambda talk: Refuse(status=529)
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api]) as client:
        sentence = await refused(client, api)
    assert len(server.requests) == 3
    assert "overloaded or broken at the moment (529, asked 3 times)" in sentence
    assert books.trouble_told.kind is TroubleKind.OVERLOADED


async def test_a_provider_that_is_not_there(tmp_path: Path, api: ModelApi) -> None:
    books, naps = Books(api), Naps()
    async with served(tmp_path, books, "http://127.0.0.1:9", naps=naps) as client:
        sentence = await refused(client, api)
    assert "could not reach it (asked 3 times)" in sentence
    assert books.trouble_told.kind is TroubleKind.UNREACHABLE
    assert len(naps.slept) == 2


async def test_a_connection_that_breaks_before_the_answer_is_made_anew(tmp_path: Path) -> None:
    times = 0

    async def at_the_third_time(request: web.BaseRequest) -> web.Response:
        nonlocal times
        times += 1
        await request.read()
        if times < 3:
            assert request.transport is not None
            request.transport.abort()
        return web.json_response({"type": "message"})

    async with provider_that(at_the_third_time) as base, served(tmp_path, Books(ANTHROPIC), base) as client:
        assert (await ask(client, ANTHROPIC, stream=False))[0] == 200
    assert times == 3


async def test_a_provider_that_never_answers_is_not_asked_again(tmp_path: Path) -> None:
    times = 0

    async def never(request: web.BaseRequest) -> web.Response:
        nonlocal times
        times += 1
        await request.read()
        await asyncio.Event().wait()
        raise AssertionError

    books = Books(ANTHROPIC)
    async with (
        provider_that(never) as base,
        served(tmp_path, books, base, bounds=Bounds(first_byte=0.2)) as client,
    ):
        assert "said nothing for" in await refused(client, ANTHROPIC)
    assert times == 1
    assert books.trouble_told.kind is TroubleKind.TIMEOUT
    (used,) = books.used
    assert used is not None
    assert used.input > 0  # it may have worked on it


@pytest.mark.parametrize("status", [401, 403])
async def test_a_key_that_is_not_taken(tmp_path: Path, api: ModelApi, status: int) -> None:
    async def no(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.json_response({"error": {"message": f"Incorrect key {KEY}"}}, status=status)

    books = Books(api)
    async with provider_that(no) as base, served(tmp_path, books, base) as client:
        sentence = await refused(client, api)
    assert f"does not accept our key ({status})" in sentence
    assert KEY not in sentence
    assert books.trouble_told.kind is TroubleKind.CREDENTIAL


async def test_the_providers_own_word_about_the_request_reaches_the_agent_without_the_key(
    tmp_path: Path, api: ModelApi
) -> None:
    told = {"error": {"message": f"prompt is too long: {KEY}", "type": "invalid_request_error"}}

    async def wrong(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.json_response(told, status=400)

    books = Books(api)
    async with provider_that(wrong) as base, served(tmp_path, books, base) as client:
        status, text = await ask(client, api)
    assert status == 400
    assert json.loads(text)["error"]["message"] == "prompt is too long: ***"
    assert books.trouble_told.kind is TroubleKind.REFUSED
    assert "“prompt is too long: ***”" in books.trouble_told.sentence


async def test_a_model_the_provider_does_not_know(server: ModelServer, tmp_path: Path) -> None:
    server.unknown.add("gemini-stub")
    books = Books(GEMINI)
    async with served(tmp_path, books, bases(server)[GEMINI]) as client:
        response = await client.post(path_of(GEMINI), json=body_of(GEMINI))
        assert response.status == 404
        assert "not found" in error_of(GEMINI, await response.json())
    assert books.trouble_told.kind is TroubleKind.REFUSED


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (429, {"code": "insufficient_quota", "message": "You exceeded your current quota."}),
        (400, {"type": "invalid_request_error", "message": "Your credit balance is too low."}),
        (402, {"message": "Payment required."}),
    ],
)
async def test_an_account_without_credit_is_not_asked_again(
    tmp_path: Path, api: ModelApi, status: int, error: dict[str, str]
) -> None:
    times = 0

    async def broke(request: web.BaseRequest) -> web.Response:
        nonlocal times
        times += 1
        await request.read()
        return web.json_response({"error": error}, status=status)

    books = Books(api)
    async with provider_that(broke) as base, served(tmp_path, books, base) as client:
        assert "has no credit left" in await refused(client, api)
    assert times == 1
    assert books.trouble_told.kind is TroubleKind.CREDENTIAL


async def test_a_key_does_not_follow_to_another_address(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    async def elsewhere(request: web.BaseRequest) -> web.Response:
        await request.read()
        return web.Response(status=307, headers={"location": bases(server)[api] + "/x"})

    books = Books(api)
    async with provider_that(elsewhere) as base, served(tmp_path, books, base) as client:
        assert "its address points elsewhere (307)" in await refused(client, api)
    assert server.requests == []


async def test_an_error_that_is_no_json_or_has_no_end_is_put_in_our_words(
    tmp_path: Path, api: ModelApi
) -> None:
    async def babble(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(status=400)
        await response.prepare(request)
        while True:
            await response.write(b"<html>" * 10_000)

    async with provider_that(babble) as base, served(tmp_path, Books(api), base) as client:
        assert "found the request wrong (400). Ask again" in await refused(client, api)
