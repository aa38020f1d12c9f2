"""Money under everything at once: requests side by side, extensions, midnights, crashes at any point."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from datetime import date
from typing import Any, ClassVar, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from container.broker.port import BudgetSpent, Reservation, Usage
from host.spending.money import DOLLAR
from storage.database import Database
from storage.ids import NewId, uuid7
from tests.clock import START, HandClock
from tests.conftest import TestServer
from tests.host.spending.counter import Counter, approval_row, ask, opened

T = TypeVar("T")
FOLDERS = ("main", "design")
folders = st.sampled_from(FOLDERS)


class MoneyMachine(RuleBasedStateMachine):
    """`postgres` is set by the test. What the model of it all keeps stands in plain sums."""

    postgres: ClassVar[TestServer]

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.name = self.postgres.create(migrated=True)
        self.stack, self.life = AsyncExitStack(), AsyncExitStack()
        numbers = iter(range(1, 10**9))
        self.new_id: NewId = lambda: uuid7(START, next(numbers))
        self.clock = HandClock()
        self.open: dict[str, list[tuple[Reservation, date]]] = {folder: [] for folder in FOLDERS}
        self.granted: dict[tuple[str, date], int] = {}
        self.spent: dict[tuple[str, date], int] = {}
        self.database: Database = self.do(
            self.stack.enter_async_context(Database.open(self.postgres.url(self.name), size=3))
        )
        self.counter: Counter = self.do(self._begin())

    async def _begin(self) -> Counter:
        return await self.life.enter_async_context(opened(self.database, self.clock, self.new_id))

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(asyncio.wait_for(work, 20))

    @property
    def today(self) -> date:
        return self.clock.now().date()

    @rule(
        folder=folders,
        prompt=st.integers(0, 60_000),
        answer=st.integers(0, 64_000),
        many=st.integers(1, 6),
    )
    def requests_are_made(self, folder: str, prompt: int, answer: int, many: int) -> None:
        for _ in range(many):
            try:
                made = self.counter.account(folder).reserve(ask(prompt, answer))
            except BudgetSpent:
                continue
            assert made.output_tokens <= answer
            self.open[folder].append((made, self.today))

    @precondition(lambda self: any(self.open.values()))
    @rule(folder=folders, which=st.integers(0, 50), share=st.floats(0, 1), known=st.booleans())
    def one_is_settled(self, folder: str, which: int, share: float, known: bool) -> None:
        if not self.open[folder]:
            return
        made, day = self.open[folder].pop(which % len(self.open[folder]))
        self.do(self.counter.spending.recorded(made.id))  # nothing is passed on, so nothing settled, before
        book = self.counter.spending._held[made.id].book
        before, usage = book.spent, Usage(output=int(made.output_tokens * share)) if known else None
        self.counter.account(folder).settle(made.id, usage)
        self.spent[folder, day] = self.spent.get((folder, day), 0) + book.spent - before

    @rule(folder=folders, amount=st.integers(1, DOLLAR))
    def a_person_extends(self, folder: str, amount: int) -> None:
        self.do(self._extend(folder, amount))

    async def _extend(self, folder: str, amount: int) -> None:
        card = self.new_id()
        await approval_row(self.database, card, self.clock)
        for attempt in (1, 2):
            await self.counter.spending.extend(
                card, key=f"{card}/{attempt}", folder=folder, day=self.today, amount=amount, person="tg:1"
            )
        self.granted[folder, self.today] = self.granted.get((folder, self.today), 0) + amount

    @rule(hours=st.sampled_from([1, 9, 24]))
    def time_passes(self, hours: int) -> None:
        self.do(self.clock.advance(hours * 3600))

    @rule(stored=st.booleans())
    def the_host_crashes(self, stored: bool) -> None:
        """With everything stored, or with nothing that the writer had not begun yet."""
        self.do(self._crash(stored))

    async def _crash(self, stored: bool) -> None:
        if stored:
            await self.counter.spending.drain()
        else:  # what is not stored was not passed on either; what is settled only here counts fully then
            for made, _ in [each for opened in self.open.values() for each in opened]:
                await self.counter.spending.recorded(made.id)
        await self.life.aclose()
        self.life = AsyncExitStack()
        self.counter = await self._begin()
        self.open = {folder: [] for folder in FOLDERS}
        rows = await self.database.fetch(
            "SELECT folder, day, sum(cost)::bigint AS cost FROM host.model_calls GROUP BY folder, day"
        )
        kept = {(row["folder"], row["day"]): row["cost"] for row in rows}
        for place, cost in self.spent.items():
            assert kept.get(place, 0) >= cost, "what was settled is not forgotten by a crash"
        self.spent = kept

    @invariant()
    def no_day_is_above_its_limit(self) -> None:
        for folder in FOLDERS:
            book = self.counter.spending.today(folder)
            allowed = DOLLAR + self.granted.get((folder, self.today), 0)
            assert book.spent + book.reserved <= allowed
            assert book.reserved >= 0
        for (folder, day), cost in self.spent.items():
            assert cost <= DOLLAR + self.granted.get((folder, day), 0)

    @invariant()
    def the_book_is_what_was_settled(self) -> None:
        for folder in FOLDERS:
            assert self.counter.spending.today(folder).spent == self.spent.get((folder, self.today), 0)

    def teardown(self) -> None:
        try:
            self.do(self._agree())
        finally:
            self.do(self.life.aclose())
            self.do(self.stack.aclose())
            self.loop.close()
            self.postgres.drop(self.name)

    async def _agree(self) -> None:
        """The rows add up to the books."""
        await self.counter.spending.drain()
        rows = await self.database.fetch(
            "SELECT folder, day, sum(cost)::bigint AS cost,"
            " coalesce(sum(reserved) FILTER (WHERE state = 'reserved'), 0)::bigint AS held"
            " FROM host.model_calls GROUP BY folder, day"
        )
        for row in rows:
            assert row["cost"] == self.spent.get((row["folder"], row["day"]), 0)
            book = self.counter.spending.today(row["folder"])
            if book.day == row["day"]:
                assert row["held"] == book.reserved


def run_machine(postgres: TestServer, examples: int, steps: int) -> None:
    MoneyMachine.postgres = postgres
    run_state_machine_as_test(
        MoneyMachine,
        settings=settings(
            max_examples=examples,
            database=None,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_money_keeps_its_promises(postgres: TestServer) -> None:
    run_machine(postgres, examples=25, steps=20)


@pytest.mark.full
def test_money_keeps_its_promises_at_length(postgres: TestServer) -> None:
    run_machine(postgres, examples=150, steps=30)
