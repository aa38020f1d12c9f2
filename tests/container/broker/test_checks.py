"""What a body may say: nothing that makes the provider reach out for the container; see `docs/models.md`."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container.agent import ModelApi
from container.broker.bounds import Bounds
from container.broker.checked import Checked
from container.broker.dialect import Route
from container.broker.door import DIALECTS
from container.broker.port import Grant, NotAllowed
from container.broker.values import parse, written
from tests.container.broker.scene import MODELS, body_of, tool_of

ANTHROPIC, OPENAI, GEMINI = ModelApi.ANTHROPIC, ModelApi.OPENAI, ModelApi.GEMINI
BOUNDS = Bounds()
Json = dict[str, Any]


def check(api: ModelApi, body: Json, *, remote: bool = False) -> Checked:
    """As the door does it, from bytes to bytes."""
    grant = Grant(api=api, models=frozenset({MODELS[api]}), provider_tools=remote)
    route = Route(path="/", query={}, model=MODELS[api] if api is GEMINI else "")
    raw = json.dumps(body).encode()
    return DIALECTS[api].check(route, parse(raw, BOUNDS), grant, depth=BOUNDS.depth)


def with_content(api: ModelApi, *content: Any) -> Json:
    """A body in which a person's message consists of that."""
    match api:
        case ModelApi.ANTHROPIC:
            return body_of(api, messages=[{"role": "user", "content": list(content)}])
        case ModelApi.OPENAI:
            return body_of(api, input=[{"type": "message", "role": "user", "content": list(content)}])
        case ModelApi.GEMINI:
            return body_of(api, contents=[{"role": "user", "parts": list(content)}])


def result(content: Any) -> Json:
    return {"type": "tool_result", "tool_use_id": "t1", "content": content}


URL = "https://elsewhere.example/picture.png"
PICTURE = {"type": "image", "source": {"type": "url", "url": URL}}

REMOTE: list[tuple[ModelApi, Json]] = [
    # Files and pictures from elsewhere
    (ANTHROPIC, with_content(ANTHROPIC, PICTURE)),
    (ANTHROPIC, with_content(ANTHROPIC, {"type": "document", "source": {"type": "url", "url": URL}})),
    (ANTHROPIC, with_content(ANTHROPIC, {"type": "document", "source": {"type": "file", "file_id": "f"}})),
    (ANTHROPIC, with_content(ANTHROPIC, {"type": "container_upload", "file_id": "file_1"})),
    (ANTHROPIC, with_content(ANTHROPIC, result([PICTURE]))),
    (
        ANTHROPIC,
        with_content(ANTHROPIC, {"type": "document", "source": {"type": "content", "content": [PICTURE]}}),
    ),
    (ANTHROPIC, body_of(ANTHROPIC, system=[PICTURE])),
    (OPENAI, with_content(OPENAI, {"type": "input_image", "image_url": URL})),
    (OPENAI, with_content(OPENAI, {"type": "input_image", "image_url": {"url": URL}})),
    (OPENAI, with_content(OPENAI, {"type": "input_image", "file_id": "file_1"})),
    (OPENAI, with_content(OPENAI, {"type": "input_file", "file_url": URL})),
    (OPENAI, with_content(OPENAI, {"type": "input_file", "file_id": "file_1"})),
    (OPENAI, body_of(OPENAI, input=[{"type": "input_image", "image_url": URL}])),
    (OPENAI, body_of(OPENAI, input=[{"type": "image_generation_call", "id": "ig_1"}])),
    (
        OPENAI,
        body_of(
            OPENAI,
            input=[
                {
                    "type": "function_call_output",
                    "call_id": "c1",
                    "output": [{"type": "input_image", "image_url": URL}],
                }
            ],
        ),
    ),
    (GEMINI, with_content(GEMINI, {"fileData": {"fileUri": URL}})),
    (GEMINI, with_content(GEMINI, {"file_data": {"file_uri": URL}})),
    (
        GEMINI,
        with_content(
            GEMINI,
            {"functionResponse": {"name": "x", "response": {}, "parts": [{"fileData": {"fileUri": URL}}]}},
        ),
    ),
    (GEMINI, body_of(GEMINI, systemInstruction={"parts": [{"fileData": {"fileUri": URL}}]})),
    (GEMINI, body_of(GEMINI, system_instruction={"parts": {"file_data": {"file_uri": URL}}})),
    # Tools of the provider, when there are no others
    (ANTHROPIC, body_of(ANTHROPIC, tools=[{"type": "web_search_20250305", "name": "web_search"}])),
    (ANTHROPIC, body_of(ANTHROPIC, tools=[{"type": "code_execution_20250825", "name": "code_execution"}])),
    (ANTHROPIC, body_of(ANTHROPIC, tools=[{"type": "mcp_toolset", "mcp_server_name": "x"}])),
    (OPENAI, body_of(OPENAI, tools=[{"type": "web_search"}])),
    (OPENAI, body_of(OPENAI, tools=[{"type": "mcp", "server_url": URL}])),
    (OPENAI, body_of(OPENAI, tools=[{"type": "file_search", "vector_store_ids": ["vs_1"]}])),
    (OPENAI, body_of(OPENAI, tools=[{"type": "code_interpreter", "container": {"type": "auto"}}])),
    (OPENAI, body_of(OPENAI, tools=[{"type": "shell", "environment": {"type": "container_auto"}}])),
    (GEMINI, body_of(GEMINI, tools=[{"googleSearch": {}}])),
    (GEMINI, body_of(GEMINI, tools=[{"url_context": {}}])),
    (GEMINI, body_of(GEMINI, tools=[{"codeExecution": {}}, {"googleMaps": {}}])),
    (GEMINI, body_of(GEMINI, tools={"googleSearch": {}})),
    # Servers that the provider would call, and containers it would run
    (ANTHROPIC, body_of(ANTHROPIC, mcp_servers=[{"type": "url", "url": URL, "name": "x"}])),
    (ANTHROPIC, body_of(ANTHROPIC, container="container_1")),
]

STORED: list[tuple[ModelApi, Json]] = [
    (OPENAI, body_of(OPENAI, previous_response_id="resp_1")),
    (OPENAI, body_of(OPENAI, conversation="conv_1")),
    (OPENAI, body_of(OPENAI, prompt={"id": "pmpt_1"})),
    (OPENAI, body_of(OPENAI, background=True)),
    (OPENAI, body_of(OPENAI, input=[{"type": "item_reference", "id": "msg_1"}])),
    (OPENAI, body_of(OPENAI, input=[{"id": "msg_1"}])),
    (OPENAI, body_of(OPENAI, input=[{"type": None, "id": "msg_1"}])),
    (GEMINI, body_of(GEMINI, cachedContent="cachedContents/1")),
    (GEMINI, body_of(GEMINI, cached_content="cachedContents/1")),
]

UNKNOWN: list[tuple[ModelApi, Json]] = [
    (ANTHROPIC, with_content(ANTHROPIC, {"type": "hologram"})),
    (ANTHROPIC, with_content(ANTHROPIC, {"type": ["image"], "source": {"type": "base64"}})),
    (ANTHROPIC, with_content(ANTHROPIC, {"type": "image", "source": URL})),
    (ANTHROPIC, body_of(ANTHROPIC, max_tokens="many")),
    (ANTHROPIC, body_of(ANTHROPIC, max_tokens=0)),
    (ANTHROPIC, body_of(ANTHROPIC, max_tokens=True)),
    (OPENAI, body_of(OPENAI, input=[{"type": "hologram"}])),
    (OPENAI, body_of(OPENAI, input={"type": "message"})),
    (OPENAI, body_of(OPENAI, instructions=[{"type": "input_image", "image_url": URL}])),
    (OPENAI, body_of(OPENAI, tools="all")),
    (GEMINI, with_content(GEMINI, {"hologram": {}})),
    (GEMINI, with_content(GEMINI, "just text")),
    (GEMINI, body_of(GEMINI, systemInstruction="just text")),
    (GEMINI, body_of(GEMINI, contents=[{"role": "user", "parts": [{"text": "x"}], "Parts": []}])),
    (GEMINI, {**body_of(GEMINI), "Contents": []}),
    (GEMINI, body_of(GEMINI, generationConfig={"maxOutputTokens": 10, "max_output_tokens": 10**6})),
]


@pytest.mark.parametrize(("api", "body"), REMOTE)
def test_what_makes_the_provider_reach_out_is_refused_unless_granted(api: ModelApi, body: Json) -> None:
    with pytest.raises(NotAllowed, match="reaches beyond this machine"):
        check(api, copy.deepcopy(body))
    assert check(api, body, remote=True).model == MODELS[api]


@pytest.mark.parametrize(("api", "body"), STORED)
def test_what_the_provider_stores_is_never_opened(api: ModelApi, body: Json) -> None:
    for remote in (False, True):
        with pytest.raises(NotAllowed):
            check(api, copy.deepcopy(body), remote=remote)


@pytest.mark.parametrize(("api", "body"), UNKNOWN)
def test_what_is_not_known_is_refused(api: ModelApi, body: Json) -> None:
    with pytest.raises(NotAllowed, match="does not know"):
        check(api, body)


OFFERED = [
    (ANTHROPIC, {"type": "web_search_20250305", "name": "web_search"}),
    (ANTHROPIC, {"type": "web_fetch_20250910", "name": "web_fetch"}),
    (ANTHROPIC, {"type": "mcp_toolset", "mcp_server_name": "x"}),
    (ANTHROPIC, {"type": "advisor_20260301", "name": "advisor", "model": "claude-dearest"}),
    (OPENAI, {"type": "web_search", "external_web_access": True}),
    (OPENAI, {"type": "mcp", "server_label": "x", "server_url": URL}),
    (OPENAI, {"type": "image_generation"}),
    (OPENAI, {"type": "namespace", "name": "n", "tools": [{"type": "mcp", "server_url": URL}]}),
    (GEMINI, {"googleSearch": {}}),
    (GEMINI, {"url_context": {}}),
    (GEMINI, {"fileSearch": {"fileSearchStoreNames": ["x"]}}),
]


@pytest.mark.parametrize(("api", "tool"), OFFERED)
def test_a_tool_of_the_provider_among_others_is_left_out(api: ModelApi, tool: Json) -> None:
    own = tool_of(api)
    assert check(api, body_of(api, tools=[tool, own])).body["tools"] == [own]
    assert check(api, body_of(api, tools=[tool, own]), remote=True).body["tools"] == [tool, own]


def test_the_function_beside_a_tool_of_the_provider_stays() -> None:
    own = tool_of(GEMINI)
    assert check(GEMINI, body_of(GEMINI, tools=[{**own, "googleSearch": {}}])).body["tools"] == [own]


@pytest.mark.parametrize(
    ("api", "body"),
    [
        (
            ANTHROPIC,
            body_of(
                ANTHROPIC,
                tools=[tool_of(ANTHROPIC), {"type": "web_search_20250305", "name": "web_search"}],
                tool_choice={"type": "tool", "name": "web_search"},
            ),
        ),
        (
            OPENAI,
            body_of(
                OPENAI,
                tools=[tool_of(OPENAI), {"type": "web_search"}],
                tool_choice={"type": "web_search"},
            ),
        ),
        (
            OPENAI,
            body_of(
                OPENAI,
                tools=[tool_of(OPENAI), {"type": "mcp", "server_url": URL}],
                tool_choice={"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp"}]},
            ),
        ),
    ],
)
def test_a_tool_that_was_left_out_may_not_be_demanded(api: ModelApi, body: Json) -> None:
    with pytest.raises(NotAllowed, match="must use a tool that it does not have"):
        check(api, body)


def test_nothing_is_stored_and_nothing_dearer_is_ordered() -> None:
    body = body_of(
        OPENAI,
        store=True,
        service_tier="priority",
        prompt_cache_retention="24h",
        include=["reasoning.encrypted_content", "web_search_call.action.sources"],
        unheard_of=True,
    )
    sent = check(OPENAI, body).body
    assert sent["store"] is False
    assert sent["include"] == ["reasoning.encrypted_content"]
    assert not {"service_tier", "prompt_cache_retention", "unheard_of"} & sent.keys()
    claude = body_of(ANTHROPIC, speed="fast", service_tier="auto", fallbacks=[{"model": "claude-dearest"}])
    assert check(ANTHROPIC, claude).body.keys() == body_of(ANTHROPIC).keys()
    gemini = body_of(GEMINI, generationConfig={"candidateCount": 8, "topK": 2}, labels={"a": "b"})
    assert check(GEMINI, gemini).body["generationConfig"] == {"topK": 2}


def test_what_the_agents_really_send_comes_through_unchanged() -> None:
    """In the shapes of Claude Code 2.1, Codex 0.166 and Gemini CLI 0.61."""
    claude: Json = {
        "model": MODELS[ANTHROPIC],
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "AA=="},
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "tool_use", "id": "t1", "name": "Fetch", "input": {"type": "url", "url": URL}},
                ],
            },
            {"role": "user", "content": [result([{"type": "text", "text": "found"}])]},
            {"role": "system", "content": "be brief"},
        ],
        "system": [{"type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.185;"}],
        "tools": [
            {"name": "Bash", "description": "d", "input_schema": {"type": "object"}},
            {"type": "bash_20250124", "name": "bash"},
        ],
        "metadata": {"user_id": "{}"},
        "max_tokens": 64000,
        "thinking": {"type": "adaptive"},
        "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
        "output_config": {"effort": "high"},
        "stream": True,
    }
    assert check(ANTHROPIC, claude).body == claude
    codex: Json = {
        "model": MODELS[OPENAI],
        "stream": True,
        "input": [
            {"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "x"}]},
            {"type": "reasoning", "summary": [], "encrypted_content": "x"},
            {"type": "function_call", "call_id": "1", "name": "exec_command", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "1", "output": "done"},
            {"type": "custom_tool_call", "call_id": "2", "name": "apply_patch", "input": "*** Begin"},
            {"type": "custom_tool_call_output", "call_id": "2", "output": "ok"},
            {
                "type": "message",
                "role": "user",
                "content": [{"type": "input_image", "image_url": "data:image/png;base64,AA=="}],
            },
        ],
        "tools": [
            {"type": "function", "name": "exec_command", "strict": False, "parameters": {"type": "object"}},
            {"type": "custom", "name": "apply_patch", "format": {"type": "grammar"}},
            {"type": "local_shell"},
            {
                "type": "namespace",
                "name": "multi_agent_v1",
                "tools": [{"type": "function", "name": "spawn_agent", "parameters": {}}],
            },
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": True,
        "reasoning": {"summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "k",
        "client_metadata": {"x-codex-window-id": "w"},
    }
    assert check(OPENAI, codex).body == codex
    gemini: Json = {
        "contents": [
            {
                "parts": [{"text": "hi"}, {"inlineData": {"mimeType": "image/png", "data": "AA=="}}],
                "role": "user",
            },
            {
                "role": "model",
                "parts": [
                    {"functionCall": {"name": "f", "args": {"fileData": {"fileUri": URL}}}},
                    {"text": "t", "thought": True, "thoughtSignature": "s"},
                ],
            },
            {"role": "user", "parts": [{"functionResponse": {"id": "1", "name": "f", "response": {"o": 1}}}]},
        ],
        "systemInstruction": {"parts": [{"text": "You are"}], "role": "user"},
        "tools": [tool_of(GEMINI)],
        "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}},
        "generationConfig": {"temperature": 1, "thinkingConfig": {"thinkingBudget": -1}},
    }
    assert check(GEMINI, gemini).body == gemini


@pytest.mark.parametrize(
    ("api", "content"),
    [
        (ANTHROPIC, {"type": "image", "source": {"type": "base64", "media_type": "image/png"}}),
        (OPENAI, {"type": "input_image"}),
        (GEMINI, {"inlineData": {"mimeType": "image/png"}}),
    ],
)
def test_a_picture_counts_as_a_picture_and_not_by_its_bytes(api: ModelApi, content: Json) -> None:
    data = "A" * 3_000_000
    match api:
        case ModelApi.ANTHROPIC:
            content["source"]["data"] = data
        case ModelApi.OPENAI:
            content["image_url"] = f"data:image/png;base64,{data}"
        case ModelApi.GEMINI:
            content["inlineData"]["data"] = data
    body = with_content(api, content)
    tokens = check(api, body).tally.input_tokens(len(json.dumps(body)))
    assert 5_000 < tokens < 6_000


@pytest.mark.parametrize(
    ("thinking", "most", "left"),
    [
        ({"type": "enabled", "budget_tokens": 2000}, 4000, {"type": "enabled", "budget_tokens": 2000}),
        ({"type": "enabled", "budget_tokens": 9000}, 4000, {"type": "enabled", "budget_tokens": 2000}),
        ({"type": "enabled", "budget_tokens": 9000}, 1000, None),
        ({"type": "adaptive"}, 1000, {"type": "adaptive"}),
    ],
)
def test_thoughts_fit_beneath_the_bound_of_the_answer(thinking: Json, most: int, left: Json | None) -> None:
    body = body_of(ANTHROPIC, thinking=thinking)
    DIALECTS[ANTHROPIC].bound(body, most)
    assert (body["max_tokens"], body.get("thinking")) == (most, left)


def test_the_bound_replaces_the_one_that_was_there_however_it_is_written() -> None:
    thinking = {"thinking_budget": 9000}
    body = body_of(
        GEMINI,
        generation_config={"max_output_tokens": 10**6, "thinking_config": thinking, "candidate_count": 3},
    )
    sent = check(GEMINI, body).body
    DIALECTS[GEMINI].bound(sent, 800)
    assert sent["generationConfig"] == {"max_output_tokens": 800, "thinking_config": {"thinking_budget": 400}}
    assert "generation_config" not in sent


def test_a_key_that_stands_there_twice_goes_out_once() -> None:
    raw = (
        b'{"model": "claude-stub", "max_tokens": 9, "messages": [], "model": "claude-stub", "max_tokens": 5}'
    )
    grant = Grant(api=ANTHROPIC, models=frozenset({"claude-stub"}))
    checked = DIALECTS[ANTHROPIC].check(Route(path="/", query={}), parse(raw, BOUNDS), grant, depth=9)
    assert written(checked.body).count(b"max_tokens") == 1
    assert checked.output_tokens == 5


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": 1' + b"0" * 5000 + b"}", "not JSON"),
        (b"[]", "not a JSON object"),
        (b'"text"', "not a JSON object"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deep"),
        (b'{"a":[' + b"[]," * 400_000 + b"[]]}", "too many values"),
        (b'{"a":[' + b"0," * 2_000_001 + b"0]}", "too many values"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(NotAllowed, match=why):
        parse(raw, BOUNDS)


@pytest.mark.parametrize("api", list(ModelApi))
def test_a_body_that_is_nested_too_deep_is_refused(api: ModelApi) -> None:
    deep: Any = "x"
    for _ in range(BOUNDS.depth + 1):
        deep = {"content": [deep], "parts": [deep]} if api is not GEMINI else {"parts": [deep]}
        deep = {"content": deep["parts"]} if api is not GEMINI else deep
    with pytest.raises(NotAllowed, match="nested too deep"):
        check(api, with_content(api, deep))


# Anything at all

_words = st.sampled_from([
    "type", "role", "content", "parts", "source", "url", "image", "document", "base64", "file", "file_id",
    "text", "message", "input", "input_image", "image_url", "file_data", "fileData", "fileUri",
    "inlineData", "data", "tools", "function", "namespace", "mcp", "web_search", "functionDeclarations",
    "googleSearch", "tool_result", "tool_use", "output", "tool_choice", "name", "file_url", "input_file",
    "functionResponse", "contents",
])  # fmt: skip
_leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=5) | _words | st.just(URL)
_values = st.recursive(
    _leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(_words | st.text(max_size=3), inner, max_size=4)
    ),
    max_leaves=25,
)


def anywhere(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        for child in value.values():
            yield from anywhere(child)
    elif isinstance(value, list):
        for child in value:
            yield from anywhere(child)


@pytest.mark.parametrize("api", list(ModelApi))
@given(junk=st.dictionaries(_words, _values, max_size=5))
def test_any_body_is_refused_or_understood(api: ModelApi, junk: Json) -> None:
    """And never raises anything else; what comes out is JSON again."""
    try:
        checked = check(api, {**body_of(api), **junk})
    except NotAllowed:
        return
    assert isinstance(json.loads(written(checked.body)), dict)
    assert checked.output_tokens > 0


@given(content=st.lists(_values, max_size=4), deeper=st.booleans())
def test_no_source_of_a_message_lies_elsewhere_anthropic(content: list[Any], deeper: bool) -> None:
    body = with_content(ANTHROPIC, result(content) if deeper else {"type": "text", "text": "x"}, *content)
    try:
        sent = check(ANTHROPIC, body).body
    except NotAllowed:
        return
    for message in sent["messages"]:
        for each in _visible(message, frozenset({"input", "caller"})):
            source = each.get("source")
            assert not isinstance(source, dict) or source.get("type") in {"base64", "text", "content"}
            assert each.get("file_id") is None


@given(content=st.lists(_values, max_size=4), deeper=st.booleans())
def test_no_picture_of_a_message_lies_elsewhere_openai(content: list[Any], deeper: bool) -> None:
    output = {"type": "function_call_output", "call_id": "1", "output": content}
    body = body_of(OPENAI, input=[output]) if deeper else with_content(OPENAI, *content)
    try:
        sent = check(OPENAI, body).body
    except NotAllowed:
        return
    opaque = frozenset({"arguments", "action", "annotations", "parameters", "metadata", "logprobs"})
    for each in _visible(sent["input"], opaque):
        image = each.get("image_url")
        assert image is None or image.startswith("data:")
        assert each.get("file_id") is None
        assert each.get("file_url") is None
        assert each.get("type") not in {"mcp", "web_search"}


@given(parts=st.lists(_values, max_size=4), deeper=st.booleans())
def test_no_part_of_a_message_lies_elsewhere_gemini(parts: list[Any], deeper: bool) -> None:
    answer = {"functionResponse": {"name": "f", "response": {}, "parts": parts}}
    body = with_content(GEMINI, answer) if deeper else with_content(GEMINI, *parts)
    try:
        sent = check(GEMINI, body).body
    except NotAllowed:
        return
    for each in _visible(sent["contents"], frozenset({"args", "response"})):
        assert "fileData" not in each


def _visible(value: object, opaque: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
        for key, child in value.items():
            if key not in opaque:
                yield from _visible(child, opaque)
    elif isinstance(value, list):
        for child in value:
            yield from _visible(child, opaque)
