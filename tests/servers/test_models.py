"""The stub of the model APIs refuses what the real ones refuse, and says what it is told to."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.servers.models import KEY, Call, Cut, Endless, Hold, ModelServer, Overload, Refuse, Say, Spent

Json = dict[str, Any]
ANTHROPIC = {"x-api-key": KEY, "anthropic-version": "2023-06-01"}
OPENAI = {"authorization": f"Bearer {KEY}"}
GEMINI = {"x-goog-api-key": KEY}
TOOL = {"name": "mcp__x__look", "description": "a tool", "input_schema": {"type": "object"}}
ALL = pytest.mark.parametrize("api", ["anthropic", "openai", "gemini"])


@pytest.fixture
async def server() -> AsyncIterator[ModelServer]:
    async with ModelServer.running() as server:
        yield server


@pytest.fixture
async def http(server: ModelServer) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(server.url) as http:
        yield http


def request(api: str, *, stream: bool = True) -> tuple[str, dict[str, str], Json]:
    """The smallest request for a person, with one tool."""
    if api == "anthropic":
        body = {"model": "claude-x", "max_tokens": 100, "stream": stream, "tools": [TOOL]}
        return (
            "/anthropic/v1/messages",
            ANTHROPIC,
            {**body, "messages": [{"role": "user", "content": "hello"}]},
        )
    if api == "openai":
        tool = {"type": "function", "name": "look", "parameters": {}}
        return (
            "/openai/v1/responses",
            OPENAI,
            {"model": "gpt-x", "input": "hello", "stream": stream, "tools": [tool]},
        )
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    contents = [{"role": "user", "parts": [{"text": "hello"}]}]
    tools = [{"functionDeclarations": [{"name": "look"}]}]
    return f"/gemini/v1beta/models/gemini-x:{method}", GEMINI, {"contents": contents, "tools": tools}


async def events(answer: aiohttp.ClientResponse) -> list[Json]:
    text = await answer.text()
    return [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]


@ALL
async def test_text_comes_in_pieces_with_what_it_cost(
    server: ModelServer, http: aiohttp.ClientSession, api: str
) -> None:
    server.then((Say("one two three"), Spent(input=7, cache_read=2, output=5)))
    path, headers, body = request(api)
    async with http.post(path, headers=headers, json=body) as answer:
        assert answer.status == 200
        got = await events(answer)
    match api:
        case "anthropic":
            pieces = [each["delta"]["text"] for each in got if each["type"] == "content_block_delta"]
            assert got[0]["message"]["usage"]["cache_read_input_tokens"] == 2
            assert got[-2]["usage"]["output_tokens"] == 5
            assert got[-1]["type"] == "message_stop"
        case "openai":
            pieces = [each["delta"] for each in got if each["type"] == "response.output_text.delta"]
            assert [each["sequence_number"] for each in got] == list(range(len(got)))
            assert got[-1]["response"]["usage"]["input_tokens"] == 9
        case _:
            pieces = [each["candidates"][0]["content"]["parts"][0]["text"] for each in got[:-1]]
            assert got[-1]["usageMetadata"]["totalTokenCount"] == 14
    assert pieces == ["one", " two", " three"]
    assert server.asked()[0].talk is not None
    assert server.asked()[0].outcome == "answered"


@ALL
async def test_a_tool_is_called_by_the_end_of_its_name_streamed_or_not(
    server: ModelServer, http: aiohttp.ClientSession, api: str
) -> None:
    for stream in (True, False):
        server.then((Say("well"), Call("look", {"at": "the sea"})))
        path, headers, body = request(api, stream=stream)
        async with http.post(path, headers=headers, json=body) as answer:
            text = await answer.text()
        name = "mcp__x__look" if api == "anthropic" else "look"
        assert f'"name": "{name}"' in text
        assert "the sea" in text.replace('"partial_json": "', "") or stream


@ALL
async def test_a_wrong_key_is_refused_in_the_words_of_the_api(http: aiohttp.ClientSession, api: str) -> None:
    path, headers, body = request(api)
    wrong = {name: value.replace(KEY, "sk-wrong") for name, value in headers.items()}
    async with http.post(path, headers=wrong, json=body) as answer:
        assert answer.status == (400 if api == "gemini" else 401)
        error = (await answer.json())["error"]
    said = {"anthropic": "invalid x-api-key", "openai": "Incorrect API key", "gemini": "API key not valid"}
    assert said[api] in error["message"]


@ALL
async def test_an_unknown_model_is_refused(
    server: ModelServer, http: aiohttp.ClientSession, api: str
) -> None:
    server.unknown |= {"claude-x", "gpt-x", "gemini-x"}
    path, headers, body = request(api)
    async with http.post(path, headers=headers, json=body) as answer:
        assert answer.status == (400 if api == "openai" else 404)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"max_tokens": None}, "max_tokens: Field required"),
        ({"surprise": 1}, "Extra inputs are not permitted"),
        ({"messages": []}, "at least one message"),
        ({"messages": [{"role": "assistant", "content": "I"}]}, "first message must use the user role"),
        ({"tools": [TOOL, TOOL]}, "Tool names must be unique"),
        (
            {
                "messages": [
                    {"role": "user", "content": "hello"},
                    {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look"}]},
                    {"role": "user", "content": "and?"},
                ]
            },
            "without `tool_result` blocks immediately after: t1",
        ),
        (
            {
                "messages": [
                    {
                        "role": "user",
                        "content": [{"type": "tool_result", "tool_use_id": "t9", "content": "x"}],
                    }
                ]
            },
            "unexpected `tool_use_id`",
        ),
    ],
)
async def test_what_anthropic_refuses_is_refused(
    http: aiohttp.ClientSession, change: Json, said: str
) -> None:
    path, headers, body = request("anthropic")
    body = {name: value for name, value in {**body, **change}.items() if value is not None}
    async with http.post(path, headers=headers, json=body) as answer:
        assert answer.status == 400
        assert said in (await answer.json())["error"]["message"]


async def test_the_version_header_is_required(http: aiohttp.ClientSession) -> None:
    path, _, body = request("anthropic")
    async with http.post(path, headers={"x-api-key": KEY}, json=body) as answer:
        assert (answer.status, "anthropic-version" in await answer.text()) == (400, True)


async def test_calls_and_outputs_must_fit_each_other(http: aiohttp.ClientSession) -> None:
    path, headers, body = request("openai")
    call = {"type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}"}
    output = {"type": "function_call_output", "call_id": "c2", "output": "x"}
    for items, said in (([call], "No tool output found"), ([output], "No tool call found")):
        async with http.post(path, headers=headers, json={**body, "input": items}) as answer:
            assert (answer.status, said in await answer.text()) == (400, True)
    path, headers, body = request("gemini")
    body["contents"] += [
        {"role": "model", "parts": [{"functionCall": {"name": "look"}}]},
        {"role": "user", "parts": [{"text": "and?"}]},
    ]
    async with http.post(path, headers=headers, json=body) as answer:
        assert (answer.status, "number of function response parts" in await answer.text()) == (400, True)


@ALL
async def test_a_refusal_says_when_to_come_again(
    server: ModelServer, http: aiohttp.ClientSession, api: str
) -> None:
    server.then(Refuse(status=429, retry_after=3))
    path, headers, body = request(api)
    async with http.post(path, headers=headers, json=body) as answer:
        assert answer.status == 429
        told = answer.headers.get("retry-after") or (await answer.json())["error"]["details"][0]["retryDelay"]
    assert told.removesuffix("s") == "3"


@ALL
async def test_a_stream_may_be_held_and_then_cut(
    server: ModelServer, http: aiohttp.ClientSession, api: str
) -> None:
    go_on = asyncio.Event()
    server.then((Say("first"), Hold(go_on), Say("second"), Cut()))
    path, headers, body = request(api)
    async with asyncio.timeout(5), http.post(path, headers=headers, json=body) as answer:
        received = b""
        while b"first" not in received:
            received += await answer.content.readany()
        assert not server.requests[0].ended.is_set()
        go_on.set()
        with pytest.raises(aiohttp.ClientPayloadError):
            await answer.content.read()
    assert server.requests[0].outcome == "cut"


@ALL
async def test_a_provider_may_give_up_in_the_middle(
    server: ModelServer, http: aiohttp.ClientSession, api: str
) -> None:
    server.then((Say("first"), Overload()))
    path, headers, body = request(api)
    async with http.post(path, headers=headers, json=body) as answer:
        last = (await events(answer))[-1]
    assert "verloaded" in json.dumps(last)


async def test_an_endless_stream_ends_when_its_reader_leaves(
    server: ModelServer, http: aiohttp.ClientSession
) -> None:
    server.then((Endless(every=0.001),))
    path, headers, body = request("anthropic")
    async with asyncio.timeout(5), http.post(path, headers=headers, json=body) as answer:
        await answer.content.readany()
        answer.close()
        await server.requests[0].ended.wait()
    assert server.requests[0].outcome == "left"


async def test_a_request_without_tools_takes_no_answer_from_the_script(
    server: ModelServer, http: aiohttp.ClientSession
) -> None:
    server.then((Say("for the person"),))
    path, headers, body = request("anthropic")
    async with http.post(path, headers=headers, json={**body, "tools": []}) as answer:
        assert "for the person" not in await answer.text()
    async with http.post(path, headers=headers, json=body) as answer:
        assert "person" in await answer.text()
    assert (len(server.asked()), len(server.asked(side=True))) == (1, 2)


async def test_rules_follow_the_rounds_of_a_turn(server: ModelServer, http: aiohttp.ClientSession) -> None:
    server.rules({"hello": ((Call("look"),), (Say("I saw it"),))})
    path, headers, body = request("anthropic")
    async with http.post(path, headers=headers, json=body) as answer:
        started = [each for each in await events(answer) if each["type"] == "content_block_start"]
    call = {**started[0]["content_block"], "input": {}}
    body["messages"] += [
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": call["id"], "content": "a cow"}]},
    ]
    async with http.post(path, headers=headers, json=body) as answer:
        assert "saw" in await answer.text()
    talk = server.requests[-1].talk
    assert talk is not None
    assert (talk.words, talk.rounds, talk.results) == ("hello", 1, ("a cow",))


async def test_a_refresh_token_is_good_for_one_fresh_pair(
    server: ModelServer, http: aiohttp.ClientSession
) -> None:
    access, refresh = server.identity.issue()
    server.identity.expire()
    path, headers, body = request("anthropic")
    headers = {
        "anthropic-version": headers["anthropic-version"],
        "anthropic-beta": "oauth-2025-04-20",
        "authorization": f"Bearer {access}",
    }
    async with http.post(path, headers=headers, json=body) as answer:
        assert answer.status == 401
    asked = {"grant_type": "refresh_token", "refresh_token": refresh, "client_id": "c"}
    async with http.post("/oauth/token", json=asked) as answer:
        fresh = (await answer.json())["access_token"]
    async with http.post("/oauth/token", data=asked) as answer:
        assert (await answer.json())["error"] == "invalid_grant"
    async with http.post(path, headers={**headers, "authorization": f"Bearer {fresh}"}, json=body) as answer:
        assert answer.status == 200
