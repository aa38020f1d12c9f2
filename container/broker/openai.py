"""OpenAI's Responses API."""

import json
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

RESPONSES = "/v1/responses"
HEADERS = COMMON_HEADERS | {"originator", "session-id", "thread-id", "x-client-request-id", "version"}
DEFAULT_OUTPUT = 64_000
LEAST_OUTPUT = 16  #: the API takes no smaller bound

#: no `service_tier`, `prompt_cache_retention`: they change the price or what the provider keeps
FIELDS = frozenset({
    "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "store",
    "stream", "stream_options", "include", "prompt_cache_key", "text", "temperature", "top_p",
    "top_logprobs", "truncation", "max_output_tokens", "max_tool_calls", "metadata", "client_metadata",
    "user", "safety_identifier", "context_management",
})  # fmt: skip
#: they name what the provider stores for the whole account, other groups' included; nothing opens them
STORED_FIELDS = ("previous_response_id", "conversation", "prompt", "background")
INCLUDED = frozenset({"reasoning.encrypted_content", "message.output_text.logprobs"})
#: every `type` in the input that carries its content with it, or tells what happened before
TYPES = frozenset({
    "message", "reasoning", "function_call", "function_call_output", "custom_tool_call",
    "custom_tool_call_output", "local_shell_call", "local_shell_call_output", "shell_call",
    "shell_call_output", "apply_patch_call", "apply_patch_call_output", "tool_search_call",
    "tool_search_output", "web_search_call", "compaction", "compaction_summary",
    "compaction_trigger", "context_compaction", "agent_message", "input_text", "input_image",
    "input_file", "input_audio", "output_text", "refusal", "summary_text", "reasoning_text", "text",
    "encrypted_content", "exit", "timeout", "additional_tools",
})  # fmt: skip
REMOTE_TYPES = frozenset({
    "image_generation_call",
    "file_search_call", "code_interpreter_call", "mcp_list_tools", "mcp_approval_request",
    "mcp_approval_response", "mcp_call", "computer_call", "computer_call_output", "computer_screenshot",
})  # fmt: skip
OPAQUE = frozenset({"arguments", "action", "annotations", "tools", "parameters", "metadata", "logprobs"})
LOCAL_TOOLS = frozenset({"function", "custom", "local_shell", "apply_patch", "tool_search"})
CHOICES = LOCAL_TOOLS | {"shell"}


class OpenAI:
    """Implements `Dialect`."""

    api = ModelApi.OPENAI

    def route(self, path: str, query: Mapping[str, str]) -> Route | None:
        # The version is part of the base URL: the provider has several.
        return Route(path=RESPONSES.removeprefix("/v1"), query={}) if path == RESPONSES else None

    def headers(self, given: Mapping[str, str], grant: Grant) -> dict[str, str]:
        return passed_on(given, HEADERS)

    def check(self, route: Route, body: Json, grant: Grant, *, depth: int) -> Checked:
        model = allowed_model(body.get("model"), grant.models)
        remote = grant.provider_tools
        if not isinstance(body.get("instructions", ""), str | None):
            raise not_known("instructions that are no text")
        for field in STORED_FIELDS:
            if body.get(field):
                raise provider_side(field)
        sent = keep(body, FIELDS)
        sent["store"] = False
        tally = Tally()
        _check_items(sent.get("input"))
        for each in objects(sent.get("input"), OPAQUE, depth):
            _check_object(each, remote, tally)
        if not remote:
            _keep_local(sent)
        return Checked(
            body=sent,
            model=model,
            tally=tally,
            output_tokens=most_output(sent, "max_output_tokens", DEFAULT_OUTPUT),
            streamed=sent.get("stream") is True,
        )

    def bound(self, body: Json, most: int) -> None:
        body["max_output_tokens"] = max(most, LEAST_OUTPUT)

    def counter(self) -> Counter:
        return Reported(read=_read_usage, convert=_usage)

    def error(self, sentence: str, status: int) -> bytes:
        code = "not_found" if status == 404 else "invalid_prompt"
        told = {"message": sentence, "type": "invalid_request_error", "param": None, "code": code}
        return json.dumps({"error": told}).encode()

    def error_event(self, sentence: str) -> bytes:
        # This code is the one after which the agent does not ask again.
        error = {"code": "invalid_prompt", "message": sentence}
        event = {"type": "response.failed", "response": {"status": "failed", "error": error}}
        return b"\n\nevent: response.failed\ndata: " + json.dumps(event).encode() + b"\n\n"


def _check_items(items: object) -> None:
    """An item that has only an id means one that the provider has stored."""
    if isinstance(items, str):
        return
    for item in a_list(items, "input items"):
        if not isinstance(item, dict) or not (item.get("type") or item.get("role")):
            raise provider_side("an item it stores")


def _check_object(each: Json, remote: bool, tally: Tally) -> None:
    check_kind(each.get("type"), TYPES | REMOTE_TYPES if remote else TYPES, REMOTE_TYPES)
    if not remote:
        _check_files(each)
    if each.get("tools") is not None:  # what a search among the agent's own tools has found
        if remote:
            return
        each["tools"] = local_tools(each["tools"])
    if each.get("image_url") is not None:
        tally.image(each["image_url"])
    if each.get("file_data") is not None:
        tally.file(each["file_data"])
    audio = each.get("input_audio")
    if isinstance(audio, dict):
        tally.file(audio.get("data"))


def _check_files(each: Json) -> None:
    if each.get("file_id") is not None or each.get("file_url") is not None:
        raise provider_side("a file from elsewhere")
    image = each.get("image_url")
    if image is not None and not (isinstance(image, str) and image[:5].lower() == "data:"):
        raise provider_side("an image from elsewhere")


def _keep_local(sent: Json) -> None:
    """Leave of the tools, of the choice among them and of what the answer includes only what is local."""
    offered = sent.get("tools")
    if offered:
        sent["tools"] = local_tools(offered)
        if not sent["tools"]:
            raise provider_side(offered[0].get("type") if isinstance(offered[0], dict) else offered[0])
    choice = sent.get("tool_choice")
    if isinstance(choice, dict):
        _check_choice(choice)
    if "include" in sent:
        included = a_list(sent["include"], "includes")
        sent["include"] = [name for name in included if isinstance(name, str) and name in INCLUDED]


def _check_choice(choice: Json) -> None:
    named = choice.get("type") == "allowed_tools"
    for each in a_list(choice.get("tools"), "tools") if named else [choice]:
        if not isinstance(each, dict) or not among(each.get("type"), CHOICES):
            raise NotAllowed("The request was not sent: it must use a tool that it does not have.")


def local_tools(tools: Any, level: int = 0) -> list[Json]:
    """The tools that run in the container. One that runs at the provider is left out."""
    if level > 1:  # a namespace holds no other
        return []
    found = []
    for tool in a_list(tools, "tools"):
        if not isinstance(tool, dict):
            continue
        if tool.get("type") == "namespace":
            inner = local_tools(tool.get("tools"), level + 1)
            if inner:
                found.append({**tool, "tools": inner})
        elif _is_local(tool):
            found.append(tool)
    return found


def _is_local(tool: Json) -> bool:
    if tool.get("type") == "shell":  # local unless it says that a container of the provider's is meant
        return tool.get("environment") in (None, {"type": "local"})
    return among(tool.get("type"), LOCAL_TOOLS)


def _read_usage(message: Mapping[str, Any]) -> tuple[Report, bool] | None:
    if message.get("object") == "response":
        found = below(message, "usage")
    elif message.get("type") in ("response.completed", "response.incomplete", "response.failed"):
        found = below(message, "response", "usage")
    else:
        return None
    return None if found is None else (found, True)


def _usage(report: Report) -> Usage:
    whole = number(report, "input_tokens")
    cached = min(whole, number(report, "input_tokens_details", "cached_tokens"))
    return Usage(input=whole - cached, cache_read=cached, output=number(report, "output_tokens"))
