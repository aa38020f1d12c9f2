"""Reading the log forward: marks move over everything, notices come from what people care about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from demarch.embedded import EmbeddedKernel
from demarch.errors import NotFound
from demarch.feed import Feed
from demarch.kernel import Capabilities, Discovery, KernelEvent, KernelState, Marks, Outcome, Run
from demarch.notices import NoticeKind
from demarch.operations import Call
from tests.clock import START
from tests.demarch.driving import Driver

RUN = Run(
    id="r1", goal="g", status="active", phase="a", phases=("a", "b", "c"), created_at=START, updated_at=START
)
BLOCK = KernelEvent(
    id=1, source="phase", type="block", run_id="r1", from_state="a", to_state="b", timestamp=START
)


class QuirkyKernel:
    """A kernel as awkward as the real one: limits per source, repeats a source, forgets runs."""

    def __init__(self, events: Sequence[KernelEvent], runs: Mapping[str, Run], per_source: int = 2) -> None:
        self._events = events
        self._runs = runs
        self._per_source = per_source
        self.asked: list[str] = []

    async def events(self, marks: Marks, limit: int) -> Sequence[KernelEvent]:
        found: list[KernelEvent] = []
        for source in ("phase", "discovery", "review"):
            behind = [e for e in self._events if e.source == source and e.id > marks.get(source, 0)]
            found += behind[: self._per_source]
        # Has no mark in this kernel, so its rows come again and again.
        found += [event for event in self._events if event.source == "interspect"] * 2
        return found

    async def run(self, run_id: str) -> Run:
        self.asked.append(run_id)
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
        raise NotFound(discovery_id)

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


async def test_a_kernel_that_limits_per_source_is_asked_until_it_is_drained() -> None:
    kernel = QuirkyKernel([replace(BLOCK, id=number) for number in range(1, 8)], {"r1": RUN})
    batch = await Feed(kernel).read({}, 100)
    assert [notice.event.id for notice in batch.notices] == [1, 2, 3, 4, 5, 6, 7]
    assert (batch.marks, batch.events) == ({"phase": 7}, 7)
    assert kernel.asked == ["r1"]
    again = await Feed(kernel).read(batch.marks, 100)
    assert (again.notices, again.marks, again.events) == ((), {"phase": 7}, 0)


async def test_rows_that_come_again_are_told_once() -> None:
    rejected = replace(BLOCK, source="interspect", type="gate.rejected", id=5)
    batch = await Feed(QuirkyKernel([BLOCK, rejected], {"r1": RUN})).read({}, 100)
    assert [notice.kind for notice in batch.notices] == [NoticeKind.GATE_PENDING, NoticeKind.GATE_RESOLVED]
    assert batch.marks == {"phase": 1, "interspect": 5}


async def test_vanished_runs_and_unknown_events_move_the_marks_and_tell_nothing() -> None:
    events = [
        replace(BLOCK, run_id="gone"),
        replace(BLOCK, id=2, type="from.the.future"),
        replace(BLOCK, id=3, run_id=""),
        replace(BLOCK, id=1, source="discovery", type="discovery.submitted", run_id="d1"),
    ]
    kernel = QuirkyKernel(events, {"r1": RUN})
    batch = await Feed(kernel).read({}, 100)
    assert (batch.notices, batch.marks, batch.events) == ((), {"phase": 3, "discovery": 1}, 4)
    assert kernel.asked == ["gone", "r1"]


async def test_a_first_start_begins_at_the_head_and_tells_no_history(
    ana: Driver, kernel: EmbeddedKernel
) -> None:
    run_id = await ana.run()
    await ana.advance(run_id)
    feed = Feed(kernel)
    marks = await feed.head()
    assert (await feed.read(marks, 10)).events == 0
    await ana.write("approve_gate", run_id=run_id)
    batch = await feed.read(marks, 10)
    assert [notice.kind for notice in batch.notices] == [NoticeKind.GATE_RESOLVED, NoticeKind.PHASE_CHANGED]
    assert batch.notices[0].run.phase == "brainstorm-reviewed"


async def test_a_small_limit_reads_on_where_it_stopped(ana: Driver, kernel: EmbeddedKernel) -> None:
    run_id = await ana.run()
    for _ in range(5):
        await ana.advance(run_id)
    feed, marks, seen = Feed(kernel), await kernel.head(), 0
    marks = dict.fromkeys(marks, 0)
    while (batch := await feed.read(marks, 2)).events:
        assert batch.events <= 2
        marks, seen = batch.marks, seen + len(batch.notices)
    assert seen == 5


async def test_the_whole_life_of_a_run_is_told(ana: Driver, kernel: EmbeddedKernel) -> None:
    run_id = await ana.run(phases=("review", "polish", "done"), token_budget=100)
    await ana.advance(run_id)
    await ana.write("approve_gate", run_id=run_id, reason="fine")
    await ana.spend(run_id, 85)
    await ana.spend(run_id, 15)
    await ana.write("extend_budget", run_id=run_id)
    await ana.advance(run_id)
    batch = await Feed(kernel).read({}, 100)
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
