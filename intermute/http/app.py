"""One request from its first line to its answer, with as few steps between as there can be."""

from collections.abc import Sequence

import structlog
from aiohttp import web

from intermute.errors import IntermuteError
from intermute.http import reading
from intermute.http.endpoint import AnyEndpoint, Flow, Nothing, Reply, Request, Socket
from intermute.http.guard import Guard
from intermute.http.refusals import Broken, answer, refusal
from intermute.http.routes import Routes
from intermute.patience import Patience

log = structlog.get_logger()

_NOTHING = Nothing()


class App:
    """The handler of aiohttp's low-level server: tables in, answers out."""

    def __init__(
        self, endpoints: Sequence[AnyEndpoint], sockets: Sequence[Socket], *, guard: Guard, patience: Patience
    ) -> None:
        self._guard = guard
        self._patience = patience
        self._routes: Routes[AnyEndpoint | Socket] = Routes()
        for endpoint in endpoints:
            self._routes.add(endpoint.method, endpoint.path, endpoint)
        for socket in sockets:
            self._routes.add("GET", socket.path, socket)

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            target, path = self._routes.find(request.method, request.raw_path.partition("?")[0])
            if isinstance(target, Socket):
                return await target.run(request, await self._guard.admit(request), path)
            reply = await self._run(target, request, dict(path))
            if isinstance(reply.body, Flow):
                return await _flow(request, reply, reply.body)
            return answer(reply.status, reply.body, reply.headers)
        except IntermuteError as error:
            return refusal(error)
        except ConnectionError:
            raise  # the client left; aiohttp ends the connection
        except Exception:
            log.exception("request.failed", method=request.method)
            return refusal(Broken())

    async def _run(self, endpoint: AnyEndpoint, request: web.BaseRequest, path: dict[str, str]) -> Reply:
        caller = await self._guard.admit(request) if not endpoint.open else self._guard.anybody(request)
        query = _NOTHING if endpoint.query is Nothing else reading.query(request, endpoint.query)
        data = await reading.content(request)
        body = (
            _NOTHING
            if endpoint.body is Nothing
            else reading.body(data, endpoint.body, optional=endpoint.body_optional)
        )
        asked = Request(caller=caller, path=path, query=query, body=body, headers=request.headers)
        return await self._patience.run(endpoint, asked)


async def _flow(request: web.BaseRequest, reply: Reply, flow: Flow) -> web.StreamResponse:
    headers = {
        "Content-Type": flow.media,
        "Cache-Control": "no-store",
        "Server": "intermute",
        **reply.headers,
    }
    response = web.StreamResponse(status=reply.status, headers=headers)
    await response.prepare(request)
    async for chunk in flow.chunks:
        await response.write(chunk)
    await response.write_eof()
    return response
