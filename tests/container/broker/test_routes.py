"""Which requests come through, and with what; see `container/broker/door.py`."""

import json
from pathlib import Path

import pytest
from yarl import URL

from container.agent import ModelApi
from tests.container.broker.scene import MODELS, Books, ask, bases, body_of, error_of, path_of, served
from tests.servers.models import KEY, ModelServer

ANTHROPIC, OPENAI, GEMINI = ModelApi.ANTHROPIC, ModelApi.OPENAI, ModelApi.GEMINI


@pytest.mark.parametrize("stream", [True, False])
async def test_an_answer_comes_through(
    server: ModelServer, tmp_path: Path, api: ModelApi, stream: bool
) -> None:
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api]) as client:
        status, text = await ask(client, api, "good morning", stream=stream)
    assert status == 200
    assert "morning" in text
    assert books.troubles == [None]
    assert server.asked()[0].talk is not None
    assert server.asked()[0].body.get("stream", stream) is stream


async def test_only_the_api_of_the_grant_is_open(server: ModelServer, tmp_path: Path, api: ModelApi) -> None:
    others = [other for other in ModelApi if other is not api]
    books = Books(api)
    async with served(tmp_path, books, bases(server)[api]) as client:
        for other in others:
            response = await client.post(path_of(other), json=body_of(other))
            assert response.status == 404
            assert error_of(api, await response.json())
    assert server.requests == []
    assert books.asked == []
    assert books.troubles == []  # an agent that looks around is no trouble


@pytest.mark.parametrize(
    ("api", "path"),
    [
        (ANTHROPIC, "/anthropic/v1/files"),
        (ANTHROPIC, "/anthropic/v1/messages/batches"),
        (ANTHROPIC, "/anthropic/v1/../v1/messages"),
        (ANTHROPIC, "/anthropic/v1/messages/"),
        (ANTHROPIC, "/anthropic/v1/%6dessages"),
        (ANTHROPIC, "/v1/messages"),
        (ANTHROPIC, "/anthropic//v1/messages"),
        (OPENAI, "/openai/v1/responses/resp_1"),
        (OPENAI, "/openai/v1/files"),
        (OPENAI, "/openai/v1/responses/compact"),
        (OPENAI, "/openai/v1/vector_stores"),
        (OPENAI, "/openai/v1/conversations"),
        (OPENAI, "/openai/v1/chat/completions"),
        (GEMINI, "/gemini/upload/v1beta/files"),
        (GEMINI, "/gemini/v1beta/cachedContents"),
        (GEMINI, "/gemini/v1beta/models/gemini-stub:batchGenerateContent"),
        (GEMINI, "/gemini/v1beta/models/gemini-stub:streamGenerateContent"),  # a list, which is not watched
        (GEMINI, "/gemini/v1beta/models/gemini-stub:streamGenerateContent?alt=json"),
        (GEMINI, "/gemini/v1beta/models/..%2F..%2Ffiles:generateContent"),
        (GEMINI, "/gemini/v1beta/tunedModels/x:generateContent"),
    ],
)
async def test_nothing_else_is_open(server: ModelServer, tmp_path: Path, api: ModelApi, path: str) -> None:
    async with served(tmp_path, Books(api), bases(server)[api]) as client:
        response = await client.post(URL(f"http://model{path}", encoded=True), json=body_of(api))
        assert response.status == 404
        assert "nothing for this agent" in error_of(api, await response.json())
    assert server.requests == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_only_a_post_is_open(server: ModelServer, tmp_path: Path, api: ModelApi, method: str) -> None:
    async with served(tmp_path, Books(api), bases(server)[api]) as client:
        response = await client.request(method, path_of(api))
        assert response.status == 404
    assert server.requests == []


async def test_a_web_socket_is_refused_so_that_the_agent_goes_on_with_http(
    server: ModelServer, tmp_path: Path
) -> None:
    headers = {
        "connection": "upgrade",
        "upgrade": "websocket",
        "sec-websocket-version": "13",
        "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    async with served(tmp_path, Books(OPENAI), bases(server)[OPENAI]) as client:
        response = await client.get(path_of(OPENAI), headers=headers)
        assert response.status == 426
        assert (await ask(client, OPENAI))[0] == 200


async def test_of_the_headers_and_the_query_only_what_is_known_goes_on(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    sent = {
        "authorization": "Bearer sk-of-the-container",
        "x-api-key": "sk-of-the-container",
        "x-goog-api-key": "sk-of-the-container",
        "cookie": "session=sk-of-the-container",
        "proxy-authorization": "Basic sk-of-the-container",
        "openai-organization": "org-of-the-container",
        "openai-project": "project-of-the-container",
        "chatgpt-account-id": "account-of-the-container",
        "x-goog-user-project": "project-of-the-container",
        "x-forwarded-for": "10.1.2.3",
        "x-http-method-override": "DELETE",
        "user-agent": "agent/1.0",
        "accept-encoding": "gzip",
    }
    path = path_of(api)
    path += "&key=sk-of-the-container" if "?" in path else "?key=sk-of-the-container&beta=true"
    async with served(tmp_path, Books(api), bases(server)[api]) as client:
        response = await client.post(path, json=body_of(api), headers=sent)
        assert response.status == 200
        everything = repr(response.headers) + await response.text()
    assert not server.seen("of-the-container")
    assert not server.seen("10.1.2.3")
    (asked,) = server.requests
    assert asked.headers["user-agent"] == "agent/1.0"
    assert asked.headers["accept-encoding"] == "identity"
    assert "x-http-method-override" not in asked.headers
    assert KEY in repr(asked.headers)
    assert KEY not in everything


async def test_betas_that_open_the_provider_are_dropped(server: ModelServer, tmp_path: Path) -> None:
    betas = "claude-code-20250219,mcp-client-2025-11-20,files-api-2025-04-14,effort-2025-11-24"
    books = Books(ANTHROPIC)
    async with served(tmp_path, books, bases(server)[ANTHROPIC]) as client:
        for granted in (False, True):
            books.granted = Books(ANTHROPIC, provider_tools=granted).granted
            await client.post(path_of(ANTHROPIC), json=body_of(ANTHROPIC), headers={"anthropic-beta": betas})
    kept = [asked.headers["anthropic-beta"] for asked in server.requests]
    assert kept == ["claude-code-20250219,effort-2025-11-24", betas]


@pytest.mark.parametrize(
    ("api", "path", "answer"),
    [
        (ANTHROPIC, "/anthropic/v1/messages/count_tokens", "input_tokens"),
        (GEMINI, "/gemini/v1beta/models/gemini-stub:countTokens", "totalTokens"),
    ],
)
async def test_counting_tokens_costs_nothing(
    server: ModelServer, tmp_path: Path, api: ModelApi, path: str, answer: str
) -> None:
    books = Books(api)
    body = body_of(api)
    body.pop("max_tokens", None)
    body.pop("stream", None)
    async with served(tmp_path, books, bases(server)[api]) as client:
        response = await client.post(path, json=body)
        assert answer in await response.json()
    assert books.asked == []
    assert "max_tokens" not in server.requests[0].body


async def test_a_model_that_was_not_granted_is_not_asked(
    server: ModelServer, tmp_path: Path, api: ModelApi
) -> None:
    books = Books(api, models=frozenset({"another"}))
    async with served(tmp_path, books, bases(server)[api]) as client:
        status, text = await ask(client, api)
    assert status == 400
    sentence = error_of(api, json.loads(text))
    assert sentence.startswith(f'The model "{MODELS[api]}" was not asked: this group may use another.')
    assert books.trouble_told.sentence == sentence
    assert books.asked == []
    assert server.requests == []
