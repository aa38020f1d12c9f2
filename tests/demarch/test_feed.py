"""Reading the log forward: marks move over everything, notices come from what people care about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from demarch.embedded import EmbeddedKernel
from demarch.errors import KernelUnavailable, LogWentBack, NotFound
from demarch.feed import AT, Feed
from demarch.kernel import Capabilities, Discovery, KernelEvent, KernelState, Marks, Outcome, Run
from demarch.notices import NoticeKind
from demarch.operations import Call
from demarch.reading import Unreadable
from tests.clock import START, HandClock
from tests.demarch.driving import Driver

RUN = Run(
    id="r1", goal="g", status="active", phase="a", phases=("a", "b", "c"), created_at=START, updated_at=START
)
BLOCK = KernelEvent(
    id=1, source="phase", type="block", run_id="r1", from_state="a", to_state="b", timestamp=START
)


class QuirkyKernel:
    """A kernel as awkward as the real one: limits per source, repeats a source, forgets runs, is restored."""

    def __init__(self, events: Sequence[KernelEvent], runs: Mapping[str, Run], per_source: int = 2) -> None:
        self._events = events
        self._runs = runs
        self._per_source = per_source
        self.found: dict[str, Discovery] = {}
        self.unreadable: set[str] = set()
        self.restored_to: Marks | None = None
        self.asked: list[str] = []

    async def events(self, marks: Marks, limit: int) -> Sequence[KernelEvent]:
        if self.restored_to is not None:
            back, self.restored_to = self.restored_to, None
            raise LogWentBack("It was restored.", marks=back)
        found: list[KernelEvent] = []
        for source in ("phase", "discovery", "review"):
            behind = [e for e in self._events if e.source == source and e.id > marks.get(source, 0)]
            found += behind[: self._per_source]
        # Has no mark in this kernel, so its rows come again and again.
        found += [event for event in self._events if event.source == "interspect"] * 2
        return found

    async def run(self, run_id: str) -> Run:
        self.asked.append(run_id)
        if run_id in self.unreadable:
            raise KernelUnavailable("It does not answer.")
        if run_id not in self._runs:
            raise NotFound(run_id)
        return self._runs[run_id]

    async def runs(self, *, active: bool = True) -> Sequence[Run]:
        return list(self._runs.values())

    async def state(self) -> KernelState:
        return KernelState(ok=True)

    def capabilities(self) -> Capabilities:
        return Capabilities()

    async def discovery(self, discovery_id: str) -> Discovery:
        if discovery_id not in self.found:
            raise NotFound(discovery_id)
        return self.found[discovery_id]

    async def discoveries(self, *, status: str, limit: int) -> Sequence[Discovery]:
        return ()

    async def read(self, call: Call) -> Outcome:
        raise NotImplementedError

    async def write(self, call: Call, *, actor: str, key: str) -> Outcome:
        raise NotImplementedError

    async def written(self, key: str) -> Outcome | None:
        return None

    async def head(self) -> Marks:
        return {"phase": len(self._events)}


def places(marks: Marks) -> Marks:
    """Without the times beside them."""
    return {source: mark for source, mark in marks.items() if not source.endswith(AT)}


async def test_a_kernel_that_limits_per_source_is_read_until_it_is_drained(clock: HandClock) -> None:
    kernel = QuirkyKernel([replace(BLOCK, id=number) for number in range(1, 8)], {"r1": RUN})
    marks: Marks = {}
    seen: list[int] = []
    while (batch := await Feed(kernel, clock).read(marks, 100)).events:
        seen += [notice.event.id for notice in batch.notices]
        marks = batch.marks
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert marks == {"phase": 7, "phase@": int(START.timestamp())}
    assert (batch.notices, batch.marks) == ((), marks)


async def test_rows_that_come_again_are_told_once(clock: HandClock) -> None:
    rejected = replace(BLOCK, source="interspect", type="gate.rejected", id=5)
    batch = await Feed(QuirkyKernel([BLOCK, rejected], {"r1": RUN}), clock).read({}, 100)
    assert [notice.kind for notice in batch.notices] == [NoticeKind.GATE_PENDING, NoticeKind.GATE_RESOLVED]
    assert places(batch.marks) == {"phase": 1, "interspect": 5}


async def test_vanished_runs_and_unknown_events_move_the_marks_and_tell_nothing(clock: HandClock) -> None:
    await clock.advance(60)
    events = [
        replace(BLOCK, run_id="gone"),
        replace(BLOCK, id=2, type="from.the.future"),
        replace(BLOCK, id=3, run_id=""),
        replace(BLOCK, id=1, source="discovery", type="discovery.submitted", run_id="d1"),
    ]
    kernel = QuirkyKernel(events, {"r1": RUN}, per_source=9)
    batch = await Feed(kernel, clock).read({}, 100)
    assert (batch.notices, batch.discoveries, batch.events) == ((), (), 4)
    assert places(batch.marks) == {"phase": 3, "discovery": 1}
    assert kernel.asked == ["gone"], "nobody needs to read what nothing is told of"


async def test_an_event_whose_run_is_not_there_yet_waits_for_it(clock: HandClock) -> None:
    kernel = QuirkyKernel([BLOCK], {})
    with pytest.raises(Unreadable):
        await Feed(kernel, clock).read({}, 100)
    kernel._runs = {"r1": RUN}
    batch = await Feed(kernel, clock).read({}, 100)
    assert [notice.kind for notice in batch.notices] == [NoticeKind.GATE_PENDING]


async def test_a_run_that_never_comes_is_waited_for_a_moment_only(clock: HandClock) -> None:
    kernel = QuirkyKernel([BLOCK], {})
    await clock.advance(11)
    assert (await Feed(kernel, clock).read({}, 100)).events == 1


async def test_what_stands_before_an_unreadable_event_is_told(clock: HandClock) -> None:
    events = [BLOCK, replace(BLOCK, id=2, run_id="r2"), replace(BLOCK, id=3)]
    kernel = QuirkyKernel(events, {"r1": RUN, "r2": replace(RUN, id="r2")}, per_source=9)
    kernel.unreadable = {"r2"}
    feed = Feed(kernel, clock)
    batch = await feed.read({}, 100)
    assert ([notice.event.id for notice in batch.notices], places(batch.marks)) == ([1], {"phase": 1})
    with pytest.raises(Unreadable) as stuck:
        await feed.read(batch.marks, 100)
    assert stuck.value.event.id == 2
    assert places(await feed.beyond(batch.marks)) == {"phase": 2}
    kernel.unreadable = set()
    assert [notice.event.id for notice in (await feed.read(batch.marks, 100)).notices] == [2, 3]


async def test_a_log_that_was_set_back_is_read_on_from_there(clock: HandClock) -> None:
    kernel = QuirkyKernel([replace(BLOCK, id=4)], {"r1": RUN})
    kernel.restored_to = {"phase": 3}
    batch = await Feed(kernel, clock).read({"phase": 9, "phase@": 1}, 100)
    assert ([notice.event.id for notice in batch.notices], batch.start) == ([4], {"phase": 3})
    kernel.restored_to = {"phase": 4}
    batch = await Feed(kernel, clock).read({"phase": 9}, 100)
    assert (batch.events, batch.start, batch.marks) == (0, {"phase": 4}, {"phase": 4})


async def test_discoveries_are_asked_about_once_a_batch_and_told_when_decided(clock: HandClock) -> None:
    def happened(number: int, what: str, about: str) -> KernelEvent:
        return replace(BLOCK, id=number, source="discovery", type=f"discovery.{what}", run_id=about)

    def found(about: str, status: str, score: float) -> Discovery:
        return Discovery(
            id=about, source="radar", title=about, status=status, score=score, discovered_at=START
        )

    events = [
        happened(1, "submitted", "good"),
        happened(2, "scored", "good"),
        happened(3, "submitted", "poor"),
        happened(4, "proposed", "odd"),
        happened(5, "submitted", "taken"),
        happened(6, "promoted", "taken"),
        happened(7, "dismissed", "back again"),
        happened(8, "decayed", "good"),
    ]
    kernel = QuirkyKernel(events, {}, per_source=9)
    kernel.found = {
        each.id: each
        for each in (
            found("good", "scored", 0.5),
            found("poor", "new", 0.4),
            found("odd", "scored", 0.1),
            found("taken", "promoted", 0.9),
            found("back again", "new", 0.2),
        )
    }
    batch = await Feed(kernel, clock).read({}, 100)
    told = [(notice.kind, notice.discovery.id, notice.event.id) for notice in batch.discoveries]
    assert told == [
        (NoticeKind.DISCOVERY_PROPOSED, "good", 1),
        (NoticeKind.DISCOVERY_PROPOSED, "odd", 4),
        (NoticeKind.DISCOVERY_RESOLVED, "taken", 6),
    ]
    assert places(batch.marks) == {"discovery": 8}


async def test_the_second_of_the_last_event_stands_beside_its_mark(clock: HandClock) -> None:
    later = replace(BLOCK, id=2, timestamp=START + timedelta(seconds=90))
    batch = await Feed(QuirkyKernel([BLOCK, later], {"r1": RUN}, per_source=9), clock).read({}, 100)
    assert batch.marks["phase" + AT] == int(START.timestamp()) + 90


async def test_a_first_start_begins_at_the_head_and_tells_no_history(
    ana: Driver, kernel: EmbeddedKernel, clock: HandClock
) -> None:
    run_id = await ana.run()
    await ana.advance(run_id)
    feed = Feed(kernel, clock)
    marks = await feed.head()
    assert (await feed.read(marks, 10)).events == 0
    await ana.write("approve_gate", run_id=run_id)
    batch = await feed.read(marks, 10)
    assert [notice.kind for notice in batch.notices] == [NoticeKind.GATE_RESOLVED, NoticeKind.PHASE_CHANGED]
    assert batch.notices[0].run.phase == "brainstorm-reviewed"


async def test_a_small_limit_reads_on_where_it_stopped(
    ana: Driver, kernel: EmbeddedKernel, clock: HandClock
) -> None:
    run_id = await ana.run()
    for _ in range(5):
        await ana.advance(run_id)
    feed, marks, seen = Feed(kernel, clock), await kernel.head(), 0
    marks = dict.fromkeys(marks, 0)
    while (batch := await feed.read(marks, 2)).events:
        assert batch.events <= 2
        marks, seen = batch.marks, seen + len(batch.notices)
    assert seen == 5


async def test_the_whole_life_of_a_run_is_told(ana: Driver, kernel: EmbeddedKernel, clock: HandClock) -> None:
    run_id = await ana.run(phases=("review", "polish", "done"), token_budget=100)
    await ana.advance(run_id)
    await ana.write("approve_gate", run_id=run_id, reason="fine")
    await ana.spend(run_id, 85)
    await ana.spend(run_id, 15)
    await ana.write("extend_budget", run_id=run_id)
    await ana.advance(run_id)
    batch = await Feed(kernel, clock).read({}, 100)
    assert [notice.kind.value for notice in batch.notices] == [
        "gate.pending",
        "gate.resolved",
        "phase.changed",
        "budget.warning",
        "budget.exceeded",
        "gate.resolved",
        "run.completed",
    ]
    assert batch.notices[0].evidence == ("no review verdict yet",)
