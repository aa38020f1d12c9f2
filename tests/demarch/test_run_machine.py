"""Whatever is done to a run, in whatever order, it obeys its chain, its gates and its budget."""

import asyncio
import itertools
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from demarch.embedded import EmbeddedKernel
from demarch.errors import DemarchError
from demarch.gates import Tier
from demarch.kernel import Outcome
from storage.database import Database
from storage.ids import uuid7
from tests.clock import START, HandClock
from tests.demarch.driving import Driver

CHAIN = ("brainstorm", "brainstorm-reviewed", "executing", "review", "polish", "end")
_NUMBERS = itertools.count(1)


class RunMachine(RuleBasedStateMachine):
    """A model of one run beside the real one."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self._runner = asyncio.Runner()
        self._stack = AsyncExitStack()
        database = self.do(self._stack.enter_async_context(Database.open(self.url, size=2)))
        kernel = EmbeddedKernel(database, HandClock())
        self.ana = Driver(kernel, lambda: uuid7(START, next(_NUMBERS)), actor="ana")
        self.marks = dict(self.do(kernel.head()))
        self.phase, self.status, self.waiting = CHAIN[0], "active", False
        self.budget, self.used, self.warned, self.exceeded = 100, 0, False, False
        self.expected: list[str] = []

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._runner.run(work)

    def attempt(self, work: Coroutine[Any, Any, Outcome]) -> Outcome | None:
        try:
            outcome: Outcome = self.do(work)
        except DemarchError:
            return None
        return outcome

    def teardown(self) -> None:
        self.do(self._stack.aclose())
        self._runner.close()

    @initialize(auto=st.booleans())
    def start(self, auto: bool) -> None:
        self.auto = auto
        self.run_id = self.do(self.ana.run(phases=CHAIN, token_budget=100, auto_advance=auto))

    def _moved(self, event: str) -> None:
        before = CHAIN.index(self.phase)
        self.phase = CHAIN[before + 1]
        self.waiting = False
        self.status = "completed" if self.phase == CHAIN[-1] else "active"
        self.expected.append(event)

    @rule(tier=st.sampled_from(list(Tier)), reason=st.sampled_from(["", "go"]))
    def advance(self, tier: Tier, reason: str) -> None:
        outcome = self.attempt(self.ana.advance(self.run_id, tier, reason))
        assert (outcome is not None) == (self.status == "active")
        if outcome is None:
            return
        if outcome.data["advanced"]:
            assert self.auto or reason
            self._moved("advance")
        else:
            self.waiting = True
            self.expected.append(outcome.data["event_type"])
        assert outcome.data["event_type"] == self.expected[-1]

    @rule(expected=st.sampled_from([None, *CHAIN]))
    def approve(self, expected: str | None) -> None:
        arguments = {"run_id": self.run_id} | ({"from_phase": expected} if expected else {})
        outcome = self.attempt(self.ana.write("approve_gate", **arguments, cause="block"))
        assert (outcome is not None) == (self.status == "active" and expected in (None, self.phase))
        if outcome is not None:
            assert outcome.data["from_phase"] == self.phase
            self._moved("override")

    @rule(decision=st.sampled_from(["reject_gate", "defer_gate"]))
    def decide(self, decision: str) -> None:
        if self.attempt(self.ana.write(decision, run_id=self.run_id)) is not None:
            self.waiting = self.waiting and decision == "defer_gate"
            self.expected.append("gate.rejected" if decision == "reject_gate" else "gate.deferred")

    @rule(phase=st.sampled_from(CHAIN))
    def rollback(self, phase: str) -> None:
        back = CHAIN.index(phase) < CHAIN.index(self.phase)
        outcome = self.attempt(self.ana.rollback(self.run_id, phase))
        assert (outcome is not None) == (back and self.status in {"active", "completed"})
        if outcome is not None:
            self.phase, self.status, self.waiting = phase, "active", False
            self.expected.append("rollback")

    @rule()
    def make_artifact(self) -> None:
        self.do(self.ana.artifact(self.run_id))

    @rule(tokens=st.integers(0, 60))
    def spend(self, tokens: int) -> None:
        self.do(self.ana.spend(self.run_id, tokens))
        self.used += tokens
        exceeds = self.used >= self.budget and not self.exceeded
        warns = self.used * 100 >= self.budget * 80 and not self.warned
        if self.status == "active" and (exceeds or warns):
            self.warned, self.exceeded = True, self.exceeded or exceeds
            self.expected += ["budget.warning"] * warns + ["budget.exceeded"] * exceeds

    @rule()
    def extend(self) -> None:
        if self.attempt(self.ana.write("extend_budget", run_id=self.run_id, tokens=50)) is not None:
            assert self.status == "active"
            self.budget, self.warned, self.exceeded = self.budget + 50, False, False
            self.expected.append("set")

    @rule()
    def cancel(self) -> None:
        if self.attempt(self.ana.write("cancel_run", run_id=self.run_id)) is not None:
            assert self.status == "active"
            self.status, self.waiting = "cancelled", False
            self.expected.append("cancel")

    @invariant()
    def the_run_is_as_the_model_says(self) -> None:
        if not hasattr(self, "run_id"):
            return
        data = self.do(self.ana.read("run_status", run_id=self.run_id)).data
        assert (data["phase"], data["status"]) == (self.phase, self.status)
        assert (data["token_budget"], data["used_tokens"]) == (self.budget, self.used)
        assert ("waiting" in data) == self.waiting

    @invariant()
    def every_move_is_one_event_and_ids_have_no_gaps(self) -> None:
        events = self.do(self.ana.kernel.events(self.marks, 1000))
        assert [event.type for event in events] == self.expected
        ids: dict[str, int] = dict(self.marks)
        for event in events:
            assert event.id == ids[event.source] + 1
            ids[event.source] = event.id


@pytest.mark.parametrize("examples", [25, pytest.param(400, marks=pytest.mark.full)])
def test_a_run_obeys_its_chain_its_gates_and_its_budget(database_url: str, examples: int) -> None:
    class Machine(RunMachine):
        url = database_url

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
