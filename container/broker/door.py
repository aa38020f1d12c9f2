"""What one container meets at its model socket: its own API, its own grant, its own account."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import structlog
from aiohttp import web

from container.agent import ModelApi
from container.broker.anthropic import Anthropic
from container.broker.bill import Bill
from container.broker.bounds import Bounds
from container.broker.checked import Checked
from container.broker.connections import Connections
from container.broker.dialect import Dialect, Route
from container.broker.exchange import REFUSED, Exchange, Outgoing, error_response
from container.broker.gemini import Gemini
from container.broker.intake import Intake
from container.broker.openai import OpenAI
from container.broker.port import (
    Account,
    BudgetSpent,
    Grant,
    ModelRequest,
    NotAllowed,
    RequestRefused,
    Trouble,
    TroubleKind,
    Usage,
)
from container.broker.upstream import Upstream
from container.broker.values import parse, written

NOT_FOUND, UPGRADE_REQUIRED = 404, 426
DIALECTS: Mapping[ModelApi, Dialect] = {
    ModelApi.ANTHROPIC: Anthropic(),
    ModelApi.OPENAI: OpenAI(),
    ModelApi.GEMINI: Gemini(),
}

log = structlog.get_logger()


class Meter(Protocol):
    """Takes counts and durations; quick and never failing."""

    def count(self, name: str, **labels: str) -> None: ...

    def observe(self, name: str, seconds: float) -> None: ...


class Elsewhere(NotAllowed):
    """There is nothing at this path."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Understood:
    """A request after its check."""

    route: Route
    checked: Checked
    headers: Mapping[str, str]
    size: int


class Door:
    """Serves the requests of one container."""

    def __init__(
        self,
        account: Account,
        upstreams: Mapping[ModelApi, Upstream],
        bounds: Bounds,
        *,
        tick: Callable[[], float],
        meter: Meter | None,
    ) -> None:
        self._account = account
        self._upstreams = upstreams
        self._bounds = bounds
        self._tick = tick
        self._meter = meter
        self._intake = Intake(bounds)
        self.connections = Connections(self._handle, bounds)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        await self._intake.turn()
        grant = self._account.grant()
        dialect = DIALECTS[grant.api]
        if (
            "upgrade" in request.headers
        ):  # an agent that tries a web socket goes on with plain HTTP after this
            sentence = "The model broker speaks plain HTTP only."
            return error_response(UPGRADE_REQUIRED, dialect.error(sentence, UPGRADE_REQUIRED))
        size = 0
        try:
            route = _route(request, dialect)
            raw = await self._intake.body(request)
            size = len(raw)
            understood = self._understood(request, route, raw, dialect, grant)
            del raw
            return await self._answer(request, understood, dialect)
        except RequestRefused as refusal:
            return self._refuse(refusal, dialect)
        except Exception:
            log.exception("model.fault", api=grant.api)
            return self._refuse(
                NotAllowed(
                    "The model was not asked: the host has a fault of its own. "
                    "Ask again; an owner finds the reason in the log."
                ),
                dialect,
            )
        finally:
            self._intake.release(size)

    def _understood(
        self, request: web.BaseRequest, route: Route, raw: bytes, dialect: Dialect, grant: Grant
    ) -> _Understood:
        given = {name.lower(): value for name, value in request.headers.items()}
        checked = dialect.check(
            route,
            parse(raw, self._bounds),
            grant,
            depth=self._bounds.depth,
        )
        return _Understood(route=route, checked=checked, headers=dialect.headers(given, grant), size=len(raw))

    async def _answer(
        self, request: web.BaseRequest, understood: _Understood, dialect: Dialect
    ) -> web.StreamResponse:
        route, checked = understood.route, understood.checked
        bill = self._bill(understood, dialect.api) if route.priced else None
        upstream = self._upstreams[dialect.api]
        exchange = Exchange(request, dialect, upstream, self._bounds, bill)
        started, ended = self._tick(), False
        try:
            if bill is not None and upstream.provider.capped:
                dialect.bound(checked.body, bill.reservation.output_tokens)
            outgoing = Outgoing(
                path=route.path,
                query=route.query,
                headers=understood.headers,
                body=written(checked.body),
                streamed=checked.streamed,
            )
            checked.body.clear()  # it may be large, and the answer may take long
            response = await exchange.run(
                outgoing,
                None if bill is None else self._account.recorded(bill.reservation.id),
            )
            ended = not exchange.gone
            return response
        finally:
            if bill is not None:
                bill.settle()
                if ended:
                    self._account.trouble(exchange.trouble, checked.model)
            self._tell(dialect, checked, exchange, self._tick() - started, bill, ended=ended)

    def _bill(self, understood: _Understood, api: ModelApi) -> Bill:
        checked = understood.checked
        request = ModelRequest(
            api=api,
            model=checked.model,
            input_tokens=checked.tally.input_tokens(understood.size),
            output_tokens=checked.output_tokens,
        )
        return Bill(self._account, request, self._tick)

    def _refuse(self, refusal: RequestRefused, dialect: Dialect) -> web.Response:
        status = REFUSED
        if isinstance(refusal, Elsewhere):
            status = NOT_FOUND  # agents look whether something is there; that is no trouble
        else:
            budget = isinstance(refusal, BudgetSpent)
            kind = TroubleKind.BUDGET if budget else TroubleKind.REFUSED
            self._account.trouble(Trouble(kind=kind, sentence=str(refusal)))
        log.info("model.refused", api=dialect.api, status=status, reason=str(refusal))
        self._count(dialect, "refused")
        return error_response(status, dialect.error(str(refusal), status))

    def _tell(
        self,
        dialect: Dialect,
        checked: Checked,
        exchange: Exchange,
        seconds: float,
        bill: Bill | None,
        *,
        ended: bool,
    ) -> None:
        usage = Usage() if bill is None else bill.usage
        outcome = exchange.trouble.kind.value if exchange.trouble else "answered" if ended else "left"
        log.info(
            "model.asked",
            api=dialect.api,
            model=checked.model,
            outcome=outcome,
            status=exchange.status,
            ms=round(seconds * 1000),
            input=usage.input,
            cache_read=usage.cache_read,
            cache_write=usage.cache_write,
            output=usage.output,
        )
        self._count(dialect, outcome)
        if self._meter is not None:
            self._meter.observe("model.answer", seconds)

    def _count(self, dialect: Dialect, outcome: str) -> None:
        if self._meter is not None:
            self._meter.count("model.requests", api=dialect.api.value, outcome=outcome)


def _route(request: web.BaseRequest, dialect: Dialect) -> Route:
    path = request.rel_url.raw_path
    prefix = f"/{dialect.api}"
    inner = path.removeprefix(prefix)
    route = None
    if request.method == "POST" and inner != path:
        route = dialect.route(inner, request.rel_url.query)
    if route is None:
        raise Elsewhere(f"There is nothing for this agent at {request.method[:10]} {path[:100]}.")
    return route
