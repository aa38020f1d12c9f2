"""Anthropic's Messages API: what it refuses, what a request says, and how an answer is written."""

import itertools
import json
import re
from collections.abc import Mapping
from typing import Any

from tests.servers.models.script import Spent
from tests.servers.models.talk import Json, Piece, Talk, WrongRequest, need, rounds_and_results
from tests.servers.models.writer import event, in_pieces

VERSION = "2023-06-01"
OAUTH_BETA = "oauth-2025-04-20"
KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
FIELDS = {
    "model", "messages", "max_tokens", "system", "stream", "tools", "tool_choice", "metadata", "temperature",
    "top_p", "top_k", "stop_sequences", "thinking", "service_tier", "container", "context_management",
    "mcp_servers", "output_config", "output_format", "betas", "speed", "inference_geo", "cache_control",
    "diagnostics", "fallbacks",
}  # fmt: skip
_TOOL_NAME = re.compile(r"^[a-zA-Z0-9_-]{1,128}$")
_numbers = itertools.count(1)


def error(status: int, message: str, kind: str = "") -> Json:
    kind = kind or KINDS.get(status, "api_error")
    return {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_stub"}


def check_credential(headers: Mapping[str, str], keys: frozenset[str], tokens: frozenset[str]) -> None:
    """An API key in its own header, or an OAuth token with the beta that allows it."""
    key, bearer = headers.get("x-api-key", ""), headers.get("authorization", "").removeprefix("Bearer ")
    need(key or bearer, "x-api-key header is required", 401)
    if key:
        need(key in keys, "invalid x-api-key", 401)
        return
    need(bearer in tokens, "OAuth token is invalid or has expired.", 401)
    need(
        OAUTH_BETA in headers.get("anthropic-beta", ""),
        "OAuth authentication is currently not supported.",
        401,
    )


def check_headers(headers: Mapping[str, str]) -> None:
    need(headers.get("anthropic-version"), "anthropic-version: header is required")
    need(
        headers["anthropic-version"] == VERSION,
        f"anthropic-version: {headers['anthropic-version']!r} is not valid",
    )


def check(body: Json, *, counting: bool = False) -> None:
    extra = sorted(set(body) - FIELDS)
    need(not extra, f"{', '.join(extra)}: Extra inputs are not permitted")
    need(isinstance(body.get("model"), str), "model: Field required")
    if not counting:
        most = body.get("max_tokens")
        need(most is not None, "max_tokens: Field required")
        need(isinstance(most, int) and most > 0, "max_tokens: must be greater than or equal to 1")
    messages = body.get("messages")
    need(isinstance(messages, list), "messages: Field required")
    assert isinstance(messages, list)
    need(messages, "messages: at least one message is required")
    need(messages[0].get("role") == "user", "messages: first message must use the user role")
    _check_tools(body.get("tools") or [])
    _check_messages(messages)


def _check_tools(tools: list[Json]) -> None:
    names = [tool.get("name", "") for tool in tools]
    need(len(set(names)) == len(names), "tools: Tool names must be unique.")
    for at, tool in enumerate(tools):
        if tool.get("type") in {None, "custom"}:
            need(
                _TOOL_NAME.match(tool.get("name", "")), f"tools.{at}.custom.name: String should match pattern"
            )
            schema = tool.get("input_schema")
            need(isinstance(schema, dict), f"tools.{at}.custom.input_schema: Field required")
            assert isinstance(schema, dict)
            need(
                schema.get("type") == "object",
                f"tools.{at}.custom.input_schema.type: Input should be 'object'",
            )


def _check_messages(messages: list[Json]) -> None:
    waiting: set[str] = set()
    for at, message in enumerate(messages):
        role = message.get("role")
        need(role in {"user", "assistant", "system"}, f'messages: Unexpected role "{role}"')
        if role == "system":  # instructions of a turn; they stand behind what the turn began with
            need(messages[at - 1].get("role") == "user", f"messages.{at}: system must follow a user message")
            continue
        found = blocks(message)
        need(found or at == len(messages) - 1, f"messages.{at}: all messages must have non-empty content")
        for block in found:
            if block.get("type") == "text":
                need(block.get("text"), "messages: text content blocks must be non-empty")
        answered = {block.get("tool_use_id", "") for block in found if block.get("type") == "tool_result"}
        need(
            not waiting - answered,
            f"messages.{at}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(sorted(waiting - answered))}. Each `tool_use` block must have a corresponding "
            "`tool_result` block in the next message.",
        )
        need(
            not answered - waiting,
            f"messages.{at}.content: unexpected `tool_use_id` found in `tool_result` blocks: "
            f"{', '.join(sorted(answered - waiting))}. Each `tool_result` block must have a corresponding "
            "`tool_use` block in the previous message.",
        )
        waiting = {block.get("id", "") for block in found if block.get("type") == "tool_use"}
    need(not waiting, f"messages: `tool_use` ids were found without `tool_result`: {', '.join(waiting)}")


def blocks(message: Json) -> list[Json]:
    content = message.get("content")
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    need(isinstance(content, list), "messages.content: Field required")
    assert isinstance(content, list)
    return content


def read(body: Json) -> Talk:
    pieces: list[Piece] = []
    said = body.get("system") or ""
    system = [said] if isinstance(said, str) else [part.get("text", "") for part in said]
    for message in body["messages"]:
        found = blocks(message)
        texts = "\n".join(block["text"] for block in found if block.get("type") == "text")
        if message["role"] == "system":
            system.append(texts)
            continue
        results = [block for block in found if block.get("type") == "tool_result"]
        if message["role"] == "assistant":
            pieces.append(Piece("model", texts))
        elif results:  # what stands beside results is the agent's reminder or a follow-up
            pieces += [Piece("result", _result(block)) for block in results]
        else:
            pieces.append(Piece("user", texts))
    words, rounds, results_since = rounds_and_results(pieces)
    tools = body.get("tools") or []
    return Talk(
        model=body["model"],
        words=words,
        rounds=rounds,
        results=results_since,
        history=tuple((piece.who, piece.text) for piece in pieces),
        system="\n".join(system),
        tools=tuple(tool["name"] for tool in tools),
        side=not tools,
        streamed=bool(body.get("stream")),
    )


def _result(block: Json) -> str:
    content = block.get("content") or ""
    if isinstance(content, str):
        return content
    return "\n".join(part.get("text", "") for part in content)


class MessagesWriter:
    """message_start, content blocks, message_delta, message_stop."""

    def __init__(self, talk: Talk) -> None:
        self._model = talk.model
        self._id = f"msg_stub{next(_numbers):06}"
        self._content: list[Json] = []
        self._open = False

    def begin(self, spent: Spent) -> bytes:
        message = {**self._message(), "content": [], "stop_reason": None, "usage": _usage(spent, output=1)}
        return event("message_start", {"type": "message_start", "message": message}) + event(
            "ping", {"type": "ping"}
        )

    def text(self, piece: str) -> bytes:
        written = b""
        if not self._open:
            self._open = True
            self._content.append({"type": "text", "text": ""})
            written = self._start({"type": "text", "text": ""})
        self._content[-1]["text"] += piece
        return written + self._delta({"type": "text_delta", "text": piece})

    def call(self, name: str, arguments: Mapping[str, Any]) -> bytes:
        written = self._stop()
        block = {"type": "tool_use", "id": f"toolu_stub{next(_numbers):06}", "name": name, "input": {}}
        self._content.append({**block, "input": dict(arguments)})
        self._open = True
        written += self._start(block)
        for piece in in_pieces(json.dumps(dict(arguments))):
            written += self._delta({"type": "input_json_delta", "partial_json": piece})
        return written + self._stop()

    def end(self, spent: Spent) -> bytes:
        return (
            self._stop()
            + event(
                "message_delta",
                {
                    "type": "message_delta",
                    "delta": {"stop_reason": self._reason(), "stop_sequence": None},
                    "usage": _usage(spent, output=spent.output),
                },
            )
            + event("message_stop", {"type": "message_stop"})
        )

    def overload(self) -> bytes:
        return event("error", error(529, "Overloaded"))

    def whole(self, spent: Spent) -> Json:
        usage = _usage(spent, output=spent.output)
        return {**self._message(), "content": self._content, "stop_reason": self._reason(), "usage": usage}

    def _message(self) -> Json:
        return {
            "id": self._id,
            "type": "message",
            "role": "assistant",
            "model": self._model,
            "stop_sequence": None,
        }

    def _reason(self) -> str:
        return "tool_use" if any(block["type"] == "tool_use" for block in self._content) else "end_turn"

    def _start(self, block: Json) -> bytes:
        data = {"type": "content_block_start", "index": len(self._content) - 1, "content_block": block}
        return event("content_block_start", data)

    def _delta(self, delta: Json) -> bytes:
        data = {"type": "content_block_delta", "index": len(self._content) - 1, "delta": delta}
        return event("content_block_delta", data)

    def _stop(self) -> bytes:
        if not self._open:
            return b""
        self._open = False
        return event("content_block_stop", {"type": "content_block_stop", "index": len(self._content) - 1})


def _usage(spent: Spent, *, output: int) -> Json:
    return {
        "input_tokens": spent.input,
        "cache_creation_input_tokens": spent.cache_write,
        "cache_read_input_tokens": spent.cache_read,
        "output_tokens": output,
        "service_tier": "standard",
    }


def model_card(name: str) -> Json:
    return {"type": "model", "id": name, "display_name": name, "created_at": "2026-01-01T00:00:00Z"}


def unknown_model(name: str) -> WrongRequest:
    return WrongRequest(404, f"model: {name}")
