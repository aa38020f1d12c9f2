"""Google's generateContent: what it refuses, what a request says, and how an answer is written."""

import itertools
import json
from collections.abc import Mapping
from typing import Any

from tests.servers.models.script import Spent
from tests.servers.models.talk import Json, Piece, Talk, WrongRequest, need, rounds_and_results

KINDS = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
FIELDS = {
    "contents", "systemInstruction", "system_instruction", "tools", "toolConfig", "tool_config",
    "safetySettings", "safety_settings", "generationConfig", "generation_config", "cachedContent", "model",
    "generateContentRequest", "labels",
}  # fmt: skip
_numbers = itertools.count(1)


def error(status: int, message: str, kind: str = "") -> Json:
    return {
        "error": {"code": status, "message": message, "status": kind or KINDS.get(status, "UNKNOWN")},
    }


def retry_info(document: Json, seconds: float) -> Json:
    """How this API names a pause: in the body."""
    kind = "type.googleapis.com/google.rpc.RetryInfo"
    document["error"]["details"] = [{"@type": kind, "retryDelay": f"{seconds:g}s"}]
    return document


def check_credential(headers: Mapping[str, str], keys: frozenset[str], tokens: frozenset[str]) -> None:
    key, bearer = headers.get("x-goog-api-key", ""), headers.get("authorization", "").removeprefix("Bearer ")
    need(
        key or bearer,
        "Method doesn't allow unregistered callers (callers without established identity).",
        403,
    )
    if key:
        need(key in keys, "API key not valid. Please pass a valid API key.", 400)
    else:
        need(bearer in tokens, "Request had invalid authentication credentials.", 401)


def check(body: Json) -> None:
    body = body.get("generateContentRequest") or body
    extra = sorted(set(body) - FIELDS)
    need(
        not extra,
        f'Invalid JSON payload received. Unknown name "{", ".join(extra)}": Cannot find field.',
    )
    contents = body.get("contents")
    need(
        isinstance(contents, list) and contents,
        "* GenerateContentRequest.contents: contents is not specified",
    )
    assert isinstance(contents, list)
    waiting = 0
    for at, content in enumerate(contents):
        role = content.get("role", "user")
        need(role in {"user", "model", "function"}, "Please use a valid role: user, model.")
        parts = content.get("parts") or []
        need(parts, f"* GenerateContentRequest.contents[{at}].parts: contents.parts must not be empty.")
        calls = sum("functionCall" in part for part in parts)
        answers = sum("functionResponse" in part for part in parts)
        need(
            answers == waiting,
            "Please ensure that the number of function response parts is equal to the number of function "
            "call parts of the function call turn.",
        )
        need(
            not calls or at > 0,
            "Please ensure that function call turn comes immediately after a user turn or after a function "
            "response turn.",
        )
        waiting = calls


def read(body: Json, model: str, *, streamed: bool) -> Talk:
    pieces: list[Piece] = []
    for content in body["contents"]:
        parts = content["parts"]
        texts = "\n".join(part["text"] for part in parts if part.get("text") and not part.get("thought"))
        if content.get("role") == "model":
            pieces.append(Piece("model", texts))
            continue
        results = [part["functionResponse"] for part in parts if "functionResponse" in part]
        pieces += [Piece("result", json.dumps(result.get("response"))) for result in results]
        if not results:
            pieces.append(Piece("user", texts))
    words, rounds, since = rounds_and_results(pieces)
    system = body.get("systemInstruction") or {}
    config = body.get("generationConfig") or {}
    names = tuple(
        declared["name"]
        for tool in body.get("tools") or []
        for declared in tool.get("functionDeclarations") or []
    )
    return Talk(
        model=model,
        words=words,
        rounds=rounds,
        results=since,
        history=tuple((piece.who, piece.text) for piece in pieces),
        system="\n".join(part.get("text", "") for part in system.get("parts") or []),
        tools=names,
        side=not names or "responseJsonSchema" in config or "responseSchema" in config,
        streamed=streamed,
    )


class GeminiWriter:
    """Chunks that are answers each; the last one has the reason of its end."""

    def __init__(self, talk: Talk) -> None:
        self._model = talk.model
        self._id = f"stub{next(_numbers):06}"
        self._parts: list[Json] = []

    def begin(self, spent: Spent) -> bytes:
        return b""

    def text(self, piece: str) -> bytes:
        if self._parts and "text" in self._parts[-1]:
            self._parts[-1]["text"] += piece
        else:
            self._parts.append({"text": piece})
        return self._chunk([{"text": piece}], None, None)

    def call(self, name: str, arguments: Mapping[str, Any]) -> bytes:
        part = {
            "functionCall": {"id": f"stub{next(_numbers):06}", "name": name, "args": dict(arguments)},
            "thoughtSignature": "c3R1Yg==",
        }
        self._parts.append(part)
        return self._chunk([part], None, None)

    def end(self, spent: Spent) -> bytes:
        return self._chunk([{"text": ""}], "STOP", spent)

    def overload(self) -> bytes:
        document = error(503, "The model is overloaded. Please try again later.")
        return f"data: {json.dumps(document)}\r\n\r\n".encode()

    def whole(self, spent: Spent) -> Json:
        return self._document(self._parts or [{"text": ""}], "STOP", spent)

    def _chunk(self, parts: list[Json], reason: str | None, spent: Spent | None) -> bytes:
        return f"data: {json.dumps(self._document(parts, reason, spent))}\r\n\r\n".encode()

    def _document(self, parts: list[Json], reason: str | None, spent: Spent | None) -> Json:
        candidate: Json = {"content": {"parts": parts, "role": "model"}, "index": 0}
        if reason is not None:
            candidate["finishReason"] = reason
        document: Json = {"candidates": [candidate], "modelVersion": self._model, "responseId": self._id}
        if spent is not None:
            document["usageMetadata"] = _usage(spent)
        return document


def _usage(spent: Spent) -> Json:
    """Thoughts are told beside the candidates here, the cached part within the prompt."""
    asked = spent.input + spent.cache_read
    return {
        "promptTokenCount": asked,
        "cachedContentTokenCount": spent.cache_read,
        "candidatesTokenCount": spent.output - spent.thought,
        "thoughtsTokenCount": spent.thought,
        "totalTokenCount": asked + spent.output,
    }


def model_card(name: str) -> Json:
    return {"name": f"models/{name}", "version": "1", "displayName": name, "inputTokenLimit": 1_000_000}


def unknown_model(name: str) -> WrongRequest:
    return WrongRequest(
        404,
        f"models/{name} is not found for API version v1beta, or is not supported for generateContent.",
    )
