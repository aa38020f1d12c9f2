"""The feed under crashes: whatever happens between reading and committing, each event is told once."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from demarch.errors import DemarchError
from host.outgoing.outbox import PostKind
from tests.conftest import TestServer
from tests.host.decisions.office import CHAIN, MAIN, first_line
from tests.host.decisions.workshop import Workshop, run_machine

which = st.integers(0, 5)


class FeedMachine(Workshop):
    def __init__(self) -> None:
        super().__init__()
        self.runs: list[str] = []

    @precondition(lambda self: len(self.runs) < 5)
    @rule()
    def a_run_starts(self) -> None:
        self.runs.append(
            self.do(self.office.terminal.run(f"run {len(self.runs)}", token_budget=1000, **CHAIN))
        )

    @precondition(lambda self: self.runs)
    @rule(number=which, what=st.sampled_from(["block", "approve", "advance", "cancel", "spend", "rollback"]))
    def something_happens(self, number: int, what: str) -> None:
        self.do(self._happens(self.runs[number % len(self.runs)], what))

    async def _happens(self, run: str, what: str) -> None:
        terminal = self.office.terminal
        acts: dict[str, Callable[[], Awaitable[object]]] = {
            "block": lambda: terminal.block(run, "look"),
            "approve": lambda: terminal.write("approve_gate", run_id=run),
            "advance": lambda: terminal.advance(run),
            "cancel": lambda: terminal.write("cancel_run", run_id=run),
            "spend": lambda: terminal.spend(run, 450),
            "rollback": lambda: terminal.rollback(run, "review"),
        }
        try:
            await acts[what]()
        except DemarchError:
            return

    @rule()
    def the_feed_comes_by(self) -> None:
        self.do(self.office.feed())

    @rule(statements=st.integers(0, 25))
    def the_host_dies_while_it_reads(self, statements: int) -> None:
        self.do(self._die(statements))

    async def _die(self, statements: int) -> None:
        async with asyncio.TaskGroup() as tasks:
            work = tasks.create_task(self._drain())
            await self.pass_time(statements)
            work.cancel()
        self.office = await self.office.reborn()

    async def _drain(self) -> None:
        while await self.office.consumer.step():
            pass

    @rule(seconds=st.sampled_from([10.0, 90.0]))
    def time_passes(self, seconds: float) -> None:
        self.do(self.office.clock.advance(seconds))

    def teardown(self) -> None:
        try:
            self.do(self._told_once())
        finally:
            super().teardown()

    async def _told_once(self) -> None:
        await self.office.feed()
        await self.office.show()
        events = await self.office.terminal.events()
        for run in self.runs:
            goal = (await self.office.kernel.run(run)).goal
            cancelled = sum(1 for event in events if (event.run_id, event.type) == (run, "cancel"))
            said = [line for line in await self._lines() if f'"{goal}"' in line]
            assert sum("was stopped" in line for line in said) == cancelled
            warned = sum(1 for event in events if (event.run_id, event.type) == (run, "budget.warning"))
            assert sum("has used" in line for line in said) == warned
            await self._cards_fit(run, goal)

    async def _cards_fit(self, run: str, goal: str) -> None:
        """A gate's card is open exactly where a gate waits; nothing waits on a run that ended."""
        state = await self.office.kernel.run(run)
        cards = [first_line(card) for card in await self.office.cards() if f'"{goal}"' in first_line(card)]
        waiting = await self.office.database.fetchval("SELECT waiting FROM kernel.runs WHERE id = $1", run)
        gates = await self.office.database.fetchval(
            "SELECT count(*) FROM host.approvals WHERE run = $1 AND kind = 'gate' AND state = 'pending'", run
        )
        assert gates == (1 if waiting and state.status == "active" else 0)
        if state.status != "active":
            assert not any(line.startswith("💰") for line in cards)

    async def _lines(self) -> list[str]:
        posts = await self.office.posts(MAIN)
        return [post.content.text for post in posts if post.kind is PostKind.NOTICE]


def test_each_event_is_told_exactly_once(postgres: TestServer, tmp_path: Path) -> None:
    run_machine(FeedMachine, postgres, tmp_path, examples=10, steps=15)


@pytest.mark.full
def test_each_event_is_told_exactly_once_at_length(postgres: TestServer, tmp_path: Path) -> None:
    run_machine(FeedMachine, postgres, tmp_path, examples=200, steps=40)
