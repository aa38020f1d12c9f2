"""Google's generateContent API."""

import json
import re
from collections.abc import Mapping
from typing import Any

from container.agent import ModelApi
from container.broker.checked import (
    Checked,
    Tally,
    allowed_model,
    most_output,
    not_known,
    provider_side,
)
from container.broker.counting import Counter, Report, Reported, below, number
from container.broker.dialect import COMMON_HEADERS, Route, passed_on
from container.broker.port import Grant, Usage
from container.broker.values import Json, keep, objects

PATH = re.compile(
    r"/v1beta/models/([A-Za-z0-9._-]{1,100}):(generateContent|streamGenerateContent|countTokens)"
)
HEADERS = COMMON_HEADERS | {"x-goog-api-client"}
DEFAULT_OUTPUT = 65_536

#: names are compared without underscores and case: this API takes `fileData` and `file_data` alike
FIELDS = frozenset(
    {"contents", "systeminstruction", "tools", "toolconfig", "generationconfig", "safetysettings"}
)
COUNT_FIELDS = FIELDS | {"generatecontentrequest"}
CONTENT = frozenset({"role", "parts"})
#: `executableCode` and `codeExecutionResult` only tell what happened before
PARTS = frozenset({
    "text", "inlinedata", "functioncall", "functionresponse", "thought", "thoughtsignature",
    "executablecode", "codeexecutionresult", "videometadata", "mediaresolution", "partmetadata",
})  # fmt: skip
REMOTE_PARTS = frozenset({"filedata"})
RESPONSE = frozenset({"id", "name", "response", "parts", "scheduling", "willcontinue"})
LOCAL_TOOL = "functiondeclarations"


class Gemini:
    """Implements `Dialect`."""

    api = ModelApi.GEMINI

    def route(self, path: str, query: Mapping[str, str]) -> Route | None:
        found = PATH.fullmatch(path)
        if found is None:
            return None
        model, method = found.groups()
        streamed = method == "streamGenerateContent"
        if (
            streamed and query.get("alt") != "sse"
        ):  # the other form of a stream, one long list, is not watched
            return None
        return Route(
            path=path,
            query={"alt": "sse"} if streamed else {},
            model=model,
            priced=method != "countTokens",
            streamed=streamed,
        )

    def headers(self, given: Mapping[str, str], grant: Grant) -> dict[str, str]:
        return passed_on(given, HEADERS)

    def check(self, route: Route, body: Json, grant: Grant, *, depth: int) -> Checked:
        model = allowed_model(route.model, grant.models)
        for _ in objects(body, frozenset(), depth):
            pass  # its depth is bounded, so what follows may descend
        tally = Tally()
        check = _Check(remote=grant.provider_tools, tally=tally)
        sent = check.request(body, FIELDS if route.priced else COUNT_FIELDS)
        inner = _get(sent, "generatecontentrequest")
        if inner is not None:
            inner = check.request(_object(inner, "request"), FIELDS)
            sent = {"generateContentRequest": {"model": f"models/{model}", **inner}}
        settings = _settings(sent)
        return Checked(
            body=sent,
            model=model,
            tally=tally,
            output_tokens=most_output(settings, _name(settings, "maxoutputtokens"), DEFAULT_OUTPUT),
            streamed=route.streamed,
        )

    def bound(self, body: Json, most: int) -> None:
        settings = body.setdefault("generationConfig", {})
        settings[_name(settings, "maxoutputtokens")] = most
        thinking = _get(settings, "thinkingconfig")
        if isinstance(thinking, dict):
            budget = _name(thinking, "thinkingbudget")
            if isinstance(thinking.get(budget), int) and thinking[budget] >= most:
                thinking[budget] = most // 2

    def counter(self) -> Counter:
        return Reported(read=_read_usage, convert=_usage)

    def error(self, sentence: str, status: int) -> bytes:
        word = "NOT_FOUND" if status == 404 else "INVALID_ARGUMENT"
        return json.dumps({"error": {"code": status, "message": sentence, "status": word}}).encode()

    def error_event(self, sentence: str) -> bytes:
        return b"\n\ndata: " + self.error(sentence, 400) + b"\n\n"


class _Check:
    """Goes through one request. Names that are the same to the provider may stand there once only."""

    def __init__(self, *, remote: bool, tally: Tally) -> None:
        self._remote = remote
        self._tally = tally

    def request(self, body: Json, fields: frozenset[str]) -> Json:
        _once(body)
        if _get(body, "cachedcontent"):
            raise provider_side("content it stores")
        sent = keep(body, fields, plain)
        contents = _get(sent, "contents")
        for content in contents if isinstance(contents, list) else [contents]:
            self._content(content)
        self._content(_get(sent, "systeminstruction"))
        tools = _name(sent, "tools")
        if sent.get(tools) and not self._remote:
            sent[tools] = _local_tools(sent[tools])
        return sent

    def _content(self, content: object) -> None:
        if content is None:
            return
        content = _object(content, "content")
        _known(content, CONTENT)
        self._parts(_get(content, "parts"))

    def _parts(self, parts: object) -> None:
        for part in parts if isinstance(parts, list) else [parts]:
            if part is not None:
                self._part(_object(part, "part"))

    def _part(self, part: Json) -> None:
        names = {plain(key) for key in part}
        if not self._remote and names & REMOTE_PARTS:
            raise provider_side("a file from elsewhere")
        _known(part, PARTS | REMOTE_PARTS if self._remote else PARTS)
        inline = _get(part, "inlinedata")
        if inline is not None:
            inline = _object(inline, "inline data")
            self._tally.media(_get(inline, "mimetype"), _get(inline, "data"))
        answer = _get(part, "functionresponse")
        if answer is not None:
            answer = _object(answer, "function response")
            _known(answer, RESPONSE)
            self._parts(_get(answer, "parts"))


def plain(key: str) -> str:
    return key.replace("_", "").lower()


def _once(value: Json) -> None:
    if len({plain(key) for key in value}) < len(value):
        raise not_known("a name that stands there twice")


def _known(value: Json, names: frozenset[str]) -> None:
    _once(value)
    for key in value:
        if plain(key) not in names:
            raise not_known(key)


def _name(value: Json, name: str) -> str:
    """How `name` is written in `value`; as the API writes it when it is not there."""
    spelled = {"maxoutputtokens": "maxOutputTokens", "generationconfig": "generationConfig"}
    return next((key for key in value if plain(key) == name), spelled.get(name, name))


def _get(value: Json, name: str) -> Any:
    return value.get(_name(value, name))


def _object(value: object, what: str) -> Json:
    if not isinstance(value, dict):
        raise not_known(f"a {what} that is no object")
    return value


def _settings(sent: Json) -> Json:
    """How the answer is to be generated, under the API's own name for it; one candidate, as each costs."""
    config = sent.pop(_name(sent, "generationconfig"), None)
    if config is None:
        return {}
    settings = {
        key: value
        for key, value in _object(config, "configuration").items()
        if plain(key) != "candidatecount"
    }
    _once(settings)
    sent["generationConfig"] = settings
    return settings


def _local_tools(tools: Any) -> list[Json]:
    """Only functions run in the container. What else is offered is left out if functions remain."""
    offered = tools if isinstance(tools, list) else [tools]
    local = [keep(tool, frozenset({LOCAL_TOOL}), plain) for tool in offered if isinstance(tool, dict)]
    kept = [tool for tool in local if tool]
    if offered and not kept:
        raise provider_side(
            next((key for tool in offered if isinstance(tool, dict) for key in tool), "tools")
        )
    return kept


def _read_usage(message: Mapping[str, Any]) -> tuple[Report, bool] | None:
    found = below(message, "usageMetadata")
    if found is None:
        return None
    candidates = message.get("candidates")
    ended = isinstance(candidates, list) and any(
        isinstance(each, dict) and each.get("finishReason") for each in candidates
    )
    return found, ended or below(message, "promptFeedback") is not None


def _usage(report: Report) -> Usage:
    whole = number(report, "promptTokenCount") + number(report, "toolUsePromptTokenCount")
    cached = min(whole, number(report, "cachedContentTokenCount"))
    return Usage(
        input=whole - cached,
        cache_read=cached,
        output=number(report, "candidatesTokenCount") + number(report, "thoughtsTokenCount"),
    )
