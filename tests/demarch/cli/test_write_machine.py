"""Whatever breaks and whoever else moves the run: no write is lost, none doubled, none stays unknown."""

import asyncio
import itertools
import tempfile
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from demarch.calls import parse
from demarch.cli.writes import Writes
from demarch.errors import DemarchError, KernelUnavailable
from demarch.kernel import Outcome
from storage.database import Database
from tests.clock import HandClock
from tests.demarch.cli.memory import CHAIN, Crash, Fault, Memory

_NUMBERS = itertools.count(1)
FAULTS = st.lists(st.one_of(st.none(), st.sampled_from(list(Fault))), max_size=3)
OPERATIONS = ("approve_gate", "advance_phase", "reject_gate", "cancel_run", "start_run")
HANDS = ("advance", "override", "rollback", "cancel", "block", "restart")
MOVES = ("advance", "override")


class WriteMachine(RuleBasedStateMachine):
    """One run, people who decide about it through us, and others who do it beside us."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._stack = AsyncExitStack()
        self._database = self.do(self._stack.enter_async_context(Database.open(self.url, size=2)))
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory()))
        self.kernel = Memory(self._folder)
        self.begin()
        self.calls: dict[str, tuple[str, dict[str, Any]]] = {}
        self.answers: dict[str, Outcome] = {}  #: what a key did once it was told
        self.unsure: list[str] = []
        self.strays: set[str] = set()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run(work)

    def begin(self) -> None:
        """The program starts anew; only the journal and the kernel know what was."""
        self.writes = Writes(self.kernel, self._database, HandClock(), str(self._folder))

    def teardown(self) -> None:
        self.do(self._stack.aclose())
        self._loop.close()

    # ---- others -------------------------------------------------------------

    def hand(self, what: str) -> None:
        run = self.kernel.first
        here = CHAIN.index(run["phase"])
        match what:
            case "advance" | "override" if run["status"] == "active":
                self.kernel.move(run, what, self.kernel.ahead(run), "somebody else")
            case "rollback" if here and run["status"] != "cancelled":
                self.kernel.move(run, "rollback", CHAIN[here - 1], "again")
            case "block" if run["status"] == "active":
                self.kernel.add(run, "block", self.kernel.ahead(run), "closed", "fail")
            case "cancel" if run["status"] == "active":
                self.kernel.add(run, "cancel", run["phase"])
                run["status"] = "cancelled"
            case "restart" if run["status"] != "active":  # so that the story goes on
                run.update(status="active", phase=CHAIN[0])
                self.kernel.add(run, "rollback", CHAIN[0])

    @rule(what=st.sampled_from(HANDS))
    def somebody_else(self, what: str) -> None:
        self.hand(what)

    @rule()
    def the_gate_opens_or_closes(self) -> None:
        self.kernel.gate_open = not self.kernel.gate_open

    # ---- we -----------------------------------------------------------------

    @rule(
        operation=st.sampled_from(["approve_gate", *OPERATIONS]),
        cause=st.sampled_from([None, "block", "pause"]),
        faults=FAULTS,
        meanwhile=st.sampled_from([None, *HANDS]),
        unreadable=st.sampled_from([0, 0, 0, 2, 5]),
    )  # fmt: skip
    def somebody_decides(
        self,
        operation: str,
        cause: str | None,
        faults: list[Fault | None],
        meanwhile: str | None,
        unreadable: int,
    ) -> None:
        run = self.kernel.first
        arguments: dict[str, Any] = {"run_id": run["id"], "reason": "Approved by Ana (tg:1)"}
        if operation == "start_run":
            arguments = {"title": f"goal {len(self.calls)}"}
        elif operation != "cancel_run":
            arguments["from_phase"] = run["phase"]
        if operation == "approve_gate" and cause:
            arguments["cause"] = cause
        key = f"0193-{next(_NUMBERS)}/1"
        self.calls[key] = (operation, arguments)
        self.kernel.faults, self.kernel.meanwhile = list(faults), None
        if meanwhile:
            self.kernel.meanwhile = lambda: self.hand(meanwhile)
        if faults:
            self.kernel.unreadable = 0
        self._write(key, unreadable if faults else 0)
        self.kernel.faults, self.kernel.meanwhile, self.kernel.unreadable = [], None, 0

    def _write(self, key: str, unreadable: int = 0) -> None:
        operation, arguments = self.calls[key]
        try:
            call = parse(operation, arguments)
            outcome: Outcome = self.do(self._told(call, key, unreadable))
        except Crash:
            self.begin()
            self._doubtful(key)
        except KernelUnavailable:
            self._doubtful(key)
        except DemarchError as error:
            self._nothing_happened(key, error)
        else:
            self._happened(key, outcome)

    async def _told(self, call: Any, key: str, unreadable: int) -> Outcome:
        if unreadable:
            # The kernel goes away after the look that comes before the command.
            before, kernel = self.kernel.meanwhile, self.kernel

            def gone() -> None:
                if before:
                    before()
                kernel.unreadable = unreadable

            kernel.meanwhile = gone
        return await self.writes.write(call, actor="tg:1", key=key)

    def _doubtful(self, key: str) -> None:
        if key not in self.unsure:
            self.unsure.append(key)

    @rule(which=st.integers(0, 5), again=st.booleans())
    def somebody_asks_what_became_of_a_write(self, which: int, again: bool) -> None:
        keys = self.unsure or list(self.calls)
        if not keys:
            return
        key = keys[which % len(keys)]
        if again:
            self._write(key)
            return
        try:
            outcome = self.do(self.writes.written(key))
        except KernelUnavailable as error:  # EvidenceUnknown is one
            raise AssertionError(f"nobody knows about {self.calls[key]}") from error
        except DemarchError as error:
            self._nothing_happened(key, error)
        else:
            self._happened(key, outcome) if outcome else self._nothing_happened(key)

    # ---- what must be so ----------------------------------------------------

    def _effects(self, key: str) -> int:
        """How often it was done, less what was taken back."""
        operation, _ = self.calls[key]
        match operation:
            case "approve_gate" | "advance_phase":
                taken_back = len(self.kernel.marked(key, "rollback"))
                return len(self.kernel.marked(key, *MOVES)) - taken_back
            case "start_run":
                return sum(run.get("scope_id") == key for run in self.kernel.runs.values())
        return 0

    def _happened(self, key: str, outcome: Outcome) -> None:
        assert self.answers.setdefault(key, outcome) == outcome
        operation, arguments = self.calls[key]
        if operation in {"approve_gate", "advance_phase"}:
            assert outcome.data["from_phase"] == arguments["from_phase"]
            assert self._effects(key) == int(outcome.data["advanced"])
            if operation == "approve_gate" and outcome.data["advanced"]:
                assert self.kernel.recorded.get(key, "gate.approved") == "gate.approved"
        elif operation == "start_run":
            assert self._effects(key) == 1
            assert self.kernel.runs[outcome.data["id"]]["scope_id"] == key
        elif operation == "reject_gate":
            assert outcome.data["decision"] == "rejected"
        if key in self.unsure:
            self.unsure.remove(key)

    def _nothing_happened(self, key: str, error: DemarchError | None = None) -> None:
        assert key not in self.answers
        if error is not None and "A person must look" in str(error):
            # A step nobody approved, from which somebody else went on before it could be taken back.
            self.strays.add(key)
        assert self._effects(key) == int(key in self.strays)
        if key in self.unsure:
            self.unsure.remove(key)


@pytest.mark.parametrize("examples", [60, pytest.param(600, marks=pytest.mark.full)])
def test_writes_happen_once_or_not_at_all(database_url: str, examples: int) -> None:
    class Machine(WriteMachine):
        url = database_url

    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=examples, stateful_step_count=20, deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
