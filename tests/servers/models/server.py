"""The three model APIs on loopback: checks requests as the real ones do, answers what a script says."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from types import ModuleType
from typing import cast

from aiohttp import web

from tests.servers.models import anthropic, gemini, openai
from tests.servers.models.identity import Identity
from tests.servers.models.script import (
    Answer,
    Call,
    Cut,
    Endless,
    Hold,
    Overload,
    Part,
    Refuse,
    Rules,
    Say,
    Script,
    Spent,
    echo,
)
from tests.servers.models.talk import Api, Asked, Json, Talk, WrongRequest
from tests.servers.models.writer import Writer

KEY = "sk-real-key-of-the-host-0123456789"
MOST_BYTES = 32 * 2**20
_APIS: dict[Api, ModuleType] = {"anthropic": anthropic, "openai": openai, "gemini": gemini}
_WRITERS = {
    "anthropic": anthropic.MessagesWriter,
    "openai": openai.ResponsesWriter,
    "gemini": gemini.GeminiWriter,
}
_FAMILIES = {"anthropic": "claude-", "openai": "gpt-", "gemini": "gemini-"}


class ModelServer:
    """One provider of all three APIs. Its bases are `{url}/anthropic`, `{url}/openai` and `{url}/gemini`.

    Every model whose name begins like the provider's own is known, unless it is in `unknown`.
    """

    def __init__(self, *, keys: Iterable[str] = (KEY,), script: Script = echo) -> None:
        self.keys = set(keys)
        self.identity = Identity()
        self.unknown: set[str] = set()
        self.script: Script = script
        self.requests: list[Asked] = []
        self._next: deque[Answer] = deque()
        self._aside: Refuse | None = None
        self._news = asyncio.Event()
        self._port = 0
        self.app = web.Application(client_max_size=MOST_BYTES)
        self.app.router.add_post("/oauth/token", self.identity.handle)
        self.app.router.add_route("*", "/{api:anthropic|openai|gemini}/{path:.*}", self._handle)

    # What a test does with it

    def then(self, *answers: Answer) -> None:
        """Answers to the next requests made for a person, each once, before the script is asked again."""
        self._next.extend(answers)

    def forget(self) -> None:
        """As if nothing had been asked, and nobody had told it anything."""
        self.script = echo
        self.requests.clear()
        self._next.clear()
        self._aside = None

    def refuse_asides(self, refusal: Refuse) -> None:
        """Answer so to every request without tools."""
        self._aside = refusal

    def rules(self, rules: dict[str, tuple[Answer, ...]]) -> None:
        """Answer by what the person said; see `Rules`."""
        self.script = Rules(rules)

    def asked(self, *, side: bool = False) -> list[Asked]:
        """The requests to a model for a person; with `side` those that agents made for themselves too."""
        return [each for each in self.requests if each.talk is not None and (side or not each.talk.side)]

    def seen(self, text: str) -> bool:
        """Whether it occurs in any request: headers, path or body."""
        return any(text in each.everything for each in self.requests)

    async def until(self, condition: Callable[["ModelServer"], bool], within: float = 20.0) -> None:
        """Wait until it is so; looked at whenever a request begins or ends."""
        async with asyncio.timeout(within):
            while not condition(self):
                self._news.clear()
                await self._news.wait()

    @property
    def url(self) -> str:
        assert self._port, "the server is not running"
        return f"http://127.0.0.1:{self._port}"

    @classmethod
    @asynccontextmanager
    async def running(
        cls, *, keys: Iterable[str] = (KEY,), script: Script = echo, port: int = 0
    ) -> AsyncIterator["ModelServer"]:
        server = cls(keys=keys, script=script)
        async with server.serving(port):
            yield server

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[None]:
        runner = web.AppRunner(self.app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", port).start()
            self._port = runner.addresses[0][1]
            yield
        finally:
            await runner.cleanup()

    # What a client does with it

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        api = cast(Api, request.match_info["api"])
        asked = Asked(
            api=api,
            method=request.method,
            path="/"
            + request.match_info["path"]
            + (f"?{request.query_string}" if request.query_string else ""),
            headers={name.lower(): value for name, value in request.headers.items()},
            raw=await request.read(),
            at=asyncio.get_running_loop().time(),
        )
        self.requests.append(asked)
        self._news.set()
        try:
            answered = await self._answer(request, asked)
            asked.status = asked.status or answered.status
        except WrongRequest as wrong:
            answered = self._refusal(asked, wrong)
        except (asyncio.CancelledError, ConnectionError):
            asked.outcome = "left"
            raise
        finally:
            asked.outcome = asked.outcome or "answered"
            asked.ended.set()
            self._news.set()
        return answered

    def _refusal(self, asked: Asked, wrong: WrongRequest, retry_after: float | None = None) -> web.Response:
        asked.outcome, asked.status = "refused", wrong.status
        document = _APIS[asked.api].error(wrong.status, wrong.message, wrong.kind)
        headers: dict[str, str] = {}
        if retry_after is not None and asked.api == "gemini":
            gemini.retry_info(document, retry_after)
        elif retry_after is not None:
            headers["retry-after"] = f"{retry_after:g}"
        return web.json_response(document, status=wrong.status, headers=headers)

    async def _answer(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        dialect = _APIS[asked.api]
        dialect.check_credential(asked.headers, frozenset(self.keys), frozenset(self.identity.tokens))
        if asked.api == "anthropic":
            anthropic.check_headers(asked.headers)
        path, _, _ = asked.path.partition("?")
        if asked.method == "GET":
            return self._models(asked, path)
        asked.body = _document(asked.raw)
        match asked.api, path:
            case "anthropic", "/v1/messages":
                anthropic.check(asked.body)
                asked.talk = anthropic.read(asked.body)
            case "anthropic", "/v1/messages/count_tokens":
                anthropic.check(asked.body, counting=True)
                self._known(asked, asked.body["model"])
                return web.json_response({"input_tokens": _tokens(asked.raw)})
            case "openai", "/v1/responses":
                openai.check(asked.body)
                asked.talk = openai.read(asked.body)
            case "gemini", _:
                counted = self._read_gemini(request, asked, path)
                if counted is not None:
                    return counted
            case _:
                raise _no_such_path(asked)
        assert asked.talk is not None
        self._known(asked, asked.talk.model)
        return await self._perform(request, asked, asked.talk)

    def _read_gemini(self, request: web.Request, asked: Asked, path: str) -> web.Response | None:
        model, _, method = path.removeprefix("/v1beta/models/").removeprefix("/v1/models/").partition(":")
        gemini.check(asked.body)
        if method == "countTokens":
            self._known(asked, model)
            return web.json_response({"totalTokens": _tokens(asked.raw)})
        if method not in {"generateContent", "streamGenerateContent"}:
            raise _no_such_path(asked)
        streamed = method == "streamGenerateContent"
        if streamed and request.query.get("alt") != "sse":
            raise WrongRequest(400, "this server streams with alt=sse only")
        asked.talk = gemini.read(asked.body, model, streamed=streamed)
        return None

    def _known(self, asked: Asked, model: str) -> None:
        if not model.startswith(_FAMILIES[asked.api]) or model in self.unknown:
            raise cast(WrongRequest, _APIS[asked.api].unknown_model(model))

    def _models(self, asked: Asked, path: str) -> web.Response:
        version = "/v1beta/models" if asked.api == "gemini" else "/v1/models"
        if not path.startswith(version):
            raise _no_such_path(asked)
        dialect = _APIS[asked.api]
        if name := path.removeprefix(version).strip("/"):
            self._known(asked, name)
            return web.json_response(dialect.model_card(name))
        cards = [dialect.model_card(f"{_FAMILIES[asked.api]}stub")]
        if asked.api == "gemini":
            return web.json_response({"models": cards})
        return web.json_response({"object": "list", "data": cards, "has_more": False})

    async def _perform(self, request: web.Request, asked: Asked, talk: Talk) -> web.StreamResponse:
        if talk.side:
            answer: Answer = self._aside or _aside(asked)
        elif self._next:
            answer = self._next.popleft()
        else:
            answer = self.script(talk)
        if isinstance(answer, Refuse):
            return self._refusal(asked, WrongRequest(answer.status, answer.message), answer.retry_after)
        writer = cast(Writer, _WRITERS[asked.api](talk))
        spent = next((part for part in answer if isinstance(part, Spent)), None) or _counted(asked, answer)
        if not talk.streamed:
            return await self._perform_whole(request, asked, answer, writer, spent)
        response = web.StreamResponse(
            headers={"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache"}
        )
        await response.prepare(request)
        await response.write(writer.begin(spent))
        for part in answer:
            if isinstance(part, Cut | Overload):
                asked.outcome = "cut"
                if isinstance(part, Overload):
                    await response.write(writer.overload())
                    return response
                return _broken(request, response)
            await self._stream(response, asked, talk, part, writer)
        await response.write(writer.end(spent))
        return response

    async def _stream(
        self, response: web.StreamResponse, asked: Asked, talk: Talk, part: Part, writer: Writer
    ) -> None:
        match part:
            case Say(text):
                for word in text.split(" "):
                    await response.write(writer.text(word if asked.words_sent == 0 else f" {word}"))
                    asked.words_sent += 1
            case Call(tool, arguments):
                await response.write(writer.call(talk.tool(tool), arguments))
            case Hold(until):
                await until.wait()
            case Endless(every):
                while True:
                    await response.write(writer.text(f"{asked.words_sent} "))
                    asked.words_sent += 1
                    await asyncio.sleep(every)

    async def _perform_whole(
        self, request: web.Request, asked: Asked, answer: tuple[Part, ...], writer: Writer, spent: Spent
    ) -> web.StreamResponse:
        for part in answer:
            match part:
                case Say(text):
                    writer.text(text)
                case Call(tool, arguments):
                    assert asked.talk is not None
                    writer.call(asked.talk.tool(tool), arguments)
                case Overload():
                    status = 529 if asked.api == "anthropic" else 503
                    return self._refusal(asked, WrongRequest(status, "Overloaded"))
                case Cut():
                    asked.outcome = "cut"
                    return _broken(request, web.Response())
                case _:
                    await _pause(part)
        return web.json_response(writer.whole(spent))


async def _pause(part: Part) -> None:
    """What has no end ends never where all of it is answered at once."""
    if isinstance(part, Hold):
        await part.until.wait()
    elif isinstance(part, Endless):
        await asyncio.Event().wait()


def _broken(request: web.Request, response: web.StreamResponse) -> web.StreamResponse:
    """The connection ends as when a cable is cut, whatever was said before."""
    assert request.transport is not None
    request.transport.abort()
    return response


def _aside(asked: Asked) -> Answer:
    """What an agent asks for itself: a title, a yes or no; an object where it wants one."""
    return (
        Say('{"title": "stub"}' if b"json_schema" in asked.raw or b"JsonSchema" in asked.raw else "stub"),
    )


def _counted(asked: Asked, answer: tuple[Part, ...]) -> Spent:
    said = sum(len(part.text) for part in answer if isinstance(part, Say))
    called = sum(len(json.dumps(dict(part.arguments))) for part in answer if isinstance(part, Call))
    return Spent(input=_tokens(asked.raw), output=max((said + called) // 4, 1))


def _tokens(raw: bytes) -> int:
    return max(len(raw) // 4, 1)


def _document(raw: bytes) -> Json:
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise WrongRequest(400, "The request body is not valid JSON.") from error
    if not isinstance(document, dict):
        raise WrongRequest(400, "The request body is not an object.")
    return document


def _no_such_path(asked: Asked) -> WrongRequest:
    return WrongRequest(404, f"Not found: {asked.method} {asked.path}")
