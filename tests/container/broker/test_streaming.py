"""Answers pass piece by piece, and an answer without end is cut; see `container/broker/exchange.py`."""

import asyncio
import json
from pathlib import Path

import pytest
from aiohttp import web

from container.agent import ModelApi
from container.broker.bounds import Bounds
from container.broker.port import TroubleKind
from tests.container.broker.scene import Books, ask, bases, body_of, path_of, provider_that, served
from tests.servers.models import Endless, Hold, ModelServer, Say


async def test_each_word_arrives_before_the_next_is_said(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    gates = [asyncio.Event() for _ in range(4)]
    server.then(tuple(part for n, gate in enumerate(gates) for part in (Say(f"word{n}"), Hold(gate))))
    async with (
        served(tmp_path, Books(api), bases(server)[api]) as client,
        asyncio.timeout(20),
        client.post(path_of(api), json=body_of(api)) as response,
    ):
        seen = b""
        for n, gate in enumerate(gates):
            while f"word{n}".encode() not in seen:
                seen += await response.content.readany()
            assert f"word{n + 1}".encode() not in seen
            gate.set()  # only now may the provider go on
        assert await response.content.read() is not None


async def test_what_arrives_is_what_was_sent_byte_for_byte(tmp_path: Path, api: ModelApi) -> None:
    pieces = [bytes(range(256)), b"\n\ndata: \xff\xfe", b"x" * 300_000, b"event: half"]

    async def odd(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        for piece in pieces:
            await response.write(piece)
        await response.write_eof()
        return response

    async with (
        provider_that(odd) as base,
        served(tmp_path, Books(api), base) as client,
        client.post(path_of(api), json=body_of(api)) as response,
    ):
        assert await response.read() == b"".join(pieces)


@pytest.mark.parametrize("packing", ["gzip", "deflate"])
async def test_an_answer_that_comes_packed_all_the_same_is_unpacked(
    tmp_path: Path, api: ModelApi, packing: str
) -> None:
    async def packed(request: web.BaseRequest) -> web.StreamResponse:
        await request.read()
        response = web.Response(body=b'{"type": "message", "words": "' + b"a" * 5000 + b'"}')
        response.enable_compression(web.ContentCoding(packing))
        return response

    async with provider_that(packed) as base, served(tmp_path, Books(api), base) as client:
        response = await client.post(path_of(api, stream=False), json=body_of(api, stream=False))
        assert "content-encoding" not in response.headers
        assert (await response.json(content_type=None))["words"] == "a" * 5000


async def test_of_the_providers_headers_only_what_is_known_comes_back(tmp_path: Path, api: ModelApi) -> None:
    async def talkative(request: web.BaseRequest) -> web.Response:
        await request.read()
        headers = {
            "set-cookie": "session=secret",
            "openai-organization": "our-company",
            "anthropic-organization-id": "our-company",
            "x-request-id": "req_1",
            "link": "<https://elsewhere.example>; rel=preload",
        }
        return web.json_response({}, headers=headers)

    async with provider_that(talkative) as base, served(tmp_path, Books(api), base) as client:
        response = await client.post(path_of(api), json=body_of(api))
        assert response.headers["x-request-id"] == "req_1"
        names = {name.lower() for name in response.headers}
    assert not names & {"set-cookie", "openai-organization", "anthropic-organization-id", "link"}


async def test_an_answer_without_end_is_cut_and_the_agent_is_told_in_the_stream(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    server.then((Endless(every=0.01),))
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api], bounds=Bounds(answer=0.3)) as client:
        status, text = await ask(client, api)
        await server.until(lambda server: server.requests[0].outcome == "left")
    assert status == 200
    last = json.loads(text.rstrip().rsplit("data: ", 1)[1])
    sentence = json.dumps(last)
    assert "was cut off: it took longer than" in sentence
    assert books.trouble_told.kind is TroubleKind.TIMEOUT
    (used,) = books.used
    assert used is not None
    assert used.output > 0


async def test_a_provider_that_falls_silent_is_left(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    server.then((Say("one"), Hold(asyncio.Event())))
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api], bounds=Bounds(silence=0.2)) as client:
        _, text = await ask(client, api)
    assert "said nothing for" in text
    assert books.trouble_told.kind is TroubleKind.TIMEOUT


async def test_a_container_that_does_not_read_is_cut_in_the_end(tmp_path: Path) -> None:
    sent = 0

    async def flood(request: web.BaseRequest) -> web.StreamResponse:
        nonlocal sent
        await request.read()
        response = web.StreamResponse(headers={"content-type": "text/event-stream"})
        await response.prepare(request)
        while True:
            await response.write(b"data: " + b"x" * 65536 + b"\n\n")
            sent += 65536

    api = ModelApi.ANTHROPIC
    books = Books(api)
    async with (
        provider_that(flood) as base,
        served(tmp_path, books, base, bounds=Bounds(answer=0.5)) as client,
        client.post(path_of(api), json=body_of(api)),
    ):
        await books.until_settled()
    assert sent < 64 * 2**20  # what it does not take is not held for it
    assert books.trouble_told.kind is TroubleKind.TIMEOUT
