"""What the model broker adds to a request: a provider that answers at once, asked directly and through it."""

import asyncio
import json
import logging
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID, uuid4

import aiohttp
import structlog
from aiohttp import web

from bench.figures import Figure, as_table, at_most
from container.agent import ModelApi
from container.broker.bounds import Bounds
from container.broker.broker import Broker
from container.broker.credentials import Fixed
from container.broker.port import Grant, ModelRequest, Reservation, Trouble, Usage
from container.broker.providers import Provider

ROUNDS = 500
SMALL, LARGE = 2_000, 85_000  #: bytes of a body; the second is the first request of Claude Code
EVENTS = 200
MODEL = "claude-instant"
UNHURRIED = Bounds(requests=1e5, megabytes=1e5)  #: nobody waits for a turn here


class _Free:
    """An account that costs nothing and knows everybody."""

    def grant(self) -> Grant:
        return Grant(api=ModelApi.ANTHROPIC, models=frozenset({MODEL}))

    def reserve(self, request: ModelRequest) -> Reservation:
        return Reservation(id=uuid4(), output_tokens=request.output_tokens)

    async def recorded(self, reservation: UUID) -> None:
        pass

    def settle(self, reservation: UUID, usage: Usage | None) -> None:
        pass

    def trouble(self, trouble: Trouble | None, model: str = "") -> None:
        pass


async def figures() -> list[Figure]:
    """Milliseconds that the broker adds to a request of two sizes, and to a whole stream of 200 events."""
    kinds = (
        ("model broker adds to a request", SMALL, False),
        ("model broker adds to a request of 85 kB", LARGE, False),
        (f"model broker adds to a stream of {EVENTS} events", SMALL, True),
    )
    with tempfile.TemporaryDirectory(prefix="intercom-bench-") as folder:
        async with _provider() as base, _broker(base, f"{folder}/model.sock") as (direct, through):
            found = []
            for name, size, stream in kinds:
                body = _body(size, stream=stream)
                added = []
                for _ in range(ROUNDS):  # in turns, so that the machine's mood is the same for both
                    plain = await _timed(direct, f"{base}/v1/messages", body)
                    added.append(await _timed(through, "http://model/anthropic/v1/messages", body) - plain)
                found.append(Figure(name=name, unit="ms", samples=added, goal=at_most(1.0)))
            return found


@asynccontextmanager
async def _broker(base: str, path: str) -> AsyncIterator[tuple[aiohttp.ClientSession, aiohttp.ClientSession]]:
    provider = Provider(title="Instant", base_url=base, credential=Fixed({"x-api-key": "key"}))
    async with (
        Broker.open({ModelApi.ANTHROPIC: provider}, sleep=asyncio.sleep, bounds=UNHURRIED) as broker,
        aiohttp.ClientSession() as direct,
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(path)) as through,
    ):
        listener = await asyncio.get_running_loop().create_unix_server(broker.service(_Free()), path)
        yield direct, through
        listener.close()


@asynccontextmanager
async def _provider() -> AsyncIterator[str]:
    runner = web.ServerRunner(web.Server(_answer), access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _answer(request: web.BaseRequest) -> web.StreamResponse:
    raw = await request.content.read()
    if b'"stream": true' not in raw and b'"stream":true' not in raw:
        usage = {"input_tokens": 10, "output_tokens": 3}
        return web.json_response({"type": "message", "content": [], "usage": usage})
    response = web.StreamResponse(headers={"content-type": "text/event-stream"})
    await response.prepare(request)
    event = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word "}}
    line = b"event: content_block_delta\ndata: " + json.dumps(event).encode() + b"\n\n"
    for _ in range(EVENTS):
        await response.write(line)
    await response.write_eof()
    return response


def _body(size: int, *, stream: bool) -> bytes:
    """Half of it tools, as agents have them, half of it talk."""
    tool = {
        "name": "tool",
        "description": "What it does, in some words. " * 20,
        "input_schema": {"type": "object", "properties": {"path": {"type": "string", "description": "d"}}},
    }
    tools = [{**tool, "name": f"tool{number}"} for number in range(size // 1700)]
    messages = [{"role": "user", "content": [{"type": "text", "text": "word " * (size // 10)}]}]
    body = {"model": MODEL, "max_tokens": 500, "messages": messages, "tools": tools, "stream": stream}
    return json.dumps(body).encode()


async def _timed(session: aiohttp.ClientSession, url: str, body: bytes) -> float:
    started = time.perf_counter()
    async with session.post(url, data=body, headers={"content-type": "application/json"}) as response:
        assert response.status == 200, await response.text()
        await response.read()
    return (time.perf_counter() - started) * 1000


def main() -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(as_table(asyncio.run(figures())))


if __name__ == "__main__":
    main()
