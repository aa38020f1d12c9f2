"""What every group spends: accounts for containers, the books behind them, extensions, what people must hear.

The host is the only process that spends, so whether a request may be made is decided in memory and at once.
The database keeps every request for good; after a crash what was under way counts as if it had been made.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from uuid import UUID

import structlog

from container.agent import Runtime
from container.broker.port import (
    BudgetSpent,
    Grant,
    ModelRequest,
    NotAllowed,
    Reservation,
    Trouble,
    Unrecorded,
    Usage,
)
from demarch.errors import NotPossible
from host.conversation.turns import Turn
from host.meter import Meter
from host.people.registry import Group, Registry
from host.spending.account import LaneAccount
from host.spending.books import Book, Reached, decide
from host.spending.events import SpendRules, Stopped, Warned
from host.spending.prices import Prices, Tariff
from host.spending.words import DAY_OVER, not_recorded
from host.spending.writer import Reserved, Settled, Writer
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId
from storage.text import storable

log = structlog.get_logger()

_MOST_TOKENS = 10**12  #: no provider means more; keeps what it says within what is stored
_SQL = sql.load("host", "spending")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held:
    """A request under way."""

    book: Book
    tariff: Tariff
    row: Reserved


@dataclass(frozen=True, slots=True, kw_only=True)
class _Troubled:
    turn: UUID
    model: str  #: "" when the request was refused before that was known
    trouble: Trouble


class Spending:
    """All groups' money. `load` before the first account is used; `run` while they are."""

    def __init__(
        self,
        *,
        database: Database,
        clock: Clock,
        zone: tzinfo,
        new_id: NewId,
        registry: Registry,
        meter: Meter,
        rules: SpendRules,
    ) -> None:
        self._database = database
        self._clock = clock
        self._zone = zone
        self._new_id = new_id
        self._registry = registry
        self._meter = meter
        self._rules = rules
        self.prices = Prices(rules.prices)
        self._writer = Writer(database, clock)
        self._books: dict[str, Book] = {}
        self._held: dict[UUID, _Held] = {}
        self._troubles: dict[str, _Troubled] = {}
        self._day = date.min
        self._listeners: list[Callable[[Warned | Stopped], None]] = []

    def account(
        self,
        lane: str,
        *,
        current_turn: Callable[[], Turn | None],
        runtime: Callable[[], Runtime],
        models: Collection[str] = (),
    ) -> LaneAccount:
        """The account of one container; `models` its agent program uses beside the one it is told to."""
        return LaneAccount(self, lane, current_turn=current_turn, runtime=runtime, models=models)

    def on_event(self, listener: Callable[[Warned | Stopped], None]) -> None:
        """Have somebody told, at once and briefly, of what people must hear."""
        self._listeners.append(listener)

    async def load(self) -> None:
        """At start: what an earlier run left open counts fully, and today goes on where it was."""
        now = self._clock.now()
        day = self._today()
        async with self._database.transaction() as conn:
            assumed = await conn.execute(_SQL["spending.assume"], now)
            spent = await conn.fetch(_SQL["spending.spent_on"], day)
            days = await conn.fetch(_SQL["spending.days_on"], day)
        for row in spent:
            self._book(row["folder"]).spent = row["cost"]
        for row in days:
            book = self._book(row["folder"])
            book.extended, book.warned = row["extended"], row["warned"]
        if assumed != "UPDATE 0":
            log.warning("spending.assumed", requests=assumed.rpartition(" ")[2])

    async def run(self) -> None:
        """Store what is spent, until cancelled."""
        await self._writer.run()

    async def drain(self) -> None:
        """Return when everything is stored."""
        await self._writer.idle()

    def today(self, folder: str) -> Book:
        """How the group stands today; to be read only."""
        return self._book(folder)

    def limit(self, folder: str) -> int:
        """What the group may spend on any day, without what people granted for one."""
        group = self._registry.group(folder)
        own = None if group is None else group.profile.spend_limit
        return self._rules.daily if own is None else own

    def trouble(self, turn: Turn) -> Trouble | None:
        """Why the latest request of a running turn got no answer; None when it did."""
        found = self._troubles.get(turn.lane)
        return found.trouble if found is not None and found.turn == turn.id else None

    async def granted(self, approval: UUID) -> str | None:
        """The key of the decision by which this approval extended a limit; it counts from now on."""
        row = await self._database.fetchrow(_SQL["spending.granted"], approval)
        if row is None:
            return None
        await self._refresh(row["folder"], row["day"])
        key: str = row["key"]
        return key

    async def extend(
        self, approval: UUID, *, key: str, folder: str, day: date, amount: int, person: str
    ) -> None:
        """Let the group spend more on that day, once per approval. Raises NotPossible when it is over."""
        if day != self._today():
            raise NotPossible(DAY_OVER)
        async with self._database.transaction() as conn:
            row = (approval, key, folder, day, amount, person, self._clock.now())
            fresh = await conn.fetchval(_SQL["spending.grant"], *row) is not None
            if fresh:
                await conn.execute(_SQL["spending.extend"], folder, day, amount)
        await self._refresh(folder, day)
        if fresh:
            log.info("spending.extended", folder=folder, amount=amount, by=person)

    # What follows is for the accounts.

    def grant_for(self, folder: str, runtime: Runtime, models: Collection[str]) -> Grant:
        group = self._group(folder)
        if runtime.api is None:
            raise NotAllowed("This agent program uses no model.")
        allowed = frozenset(group.profile.models or runtime.models) | {*runtime.own_models, *models}
        return Grant(api=runtime.api, models=allowed, provider_tools=group.profile.provider_tools)

    def reserve(
        self, folder: str, lane: str, turn: Turn | None, runtime: str, request: ModelRequest
    ) -> Reservation:
        self._group(folder)
        if self._writer.refuses:
            raise Unrecorded(not_recorded())
        book = self._book(folder)
        tariff = self.prices.tariff(request.api, request.model)
        try:
            decision = decide(book, self.limit(folder) + book.extended, tariff, request)
        except BudgetSpent as refused:
            if isinstance(refused, Reached):
                self._tell(_stopped(book, lane, turn, request, refused.needs))
            raise
        row = Reserved(
            id=self._new_id(),
            folder=folder,
            lane=lane,
            turn=turn.id if turn is not None else None,
            runtime=runtime,
            api=request.api.value,
            model=storable(request.model[:200]),
            day=book.day,
            amount=decision.amount,
            made_at=self._clock.now(),
        )
        self._held[row.id] = _Held(book=book, tariff=tariff, row=row)
        book.reserved += row.amount
        book.open += 1
        self._writer.reserve(row)
        return Reservation(id=row.id, output_tokens=decision.output_tokens)

    async def recorded(self, reservation: UUID) -> None:
        await self._writer.recorded(reservation)

    def settle(self, reservation: UUID, usage: Usage | None) -> None:
        held = self._held.pop(reservation, None)
        if held is None:
            log.warning("spending.settled_twice", reservation=str(reservation))
            return
        used = _bounded(usage) if usage is not None else Usage()
        cost = held.row.amount if usage is None else held.tariff.cost(used)
        book = held.book
        book.reserved -= held.row.amount
        book.open -= 1
        book.spent += cost
        self._writer.settle(
            Settled(
                id=reservation,
                state="assumed" if usage is None else "settled",
                cost=cost,
                input=used.input,
                cache_read=used.cache_read,
                cache_write=used.cache_write + used.cache_write_hour,
                output=used.output,
                settled_at=self._clock.now(),
            )
        )
        self._count(held, used, cost)
        self._warn(book)

    def note(self, lane: str, turn: Turn | None, trouble: Trouble | None, model: str) -> None:
        """How a lane's request to a model ended; a success ends the trouble with that model only."""
        if trouble is not None and turn is not None:
            self._troubles[lane] = _Troubled(turn=turn.id, model=model, trouble=trouble)
        elif (found := self._troubles.get(lane)) is not None and found.model in {"", model}:
            del self._troubles[lane]

    def _warn(self, book: Book) -> None:
        limit = self.limit(book.folder) + book.extended
        if book.warned or limit <= 0 or book.spent * 100 < limit * self._rules.warn_percent:
            return
        book.warned = True
        self._tell(Warned(folder=book.folder, day=book.day))

    def _tell(self, event: Warned | Stopped) -> None:
        for listener in self._listeners:
            listener(event)

    def _count(self, held: _Held, used: Usage, cost: int) -> None:
        labels = {"api": held.row.api, "model": held.row.model}
        self._meter.add("model.cost_usd", cost / 1_000_000, **labels)
        kinds = {
            "input": used.input,
            "cache_read": used.cache_read,
            "cache_write": used.cache_write + used.cache_write_hour,
            "output": used.output,
        }
        for kind, number in kinds.items():
            if number:
                self._meter.add("model.tokens", number, kind=kind, **labels)

    def _group(self, folder: str) -> Group:
        group = self._registry.group(folder)
        if group is None:
            raise NotAllowed("This group is no longer registered.")
        return group

    def _today(self) -> date:
        """A clock that is set back does not open a day anew."""
        self._day = max(self._day, _day(self._clock.now(), self._zone))
        return self._day

    def _book(self, folder: str) -> Book:
        """Today's book. Requests of a day before keep theirs, on which they are settled."""
        book = self._books.get(folder)
        today = self._today()
        if book is None or book.day != today:
            book = self._books[folder] = Book(folder=folder, day=today)
        return book

    async def _refresh(self, folder: str, day: date) -> None:
        extended = await self._database.fetchval(_SQL["spending.extended"], folder, day)
        book = self._book(folder)
        if book.day == day and extended is not None:
            book.extended = extended


def _stopped(book: Book, lane: str, turn: Turn | None, request: ModelRequest, needs: int) -> Stopped:
    return Stopped(
        folder=book.folder,
        day=book.day,
        address=turn.address if turn is not None else "",
        lane=lane,
        model=storable(request.model[:200]),
        needs=needs,
    )


def _day(now: datetime, zone: tzinfo) -> date:
    return now.astimezone(zone).date()


def _bounded(usage: Usage) -> Usage:
    """A provider's numbers are the provider's word."""
    return Usage(
        input=_sane(usage.input),
        cache_read=_sane(usage.cache_read),
        cache_write=_sane(usage.cache_write),
        cache_write_hour=_sane(usage.cache_write_hour),
        output=_sane(usage.output),
    )


def _sane(tokens: int) -> int:
    return min(max(0, tokens), _MOST_TOKENS)
