"""OpenAI's Responses API: what it refuses, what a request says, and how an answer is written."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

from tests.servers.models.script import Spent
from tests.servers.models.talk import Json, Piece, Talk, WrongRequest, need, rounds_and_results
from tests.servers.models.writer import event, in_pieces

KINDS = {401: "invalid_request_error", 403: "insufficient_permissions", 429: "rate_limit_error"}
CODES = {
    401: "invalid_api_key",
    404: "model_not_found",
    429: "rate_limit_exceeded",
    503: "server_is_overloaded",
}
FIELDS = {
    "model", "input", "instructions", "stream", "store", "tools", "tool_choice", "parallel_tool_calls",
    "reasoning", "include", "prompt_cache_key", "prompt_cache_retention", "text", "max_output_tokens",
    "max_tool_calls", "temperature", "top_p", "metadata", "previous_response_id", "service_tier",
    "truncation", "user", "safety_identifier", "background", "conversation", "prompt", "stream_options",
    "top_logprobs", "client_metadata", "context_management",
}  # fmt: skip
_CALLS = {"function_call": "function_call_output", "custom_tool_call": "custom_tool_call_output"}
#: the tool of newer models that runs a program, in which the other tools are functions
SCRIPTED = ("functions/exec", "exec")
_SCRIPT = """const wanted = %s;
const found = ALL_TOOLS.map(tool => tool.name).find(name => name === wanted || name.endsWith("_" + wanted));
text(await tools[found](%s));
"""
_numbers = itertools.count(1)


def error(status: int, message: str, kind: str = "") -> Json:
    default = "server_error" if status >= 500 else "invalid_request_error"
    return {
        "error": {
            "message": message,
            "type": KINDS.get(status, default),
            "param": None,
            "code": kind or CODES.get(status),
        }
    }


def check_credential(headers: Mapping[str, str], keys: frozenset[str], tokens: frozenset[str]) -> None:
    bearer = headers.get("authorization", "").removeprefix("Bearer ")
    need(bearer, "Missing bearer authentication in header", 401, "missing_authorization")
    need(bearer in keys | tokens, f"Incorrect API key provided: {bearer[:4]}***.", 401)


def check(body: Json) -> None:
    extra = sorted(set(body) - FIELDS)
    need(not extra, f"Unknown parameter: '{', '.join(extra)}'.", kind="unknown_parameter")
    need(
        isinstance(body.get("model"), str),
        "Missing required parameter: 'model'.",
        kind="missing_required_parameter",
    )
    need("input" in body or "prompt" in body, "Missing required parameter: 'input'.")
    most = body.get("max_output_tokens")
    need(most is None or (isinstance(most, int) and most >= 16), "Invalid 'max_output_tokens': below minimum")
    need(
        not body.get("previous_response_id"),
        f"Previous response with id '{body.get('previous_response_id')}' not found.",
        kind="previous_response_not_found",
    )
    for tool in tools(body):
        if tool.get("type") in {"function", "custom"}:
            need(tool.get("name"), "Missing required parameter: 'tools[0].name'.")
    if isinstance(body["input"], list):
        _check_calls(body["input"])


def _check_calls(items: list[Json]) -> None:
    called: dict[str, str] = {}
    answered: set[str] = set()
    for at, item in enumerate(items):
        kind = item.get("type") or "message"
        need(
            kind != "message" or item.get("role") in {"user", "assistant", "system", "developer"},
            f"Invalid value: '{item.get('role')}' for 'input[{at}].role'.",
        )
        identity = item.get("call_id", "")
        if kind in _CALLS:
            called[identity] = _CALLS[kind]
        if kind in _CALLS.values():
            need(
                called.get(identity) == kind,
                f"No tool call found for function call output with call_id {identity}.",
            )
            answered.add(identity)
    for identity in called:
        need(identity in answered, f"No tool output found for function call {identity}.")


def _flat(tools: list[Json]) -> list[Json]:
    """Tools of namespaces as well, under the name they are called by."""
    flat: list[Json] = []
    for tool in tools:
        if tool.get("type") == "namespace":
            flat += [{**inner, "namespace": tool.get("name", "")} for inner in tool.get("tools") or []]
        else:
            flat.append(tool)
    return flat


def tools(body: Json) -> list[Json]:
    """Those of the request, and those that newer models are given in the midst of the input."""
    given = list(body.get("tools") or [])
    for item in body["input"] if isinstance(body["input"], list) else []:
        if item.get("type") == "additional_tools":
            given += item.get("tools") or []
    return _flat(given)


def _name(tool: Json) -> str:
    name = str(tool.get("name") or tool["type"])
    return f"{tool['namespace']}/{name}" if "namespace" in tool else name


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if isinstance(content, list):
        return "\n".join(part.get("text", "") for part in content if isinstance(part, dict))
    return ""


def read(body: Json) -> Talk:
    given = body["input"]
    items = [{"type": "message", "role": "user", "content": given}] if isinstance(given, str) else given
    pieces: list[Piece] = []
    system = [body.get("instructions") or ""]
    for item in items:
        kind = item.get("type") or "message"
        if kind == "message" and item["role"] in {"system", "developer"}:
            system.append(_text(item.get("content")))
        elif kind == "message":
            who = Piece("model" if item["role"] == "assistant" else "user", _text(item.get("content")))
            pieces.append(who)
        elif kind in _CALLS:
            pieces.append(Piece("model", ""))
        elif kind in _CALLS.values():
            pieces.append(Piece("result", _text(item.get("output"))))
    words, rounds, results = rounds_and_results(pieces)
    names = tuple(_name(tool) for tool in tools(body))
    return Talk(
        model=body["model"],
        words=words,
        rounds=rounds,
        results=results,
        history=tuple((piece.who, piece.text) for piece in pieces),
        system="\n".join(system),
        tools=names,
        side=not names or bool((body.get("text") or {}).get("format")),
        streamed=bool(body.get("stream")),
    )


class ResponsesWriter:
    """response.created, output items with their deltas, response.completed."""

    def __init__(self, talk: Talk) -> None:
        self._model = talk.model
        self._scripted = next((name for name in talk.tools if name in SCRIPTED), "")
        self._id = f"resp_stub{next(_numbers):06}"
        self._output: list[Json] = []
        self._sequence = itertools.count()
        self._text: Json | None = None

    def begin(self, spent: Spent) -> bytes:
        response = self._response("in_progress", None)
        return self._event("response.created", response=response) + self._event(
            "response.in_progress", response=response
        )

    def text(self, piece: str) -> bytes:
        written = b""
        if self._text is None:
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            self._text = {
                "id": f"msg_stub{next(_numbers):06}",
                "type": "message",
                "status": "in_progress",
                "role": "assistant",
                "content": [part],
            }
            self._output.append(self._text)
            written = self._event("response.output_item.added", item={**self._text, "content": []})
            written += self._event("response.content_part.added", **self._place(), part=dict(part))
        self._text["content"][0]["text"] += piece
        return written + self._event("response.output_text.delta", **self._place(), delta=piece, logprobs=[])

    def call(self, name: str, arguments: Mapping[str, Any]) -> bytes:
        if self._scripted and name not in SCRIPTED:
            return self._run(_SCRIPT % (json.dumps(name), json.dumps(dict(arguments))))
        written = self._stop()
        namespace, _, short = name.rpartition("/")
        item = {
            "id": f"fc_stub{next(_numbers):06}",
            "type": "function_call",
            "status": "in_progress",
            "call_id": f"call_stub{next(_numbers):06}",
            "name": short,
            "arguments": "",
            **({"namespace": namespace} if namespace else {}),
        }
        text = json.dumps(dict(arguments))
        self._output.append(item)
        written += self._event("response.output_item.added", item=dict(item))
        for piece in in_pieces(text):
            written += self._event("response.function_call_arguments.delta", item_id=item["id"], delta=piece)
        written += self._event("response.function_call_arguments.done", item_id=item["id"], arguments=text)
        item |= {"arguments": text, "status": "completed"}
        return written + self._event("response.output_item.done", item=item)

    def _run(self, script: str) -> bytes:
        """A call of the tool that takes a program, which calls the other tools."""
        written = self._stop()
        namespace, _, short = self._scripted.rpartition("/")
        item = {
            "id": f"ctc_stub{next(_numbers):06}",
            "type": "custom_tool_call",
            "status": "in_progress",
            "call_id": f"call_stub{next(_numbers):06}",
            "name": short,
            "input": "",
            **({"namespace": namespace} if namespace else {}),
        }
        self._output.append(item)
        written += self._event("response.output_item.added", item=dict(item))
        kind = "response.custom_tool_call_input"
        for piece in in_pieces(script, 64):
            written += self._event(f"{kind}.delta", item_id=item["id"], delta=piece)
        written += self._event(f"{kind}.done", item_id=item["id"], input=script)
        item |= {"input": script, "status": "completed"}
        return written + self._event("response.output_item.done", item=item)

    def end(self, spent: Spent) -> bytes:
        return self._stop() + self._event("response.completed", response=self.whole(spent))

    def overload(self) -> bytes:
        reason = {"code": "server_is_overloaded", "message": "The server is overloaded."}
        return self._event("response.failed", response={**self._response("failed", None), "error": reason})

    def whole(self, spent: Spent) -> Json:
        self._stop()
        asked = spent.input + spent.cache_read
        return self._response(
            "completed",
            {
                "input_tokens": asked,
                "input_tokens_details": {"cached_tokens": spent.cache_read},
                "output_tokens": spent.output,
                "output_tokens_details": {"reasoning_tokens": spent.thought},
                "total_tokens": asked + spent.output,
            },
        )

    def _stop(self) -> bytes:
        if self._text is None:
            return b""
        item, place = self._text, self._place()
        item["status"], self._text = "completed", None
        part = item["content"][0]
        return (
            self._event("response.output_text.done", **place, text=part["text"], logprobs=[])
            + self._event("response.content_part.done", **place, part=part)
            + self._event("response.output_item.done", item=item)
        )

    def _place(self) -> Json:
        assert self._text is not None
        return {"item_id": self._text["id"], "content_index": 0}

    def _response(self, status: str, usage: Json | None) -> Json:
        return {
            "id": self._id,
            "object": "response",
            "created_at": 1_790_000_000,
            "status": status,
            "error": None,
            "incomplete_details": None,
            "model": self._model,
            "output": list(self._output),
            "usage": usage,
        }

    def _event(self, kind: str, **fields: Any) -> bytes:
        if "response" not in fields:
            fields["output_index"] = len(self._output) - 1
        return event(kind, {"type": kind, "sequence_number": next(self._sequence), **fields})


def model_card(name: str) -> Json:
    return {"id": name, "object": "model", "created": 1_790_000_000, "owned_by": "openai"}


def unknown_model(name: str) -> WrongRequest:
    return WrongRequest(400, f"The requested model '{name}' does not exist.", "model_not_found")
