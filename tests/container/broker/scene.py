"""A broker on a Unix socket, an account that keeps books, and providers that do as they are told."""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
from aiohttp import web

from container.agent import ModelApi
from container.broker.bounds import Bounds
from container.broker.broker import Broker
from container.broker.credentials import Credential, Fixed, key_headers
from container.broker.port import Grant, ModelRequest, RequestRefused, Reservation, Trouble, Usage
from container.broker.providers import Provider
from tests.servers.models import KEY, ModelServer

MODELS = {
    ModelApi.ANTHROPIC: "claude-stub",
    ModelApi.OPENAI: "gpt-stub",
    ModelApi.GEMINI: "gemini-stub",
}
Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
Json = dict[str, Any]


class Books:
    """An `Account` that keeps everything it was told."""

    def __init__(self, api: ModelApi, **grant: Any) -> None:
        self.granted = replace(Grant(api=api, models=frozenset({MODELS[api]})), **grant)
        self.refusal: RequestRefused | None = None
        self.unrecorded: RequestRefused | None = None
        self.most_output = 10**9
        self.asked: list[ModelRequest] = []
        self.settled: dict[UUID, list[Usage | None]] = {}
        self.troubles: list[Trouble | None] = []
        self.stored = asyncio.Event()
        self.stored.set()
        self._news = asyncio.Event()
        self._numbers = itertools.count(1)

    def grant(self) -> Grant:
        return self.granted

    def reserve(self, request: ModelRequest) -> Reservation:
        if self.refusal is not None:
            raise self.refusal
        self.asked.append(request)
        reservation = UUID(int=next(self._numbers))
        self.settled[reservation] = []
        return Reservation(id=reservation, output_tokens=min(request.output_tokens, self.most_output))

    async def recorded(self, reservation: UUID) -> None:
        if self.unrecorded is not None:
            raise self.unrecorded
        await self.stored.wait()

    def settle(self, reservation: UUID, usage: Usage | None) -> None:
        self.settled[reservation].append(usage)
        self._news.set()

    def trouble(self, trouble: Trouble | None, model: str = "") -> None:
        del model
        self.troubles.append(trouble)

    @property
    def used(self) -> list[Usage | None]:
        """What was settled, one for each request; fails when one was settled twice."""
        assert all(len(usages) < 2 for usages in self.settled.values())
        return [usage for usages in self.settled.values() for usage in usages]

    @property
    def trouble_told(self) -> Trouble:
        assert self.troubles
        told = self.troubles[-1]
        assert told is not None
        return told

    async def until_settled(self, count: int = 1, within: float = 10.0) -> list[Usage | None]:
        async with asyncio.timeout(within):
            while len(self.used) < count:
                self._news.clear()
                await self._news.wait()
        return self.used


@dataclass(slots=True)
class Naps:
    """Sleeps no time at all and remembers how long it should have."""

    slept: list[float] = field(default_factory=list)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await asyncio.sleep(0)


def bases(server: ModelServer) -> dict[ModelApi, str]:
    return {
        ModelApi.ANTHROPIC: f"{server.url}/anthropic",
        ModelApi.OPENAI: f"{server.url}/openai/v1",
        ModelApi.GEMINI: f"{server.url}/gemini",
    }


def provider(api: ModelApi, base: str, credential: Credential | None = None, **more: Any) -> Provider:
    credential = credential or Fixed(key_headers(api, KEY))
    return Provider(title=api.value.title(), base_url=base, credential=credential, **more)


@asynccontextmanager
async def served(
    folder: Path,
    books: Books,
    base: str,
    *,
    credential: Credential | None = None,
    bounds: Bounds | None = None,
    naps: Naps | None = None,
    **more: Any,
) -> AsyncIterator[aiohttp.ClientSession]:
    """A container's view of its model socket."""
    api = books.granted.api
    providers = {api: provider(api, base, credential, **more)}
    socket = str(folder / "model.sock")
    naps = naps or Naps()
    async with Broker.open(providers, sleep=naps.sleep, bounds=bounds, chance=lambda: 0.5) as broker:
        listener = await asyncio.get_running_loop().create_unix_server(broker.service(books), socket)
        connector = aiohttp.UnixConnector(socket, limit=0)
        try:
            async with aiohttp.ClientSession("http://model", connector=connector) as client:
                yield client
        finally:
            listener.close()


@asynccontextmanager
async def provider_that(handler: Handler) -> AsyncIterator[str]:
    """A provider made of one function; gives its base URL."""
    runner = web.ServerRunner(web.Server(handler, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def path_of(api: ModelApi, *, stream: bool = True) -> str:
    method = "streamGenerateContent?alt=sse" if stream else "generateContent"
    return {
        ModelApi.ANTHROPIC: "/anthropic/v1/messages",
        ModelApi.OPENAI: "/openai/v1/responses",
        ModelApi.GEMINI: f"/gemini/v1beta/models/{MODELS[api]}:{method}",
    }[api]


def tool_of(api: ModelApi) -> Json:
    """A tool of the agent's own."""
    schema = {"type": "object", "properties": {}}
    match api:
        case ModelApi.ANTHROPIC:
            return {"name": "look", "description": "Look.", "input_schema": schema}
        case ModelApi.OPENAI:
            return {"type": "function", "name": "look", "description": "Look.", "parameters": schema}
        case ModelApi.GEMINI:
            return {"functionDeclarations": [{"name": "look", "parametersJsonSchema": schema}]}


def body_of(api: ModelApi, text: str = "hello", *, stream: bool = True, **more: Any) -> Json:
    """What an agent asks for a person; the provider's stub tells that by the tools it offers."""
    body: Json = {"tools": [tool_of(api)]}
    match api:
        case ModelApi.ANTHROPIC:
            messages = [{"role": "user", "content": text}]
            body |= {"model": MODELS[api], "max_tokens": 500, "messages": messages, "stream": stream}
        case ModelApi.OPENAI:
            message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}
            body |= {"model": MODELS[api], "input": [message], "stream": stream, "store": False}
        case ModelApi.GEMINI:
            body |= {"contents": [{"role": "user", "parts": [{"text": text}]}]}
    return body | more


def error_of(api: ModelApi, document: Mapping[str, Any]) -> str:
    """The sentence in an API's own error; fails when it has another shape."""
    error = document["error"]
    if api is ModelApi.ANTHROPIC:
        assert document["type"] == "error"
        assert error["type"]
    if api is ModelApi.GEMINI:
        assert isinstance(error["code"], int)
        assert error["status"].isupper()
    if api is ModelApi.OPENAI:
        assert error["code"]
    assert isinstance(error["message"], str)
    return str(error["message"])


async def ask(
    client: aiohttp.ClientSession, api: ModelApi, text: str = "hello", *, stream: bool = True, **more: Any
) -> tuple[int, str]:
    """Ask and read the whole answer."""
    async with asyncio.timeout(20):
        async with client.post(
            path_of(api, stream=stream), json=body_of(api, text, stream=stream, **more)
        ) as response:
            return response.status, (await response.read()).decode()


async def refused(client: aiohttp.ClientSession, api: ModelApi, **more: Any) -> str:
    """Ask for what is refused; the sentence."""
    status, text = await ask(client, api, **more)
    assert status == 400, text
    return error_of(api, json.loads(text))
