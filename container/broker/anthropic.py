"""Anthropic's Messages API."""

import json
import re
from collections.abc import Mapping
from typing import Any

from container.agent import ModelApi
from container.broker.checked import (
    Checked,
    Tally,
    a_list,
    allowed_model,
    among,
    check_kind,
    most_output,
    not_known,
    provider_side,
)
from container.broker.counting import Counter, Report, Reported, below, number
from container.broker.dialect import COMMON_HEADERS, Route, passed_on
from container.broker.port import Grant, NotAllowed, Usage
from container.broker.values import Json, keep, objects

MESSAGES = "/v1/messages"
COUNT = "/v1/messages/count_tokens"
HEADERS = COMMON_HEADERS | {"anthropic-version", "anthropic-beta", "x-app"}
#: betas that open the provider's own ways out; what they would need in the body is refused as well
CLOSED_BETAS = re.compile(
    r"files-api|mcp|code-execution|web-|skills|advisor|fast-mode|container|computer-env"
)
MOST_BETAS = 50
DEFAULT_OUTPUT = 32_000
LEAST_THOUGHTS = 1024

#: no `speed`, `service_tier`, `inference_geo`: they change the price; no `fallbacks`: they change the model
FIELDS = frozenset({
    "model", "messages", "system", "tools", "tool_choice", "metadata", "max_tokens", "stop_sequences",
    "stream", "temperature", "top_p", "top_k", "thinking", "context_management", "output_config",
    "output_format", "cache_control",
})  # fmt: skip
REMOTE_FIELDS = frozenset({"mcp_servers", "container"})
#: every `type` in messages that carries its content with it, or tells what happened before
TYPES = frozenset({
    "text", "image", "document", "tool_use", "tool_result", "thinking", "redacted_thinking",
    "search_result", "tool_reference", "compaction", "base64", "content", "ephemeral", "server_tool_use",
    "web_search_tool_result", "web_search_result", "web_fetch_tool_result", "web_fetch_result",
    "web_search_tool_result_error", "web_fetch_tool_result_error", "tool_search_tool_result",
    "tool_search_tool_search_result", "tool_search_tool_result_error", "char_location", "page_location",
    "content_block_location", "web_search_result_location", "search_result_location",
})  # fmt: skip
REMOTE_TYPES = frozenset({
    "url", "file", "container_upload", "mcp_tool_use", "mcp_tool_result", "code_execution_tool_result",
    "code_execution_result", "bash_code_execution_tool_result", "bash_code_execution_result",
    "text_editor_code_execution_tool_result", "code_execution_output", "bash_code_execution_output",
})  # fmt: skip
SOURCES = frozenset({"base64", "text", "content"})
OPAQUE = frozenset({"input", "caller"})  #: an agent's own data
#: tools that run in the container although the provider wrote their description
LOCAL_TOOL = re.compile(r"(bash|text_editor|memory|computer)_\d{8}|tool_search_tool_(regex|bm25)(_\d{8})?")


class Anthropic:
    """Implements `Dialect`."""

    api = ModelApi.ANTHROPIC

    def route(self, path: str, query: Mapping[str, str]) -> Route | None:
        if path not in (MESSAGES, COUNT):
            return None
        kept = {"beta": "true"} if query.get("beta") == "true" else {}
        return Route(path=path, query=kept, priced=path == MESSAGES)

    def headers(self, given: Mapping[str, str], grant: Grant) -> dict[str, str]:
        headers = passed_on(given, HEADERS)
        betas = [beta.strip() for beta in headers.pop("anthropic-beta", "").split(",") if beta.strip()]
        if not grant.provider_tools:
            betas = [beta for beta in betas if not CLOSED_BETAS.search(beta)]
        if betas:
            headers["anthropic-beta"] = ",".join(betas[:MOST_BETAS])
        headers.setdefault("anthropic-version", "2023-06-01")
        return headers

    def check(self, route: Route, body: Json, grant: Grant, *, depth: int) -> Checked:
        model = allowed_model(body.get("model"), grant.models)
        remote = grant.provider_tools
        for field in () if remote else REMOTE_FIELDS:
            if body.get(field):
                raise provider_side(field)
        sent = keep(body, FIELDS | REMOTE_FIELDS if remote else FIELDS)
        tally = Tally()
        types = TYPES | REMOTE_TYPES if remote else TYPES
        for part in (sent.get("system"), sent.get("messages")):
            for each in objects(part, OPAQUE, depth):
                _check_object(each, types, remote, tally)
        if "tools" in sent and not remote:
            sent["tools"] = _local_tools(sent["tools"], sent.get("tool_choice"))
        return Checked(
            body=sent,
            model=model,
            tally=tally,
            output_tokens=most_output(sent, "max_tokens", DEFAULT_OUTPUT),
            streamed=sent.get("stream") is True,
        )

    def bound(self, body: Json, most: int) -> None:
        body["max_tokens"] = most
        thinking = body.get("thinking")
        if isinstance(thinking, dict) and thinking.get("type") == "enabled":
            _fit_thoughts(body, thinking, most)

    def counter(self) -> Counter:
        return Reported(read=_read_usage, convert=_usage)

    def error(self, sentence: str, status: int) -> bytes:
        kind = "not_found_error" if status == 404 else "invalid_request_error"
        return json.dumps({"type": "error", "error": {"type": kind, "message": sentence}}).encode()

    def error_event(self, sentence: str) -> bytes:
        return b"\n\nevent: error\ndata: " + self.error(sentence, 400) + b"\n\n"


def _check_object(each: Json, types: frozenset[str], remote: bool, tally: Tally) -> None:
    check_kind(each.get("type"), types, REMOTE_TYPES)
    if not remote and each.get("file_id") is not None:
        raise provider_side("a file it stores")
    source = each.get("source")
    if isinstance(source, dict):
        if not remote and not among(source.get("type"), SOURCES):
            raise provider_side("a file from elsewhere")
        if source.get("type") == "base64":
            tally.media(source.get("media_type"), source.get("data"))
    elif source is not None and each.get("type") != "search_result":
        raise not_known("a source that is no object")


def _fit_thoughts(body: Json, thinking: Json, most: int) -> None:
    """A budget for thoughts lies below the bound of the answer, and is not smaller than the API's least."""
    budget = thinking.get("budget_tokens")
    if isinstance(budget, int) and budget < most:
        return
    if most // 2 >= LEAST_THOUGHTS:
        body["thinking"] = {**thinking, "budget_tokens": most // 2}
    else:
        del body["thinking"]


def _local_tools(tools: Any, choice: Any) -> list[Json]:
    """The tools that run in the container. One that runs at the provider is left out if others remain."""
    local = [tool for tool in a_list(tools, "tools") if isinstance(tool, dict) and _is_local(tool)]
    if tools and not local:
        raise provider_side(tools[0].get("type") if isinstance(tools[0], dict) else tools[0])
    if isinstance(choice, dict) and "name" in choice and choice["name"] not in _names(local):
        raise NotAllowed("The request was not sent: it must use a tool that it does not have.")
    return local


def _is_local(tool: Json) -> bool:
    kind = tool.get("type")
    return kind in (None, "custom") or (isinstance(kind, str) and LOCAL_TOOL.fullmatch(kind) is not None)


def _names(tools: list[Json]) -> list[object]:
    return [tool.get("name") for tool in tools]


def _read_usage(message: Mapping[str, Any]) -> tuple[Report, bool] | None:
    match message.get("type"):
        case "message_start":
            found, final = below(message, "message", "usage"), False
        case "message_delta" | "message":
            found, final = below(message, "usage"), True
        case _:
            return None
    return None if found is None else (found, final)


def _usage(report: Report) -> Usage:
    written = number(report, "cache_creation_input_tokens")
    hour = min(written, number(report, "cache_creation", "ephemeral_1h_input_tokens"))
    return Usage(
        input=number(report, "input_tokens"),
        cache_read=number(report, "cache_read_input_tokens"),
        cache_write=written - hour,
        cache_write_hour=hour,
        output=number(report, "output_tokens"),
    )
