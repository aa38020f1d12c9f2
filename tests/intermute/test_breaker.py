"""The breaker opens on faults of the storage, lets one probe through at a time, and closes by itself."""

import pytest
from hypothesis import settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from hypothesis.strategies import floats

from intermute.breaker import FAILURES, FIRST_PAUSE, LONGEST_PAUSE, SPREAD, Breaker
from intermute.errors import StorageDown


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def breaker(seconds: Seconds) -> Breaker:
    return Breaker(seconds, lambda: 0.0)


def fail(breaker: Breaker, times: int) -> None:
    for _ in range(times):
        breaker.enter()
        breaker.failed()


def test_it_opens_after_five_faults_in_a_row(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    assert not breaker.open
    fail(breaker, 1)
    assert breaker.open
    with pytest.raises(StorageDown) as refused:
        breaker.enter()
    assert refused.value.retry_after == 1


def test_a_success_between_starts_the_count_anew(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    breaker.enter()
    breaker.succeeded()
    fail(breaker, FAILURES - 1)
    assert not breaker.open


def test_refused_requests_count_neither_way(breaker: Breaker) -> None:
    fail(breaker, FAILURES - 1)
    for _ in range(100):
        breaker.enter()
        breaker.neutral()
    assert not breaker.open
    fail(breaker, 1)
    assert breaker.open


def test_after_the_pause_one_probe_decides(breaker: Breaker, seconds: Seconds) -> None:
    fail(breaker, FAILURES)
    seconds.now += FIRST_PAUSE
    breaker.enter()
    with pytest.raises(StorageDown):
        breaker.enter()  # the probe is under way
    breaker.succeeded()
    assert not breaker.open
    breaker.enter()


def test_a_probe_that_fails_doubles_the_pause_up_to_the_longest(breaker: Breaker, seconds: Seconds) -> None:
    fail(breaker, FAILURES)
    pauses = []
    for _ in range(8):
        began = seconds.now
        while True:
            try:
                breaker.enter()
            except StorageDown:
                seconds.now += 0.25
            else:
                break
        breaker.failed()
        pauses.append(seconds.now - began)
    assert pauses[:4] == [FIRST_PAUSE, 1.0, 2.0, 4.0]
    assert pauses[4:] == [LONGEST_PAUSE] * 4


def test_a_probe_refused_for_its_own_fault_frees_the_place(breaker: Breaker, seconds: Seconds) -> None:
    fail(breaker, FAILURES)
    seconds.now += FIRST_PAUSE
    breaker.enter()
    breaker.neutral()
    assert breaker.open
    breaker.enter()
    breaker.succeeded()
    assert not breaker.open


class AnyOrder(RuleBasedStateMachine):
    """In whatever order things happen: open never lasts longer than its pause without a probe."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = Seconds()
        self.breaker = Breaker(self.seconds, lambda: 1.0)
        self.inside = 0
        self.failures = 0

    @rule(by=floats(0, 10))
    def time_passes(self, by: float) -> None:
        self.seconds.now += by

    @rule()
    def enter(self) -> None:
        was_open, refused = self.breaker.open, None
        try:
            self.breaker.enter()
        except StorageDown as error:
            refused = error
        if refused is None:
            self.inside += 1
            return
        assert was_open
        assert 1 <= refused.retry_after <= LONGEST_PAUSE * (1 + SPREAD) + 1

    @precondition(lambda self: self.inside)
    @rule()
    def fail(self) -> None:
        self.inside -= 1
        self.failures += 1
        self.breaker.failed()

    @precondition(lambda self: self.inside)
    @rule()
    def succeed(self) -> None:
        self.inside -= 1
        self.failures = 0
        self.breaker.succeeded()
        assert not self.breaker.open

    @precondition(lambda self: self.inside)
    @rule()
    def refuse(self) -> None:
        self.inside -= 1
        self.breaker.neutral()

    @invariant()
    def opens_only_after_faults(self) -> None:
        assert not self.breaker.open or self.failures >= FAILURES

    def teardown(self) -> None:
        """With nobody inside and the pause over there is always a way in."""
        for _ in range(self.inside):
            self.breaker.neutral()
        self.seconds.now += LONGEST_PAUSE * 2
        self.breaker.enter()


AnyOrder.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
test_any_order = AnyOrder.TestCase
