"""One request from its first line to its answer, with as few steps between as there can be."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import aclosing
from time import perf_counter
from typing import TypeAlias

import structlog
from aiohttp import web

from intermute.errors import IntermuteError
from intermute.http import reading
from intermute.http.endpoint import AnyEndpoint, Flow, Nothing, Reply, Request, Socket
from intermute.http.guard import Guard
from intermute.http.metrics import Meters, Route
from intermute.http.refusals import SERVER, Broken, answer, raw, refusal
from intermute.http.routes import Routes
from intermute.patience import Patience

log = structlog.get_logger()

STALLED = 30.0  #: seconds a stream may stand still because nobody reads it

_NOTHING = Nothing()
_Row: TypeAlias = tuple[AnyEndpoint | Socket, Route]


class App:
    """The handler of aiohttp's low-level server: tables in, answers out."""

    def __init__(
        self,
        endpoints: Sequence[AnyEndpoint],
        sockets: Sequence[Socket],
        *,
        guard: Guard,
        patience: Patience,
        meters: Meters,
    ) -> None:
        self._guard = guard
        self._patience = patience
        self._meters = meters
        self._strangers = meters.route("", "")  # requests for nothing that there is
        self._routes: Routes[_Row] = Routes()
        for endpoint in endpoints:
            row = (endpoint, meters.route(endpoint.method, endpoint.path))
            self._routes.add(endpoint.method, endpoint.path, row)
        for socket in sockets:
            self._routes.add("GET", socket.path, (socket, meters.route("GET", socket.path)))

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        began = perf_counter()
        route = self._strangers
        try:
            (target, route), path = self._routes.find(request.method, request.raw_path.partition("?")[0])
            response = await self._respond(target, request, path)
        except IntermuteError as error:
            response = refusal(error)
        except ConnectionError:
            raise  # the client left; aiohttp ends the connection
        except Exception as error:  # noqa: BLE001 - whatever it is, the caller gets an answer
            response = refusal(self._fault(error, route))
        if request.writer.output_size and not response.prepared:
            raise ConnectionResetError("the answer was under way already")
        # How long a socket or a stream stayed says nothing about how quick we are.
        route.answered(
            response.status, perf_counter() - began if isinstance(response, web.Response) else None
        )
        return response

    def _fault(self, error: Exception, route: Route) -> IntermuteError:
        told = self._patience.told(error)
        if isinstance(told, IntermuteError):
            return told
        log.error("request.failed", method=route.method, path=route.path, exc_info=error)
        return Broken()

    async def _respond(
        self, target: AnyEndpoint | Socket, request: web.BaseRequest, path: Mapping[str, str]
    ) -> web.StreamResponse:
        if isinstance(target, Socket):
            return await target.run(request, await self._guard.admit(request), path)
        self._meters.under_way += 1
        try:
            reply = await self._reply(target, request, path)
        finally:
            self._meters.under_way -= 1
        match reply.body:
            case Flow():
                return await _flow(request, reply, reply.body)
            case bytes():
                return raw(reply.status, reply.body, reply.headers)
            case _:
                return answer(reply.status, reply.body, reply.headers)

    async def _reply(self, endpoint: AnyEndpoint, request: web.BaseRequest, path: Mapping[str, str]) -> Reply:
        caller = self._guard.anybody(request) if endpoint.open else await self._guard.admit(request)
        query = _NOTHING if endpoint.query is Nothing else reading.query(request, endpoint.query)
        data = await reading.content(request)
        body = (
            _NOTHING
            if endpoint.body is Nothing
            else reading.body(data, endpoint.body, optional=endpoint.body_optional)
        )
        asked = Request(caller=caller, path=path, query=query, body=body, headers=request.headers)
        patience = self._patience.read if endpoint.method == "GET" else self._patience.write
        return await patience(lambda: endpoint.run(asked), endpoint.deadline)


async def _flow(request: web.BaseRequest, reply: Reply, flow: Flow) -> web.StreamResponse:
    """Headers at once, then whatever comes. After the first byte an error can only end the connection."""
    headers = {"Content-Type": flow.media, "Cache-Control": "no-store", "Server": SERVER, **reply.headers}
    response = web.StreamResponse(status=reply.status, headers=headers)
    async with aclosing(flow.chunks) as chunks:
        await response.prepare(request)
        try:
            async for chunk in chunks:
                async with asyncio.timeout(STALLED):
                    await response.write(chunk)
            await response.write_eof()
        except TimeoutError:
            log.info("flow.stalled")
            if request.transport is not None:
                request.transport.abort()
    return response
