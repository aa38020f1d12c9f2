"""Takes one checked request to the provider and the answer, piece by piece, to the container."""

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass

import aiohttp
from aiohttp import web

from container.broker import troubles
from container.broker.bill import Bill
from container.broker.bounds import Bounds
from container.broker.dialect import Dialect
from container.broker.port import RequestRefused, Trouble
from container.broker.upstream import NoAnswer, Upstream

#: what is passed on of the provider's headers
ANSWERED = frozenset({"content-type", "request-id", "x-request-id", "cache-control"})
LONGEST_HEADER = 1000
REFUSED = 400  #: after this status no agent asks again by itself; after 403 some do so for a minute
LAST_WORD = 1.0  #: seconds for telling the container that the answer was cut


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A request as it leaves the host."""

    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    streamed: bool


class Exchange:
    """One request and its answer. `trouble` tells afterwards how it ended."""

    def __init__(
        self,
        request: web.BaseRequest,
        dialect: Dialect,
        upstream: Upstream,
        bounds: Bounds,
        bill: Bill | None,
    ) -> None:
        self._request = request
        self._dialect = dialect
        self._upstream = upstream
        self._bounds = bounds
        self._bill = bill  #: None: the request costs nothing
        self._title = upstream.provider.title
        self._writing = False  #: waiting for the container to read
        self.trouble: Trouble | None = None
        self.status = 0  #: what the container was told
        self.gone = False  #: the container did not wait for the end

    async def run(
        self, outgoing: Outgoing, recorded: Coroutine[None, None, None] | None
    ) -> web.StreamResponse:
        """Ask while the reservation is `recorded`; pass nothing on before."""
        deadline = asyncio.get_running_loop().time() + self._bounds.answer
        answer: aiohttp.ClientResponse | NoAnswer | None = None
        try:
            try:
                async with asyncio.TaskGroup() as group:
                    if recorded is not None:
                        group.create_task(recorded)
                    answer = await self._ask(outgoing, deadline)
            except ExceptionGroup as group:
                raise (group.subgroup(RequestRefused) or group).exceptions[0] from None
            if isinstance(answer, NoAnswer):
                return self._failed(answer)
            return await self._pass_on(answer, deadline, outgoing.streamed)
        finally:
            if isinstance(answer, aiohttp.ClientResponse):
                answer.close()  # what was read to its end went back to the pool already

    async def _ask(self, outgoing: Outgoing, deadline: float) -> aiohttp.ClientResponse | NoAnswer:
        if self._bill is not None:
            self._bill.asked()
        try:
            async with asyncio.timeout_at(deadline):
                return await self._upstream.ask(
                    outgoing.path, outgoing.query, outgoing.headers, outgoing.body
                )
        except TimeoutError:
            return NoAnswer(trouble=troubles.too_long(self._title, self._bounds.answer), used=True)

    def _failed(self, answer: NoAnswer) -> web.Response:
        if self._bill is not None:
            self._bill.unanswered(used=answer.used)
        self.trouble = answer.trouble
        self.status = answer.status or REFUSED
        body = answer.body or self._dialect.error(answer.trouble.sentence, REFUSED)
        return error_response(self.status, body)

    async def _pass_on(
        self, answer: aiohttp.ClientResponse, deadline: float, streamed: bool
    ) -> web.StreamResponse:
        out = web.StreamResponse(status=200, headers=_passed_on(answer))
        self.status = 200
        if self._bill is not None:
            self._bill.answered(self._dialect.counter(), streamed=streamed, longest=self._bounds.watched)
        cut: Trouble | None = None
        try:
            async with asyncio.timeout_at(deadline):
                await out.prepare(self._request)
                cut = await self._pieces(answer, out)
        except TimeoutError:
            cut = troubles.too_long(self._title, self._bounds.answer)
        except ConnectionError:
            self.gone = True
            return out
        if cut is not None:
            self.trouble = cut
            await self._cut(out, cut, told=streamed)
        return out

    async def _pieces(self, answer: aiohttp.ClientResponse, out: web.StreamResponse) -> Trouble | None:
        """Pass on each piece as it comes; why it ended early, if it did."""
        while True:
            try:
                async with asyncio.timeout(self._bounds.silence):
                    piece = await answer.content.readany()
            except TimeoutError:
                return troubles.silent(self._title, self._bounds.silence)
            except (aiohttp.ClientError, OSError):
                self._abort()  # not an end but a break: the agent sees the same and may ask again
                return troubles.broken(self._title)
            if not piece:
                break
            if self._bill is not None:
                self._bill.see(piece)
            self._writing = True
            await out.write(piece)
            self._writing = False
        if self._bill is not None:
            fault = self._bill.whole()
            self.trouble = troubles.told(self._title, fault) if fault else None
        await out.write_eof()
        return None

    async def _cut(self, out: web.StreamResponse, trouble: Trouble, *, told: bool) -> None:
        """End an answer that has begun; within a stream of events that can be said."""
        try:
            if told and out.prepared and not self._writing:  # one that does not read hears nothing either
                async with asyncio.timeout(LAST_WORD):
                    await out.write(self._dialect.error_event(trouble.sentence))
                    await out.write_eof()
                return
        except (TimeoutError, ConnectionError):
            pass  # it does not read, or is gone
        self._abort()

    def _abort(self) -> None:
        if self._request.transport is not None:
            self._request.transport.abort()


def error_response(status: int, body: bytes) -> web.Response:
    """An error in the API's own shape; the header tells some agents that asking again is useless."""
    return web.Response(
        status=status, body=body, content_type="application/json", headers={"x-should-retry": "false"}
    )


def _passed_on(answer: aiohttp.ClientResponse) -> dict[str, str]:
    return {
        name: value
        for name, value in answer.headers.items()
        if name.lower() in ANSWERED and len(value) <= LONGEST_HEADER
    }
