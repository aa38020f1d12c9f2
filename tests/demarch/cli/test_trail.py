"""Whose move it was is told from the run's events alone, whatever others did to the run meanwhile."""

import json
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from demarch.cli.marks import marked
from demarch.cli.trail import newest, own_step, step_of, taken_back

CHAIN = ("brainstorm", "planned", "executing", "review", "done")
OURS, THEIRS = "0193-ours/1", "0193-theirs/1"
BLOCKED = json.dumps({"conditions": [{"check": "verdict_exists", "result": "fail", "count": 0}]})


@dataclass
class Kernel:
    """As much of a kernel as a run's events need."""

    phase: str = CHAIN[0]
    events: list[dict[str, Any]] = field(default_factory=list)
    silent: bool = False  #: killed between a move and its event

    def add(self, kind: str, here: str, there: str, reason: str = "") -> None:
        if not self.silent:
            row = {"id": len(self.events) + 1, "event_type": kind, "from_phase": here, "to_phase": there}
            self.events.append(row | {"reason": reason} if reason else row)

    def move(self, kind: str, reason: str = "") -> None:
        here = CHAIN.index(self.phase)
        if here + 1 < len(CHAIN):
            self.phase = CHAIN[here + 1]
            self.add(kind, CHAIN[here], self.phase, reason)

    def back(self, reason: str = "") -> None:
        here = CHAIN.index(self.phase)
        if here:
            self.phase = CHAIN[here - 1]
            self.add("rollback", CHAIN[here], self.phase, reason)

    def held(self, kind: str, reason: str = "") -> None:
        self.add(kind, self.phase, CHAIN[min(len(CHAIN) - 1, CHAIN.index(self.phase) + 1)], reason)


def others(kernel: Kernel, what: str) -> None:
    match what:
        case "advance":
            kernel.move("advance")
        case "override":
            kernel.move("override", marked("by somebody else", THEIRS))
        case "back":
            kernel.back()
        case "block":
            kernel.held("block", BLOCKED)
        case "pause":
            kernel.held("pause", "auto_advance disabled")
        case "set":
            kernel.add("set", kernel.phase, kernel.phase)


OTHERS = st.lists(st.sampled_from(["advance", "override", "back", "block", "pause", "set"]), max_size=6)
OWN = st.sampled_from(["advance", "override", "block", "nothing"])


@settings(max_examples=400)
@given(OTHERS, OTHERS, OTHERS, OWN)
def test_our_step_is_found_exactly_when_it_was_taken(
    before: list[str], between: list[str], after: list[str], own: str
) -> None:
    kernel = Kernel()
    for what in before:
        others(kernel, what)
    if kernel.phase == CHAIN[-1]:
        kernel.back()
    here, mark = kernel.phase, newest(kernel.events)
    there = CHAIN[CHAIN.index(here) + 1]
    for what in between:
        others(kernel, what)
    passed, ahead = kernel.phase, CHAIN[min(len(CHAIN) - 1, CHAIN.index(kernel.phase) + 1)]
    took = own != "nothing" and passed != ahead
    reason = marked("ok by ana", OURS)
    if took and own == "block":
        kernel.held("block", f"{reason} | {BLOCKED}")
    elif took:
        kernel.move(own, reason)
    for what in after:
        others(kernel, what)
    step = own_step(OURS, here, there, mark, kernel.phase, kernel.events)
    if not took:
        assert step is None
        return
    assert step is not None
    assert (step.kind, step.from_phase, step.to_phase) == (own, passed, ahead)
    assert step.reason == "ok by ana"
    assert step.moved is (own != "block")


@settings(max_examples=200)
@given(OTHERS, st.lists(st.sampled_from(["block", "pause", "set", "advance"]), max_size=4))
def test_a_move_whose_event_was_lost_in_a_crash_is_ours_if_nothing_else_explains_it(
    before: list[str], after: list[str]
) -> None:
    kernel = Kernel()
    for what in before:
        others(kernel, what)
    if kernel.phase == CHAIN[-1]:
        kernel.back()
    here, mark = kernel.phase, newest(kernel.events)
    there = CHAIN[CHAIN.index(here) + 1]
    kernel.silent = True
    kernel.move("override")
    kernel.silent = False
    for what in after:
        others(kernel, what)
    step = own_step(OURS, here, there, mark, kernel.phase, kernel.events)
    assert step is not None
    assert step.moved
    assert (step.from_phase, step.to_phase) == (here, there)


def test_a_restored_kernel_that_forgot_everything_has_not_taken_our_step() -> None:
    assert own_step(OURS, "review", "done", 40, "brainstorm", []) is None


def test_a_phase_that_was_marked_as_skipped_explains_a_move() -> None:
    events = [
        {"id": 1, "event_type": "skip", "from_phase": "planned", "to_phase": "executing"},
        {"id": 2, "event_type": "advance", "from_phase": "planned", "to_phase": "review"},
    ]
    assert own_step(OURS, "planned", "executing", 0, "review", events) is None
    went = [{"id": 1, "event_type": "skip", "from_phase": "planned", "to_phase": "executing"}]
    assert own_step(OURS, "planned", "executing", 0, "executing", went) is None


def test_what_we_took_back_is_known_by_its_mark() -> None:
    kernel = Kernel(phase="review")
    kernel.back(marked("taken back", OURS))
    assert taken_back(OURS, kernel.events)
    assert not taken_back(THEIRS, kernel.events)


def test_the_answer_of_a_command_and_the_row_of_the_log_say_the_same() -> None:
    row = {
        "id": 7, "event_type": "block", "from_phase": "review", "to_phase": "done", "gate_result": "fail",
        "gate_tier": "hard", "reason": f"{marked('go on', OURS)} | {BLOCKED}",
    }  # fmt: skip
    step = step_of(row)
    assert step.gate.open_checks == ("no review verdict yet",)
    assert step.gate.blocks
    assert not step.moved
    assert step.reason == "go on"


def test_reasons_that_are_no_proper_json_do_no_harm() -> None:
    for reason in ("{", '{"conditions": 5}', "[" * 5000, "a | {", '{"reason": 5}'):
        assert step_of({"event_type": "block", "reason": reason}).conditions == ()
