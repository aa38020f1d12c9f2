"""Reading the log of the kernel CLI: nothing twice, nothing lost, whatever `ic` leaves out or says again."""

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from demarch.cli.events import TIMELESS, TOLD, Events, event_of
from demarch.cli.process import Runner
from demarch.errors import KernelUnavailable, LogWentBack
from demarch.feed import AT, passed
from demarch.kernel import KernelEvent, Marks
from tests.clock import START
from tests.demarch.cli.binaries import Binaries
from tests.demarch.cli.logbook import Logbook

ZERO: Marks = {}


@pytest.fixture
def log(binaries: Binaries) -> Logbook:
    return Logbook(binaries)


@pytest.fixture
def events(runner: Runner, log: Logbook) -> Events:
    return Events(runner)


async def drained(events: Events, marks: Marks, limit: int = 50) -> tuple[list[KernelEvent], Marks]:
    seen: list[KernelEvent] = []
    while found := await events.behind(marks, limit):
        seen += found
        marks = passed(marks, found)
    return seen, marks


def ids(found: list[KernelEvent], source: str = "phase") -> list[int]:
    return [event.id for event in found if event.source == source]


async def test_events_are_read_in_the_order_they_happened(events: Events, log: Logbook) -> None:
    log.happen(after=1)
    log.happen("discovery.scored", source="discovery", after=2)
    log.happen("pause", after=3, reason="auto_advance disabled", from_state="a", to_state="b")
    found, marks = await drained(events, ZERO)
    assert [(event.source, event.type) for event in found] == [
        ("phase", "block"),
        ("discovery", "discovery.scored"),
        ("phase", "pause"),
    ]
    last = found[-1]
    assert (last.run_id, last.from_state, last.to_state, last.reason) == (
        "abcd1234",
        "a",
        "b",
        "auto_advance disabled",
    )
    second = int(START.timestamp())
    assert marks == {"phase": 2, "phase@": second + 3, "discovery": 1, "discovery@": second + 2}
    assert await events.behind(marks, 50) == []


async def test_no_consumer_is_named_and_sources_that_nobody_is_told_of_are_kept_away(
    events: Events, log: Logbook, binaries: Binaries
) -> None:
    log.happen("status_change", source="dispatch")
    log.happen("lock.acquired", source="coordination")
    log.happen()
    found, _ = await drained(events, ZERO)
    assert [event.source for event in found] == ["phase"]
    for call in binaries.calls():
        assert "--all" in call
        assert not any(word.startswith("--consumer") for word in call)


@pytest.mark.parametrize("shares", [4, 5, 6])
async def test_sources_that_come_again_and_again_stop_nothing(
    events: Events, log: Logbook, shares: int
) -> None:
    """Versions differ in which sources take a mark; rows without one come with every look."""
    log.manner(shares=shares, unmarked=("interspect", "coordination"))
    for number in range(300):
        log.happen("override", source="interspect", after=number)
        log.happen("lock", source="coordination", after=number)
        log.happen(after=number)
    found, _ = await drained(events, ZERO)
    assert ids(found) == list(range(1, 301))
    assert len(found) == 300


async def test_the_head_of_a_long_log_is_found_without_reading_it(
    events: Events, log: Logbook, binaries: Binaries
) -> None:
    for number in range(3000):
        log.happen(after=number)
    log.happen("discovery.submitted", source="discovery", after=7)
    head = await events.head()
    assert {source: head[source] for source in TOLD} == {"phase": 3000, "discovery": 1, "review": 0}
    assert head["phase" + AT] == int(START.timestamp()) + 2999
    assert log.looks() < 20
    assert await events.behind(head, 50) == []
    log.happen(after=4000)
    assert ids(list(await events.behind(head, 50))) == [3001]


async def test_the_head_of_an_empty_log_is_its_beginning(events: Events, log: Logbook) -> None:
    head = await events.head()
    assert {source: head[source] for source in TOLD} == {"phase": 0, "discovery": 0, "review": 0}
    log.happen()
    assert ids(list(await events.behind(head, 50))) == [1]


async def test_a_clock_that_was_set_back_hides_no_event(events: Events, log: Logbook) -> None:
    """A page holds the rows with the earliest times: those behind it may have lower ids."""
    log.happen(after=1)
    marks = passed(ZERO, await events.behind(ZERO, 50))
    for number in range(5):
        log.happen(after=50_000 + number)
    for number in range(300):
        log.happen(after=2 + number)
    found, _ = await drained(events, marks)
    assert sorted(ids(found)) == list(range(2, 307))
    assert ids(found) == sorted(ids(found))


@settings(max_examples=200, deadline=None)
@given(
    times=st.lists(st.integers(0, 40), min_size=1, max_size=60),
    shares=st.sampled_from([4, 5, 6]),
    limit=st.integers(1, 20),
)
def test_of_a_full_page_nothing_is_skipped_over(times: list[int], shares: int, limit: int) -> None:
    """The rule by which rows of a full page are taken, over all orders of times."""
    from demarch.cli.events import _hides, _whole

    rows = [
        KernelEvent(id=number, source="phase", type="block", run_id="r", timestamp=START.replace(second=time))
        for number, time in enumerate(times, start=1)
    ]
    seen, last = [], 0
    while True:
        share = limit
        for _ in range(2):
            behind = sorted(
                (row for row in rows if row.id > max(0, last - 1)), key=lambda row: (row.timestamp, row.id)
            )
            page = sorted(behind[:share], key=lambda row: row.id)
            if not _hides(page, last, share):
                break
            share = 10 * len(rows)
        fresh = _whole(page, last, share)
        if not fresh:
            break
        seen += [row.id for row in fresh]
        last = fresh[-1].id
    if limit > 1:
        assert seen == list(range(1, len(times) + 1))


async def test_rows_too_fat_for_one_answer_are_read_in_smaller_ones(runner: Runner, log: Logbook) -> None:
    for number in range(6):
        log.happen(after=number, reason="x" * 400_000)
    events = Events(Runner(runner.folder, runner.environment, largest=1_500_000))
    found, _ = await drained(events, ZERO)
    assert ids(found) == [1, 2, 3, 4, 5, 6]


async def test_a_restored_log_is_read_on_after_what_was_read(events: Events, log: Logbook) -> None:
    for number in range(10):
        log.happen(after=number)
    _, marks = await drained(events, ZERO)
    log.restore(rows=6)
    log.happen("pause", after=60)
    with pytest.raises(LogWentBack) as back:
        await events.behind(marks, 50)
    assert (back.value.marks["phase"], back.value.marks["phase@"]) == (6, int(START.timestamp()) + 5)
    found, marks = await drained(events, back.value.marks)
    assert [(event.id, event.type) for event in found] == [(7, "pause")]
    assert await events.behind(marks, 50) == []


async def test_a_restored_log_that_has_grown_past_the_marks_is_noticed_too(
    events: Events, log: Logbook
) -> None:
    for number in range(10):
        log.happen(after=number)
    _, marks = await drained(events, ZERO)
    log.restore(rows=4)
    for number in range(20):
        log.happen("pause", after=100 + number)
    with pytest.raises(LogWentBack) as back:
        await events.behind(marks, 50)
    found, _ = await drained(events, back.value.marks)
    assert [event.id for event in found] == list(range(5, 25))
    assert {event.type for event in found} == {"pause"}


async def test_a_new_log_in_place_of_the_old_one_is_read_from_its_beginning(
    events: Events, log: Logbook
) -> None:
    for number in range(10):
        log.happen(after=number)
    _, marks = await drained(events, ZERO)
    log.restore(rows=0)
    with pytest.raises(LogWentBack) as back:
        await events.behind(marks, 50)
    assert await events.behind(back.value.marks, 50) == []
    log.happen(after=99)
    assert ids(list(await events.behind(back.value.marks, 50))) == [1]


async def test_a_log_that_was_cut_at_its_beginning_is_no_older_one(events: Events, log: Logbook) -> None:
    for number in range(10):
        log.happen(after=number)
    _, marks = await drained(events, ZERO)
    log.restore(rows=0)
    log.happen(id=11, after=20)
    assert ids(list(await events.behind(marks, 50))) == [11]


async def test_an_answer_that_is_empty_by_accident_sets_nothing_back(
    events: Events, log: Logbook, binaries: Binaries
) -> None:
    log.happen(after=1)
    _, marks = await drained(events, ZERO)
    spoilt = f"#!{sys.executable} -IS\nimport os\nhere = os.path.dirname(os.path.abspath(__file__))\n"
    whole = (binaries.folder / "ic").read_text()
    binaries.script("ic.whole", whole)
    binaries.script("ic", spoilt + 'import sys\nos.rename(here + "/ic.whole", here + "/ic")\nsys.exit(0)\n')
    assert await events.behind(marks, 50) == []
    log.happen(after=2)
    assert ids(list(await events.behind(marks, 50))) == [2]


async def test_rubbish_between_the_lines_is_let_go_by(events: Events, log: Logbook) -> None:
    log.happen(type="of.the.future", surprise=[1, {"a": None}], after=1)
    log.happen(run_id="../../etc/passwd", after=2)
    log.happen(run_id="--all", after=3)
    assert event_of({"id": "7", "source": "phase"}, START) is None
    assert event_of({"id": 2**80, "source": "phase"}, START) is None
    log.happen(id=5, from_state="two\nlines\x1b[31m", envelope=["no", "object"], timestamp="yesterday")
    found, _ = await drained(events, ZERO)
    assert ids(found) == [1, 2, 3, 5]
    assert [event.run_id for event in found] == ["abcd1234", "", "", "abcd1234"]
    assert (found[3].from_state, found[3].envelope, found[3].timestamp) == ("two lines[31m", {}, TIMELESS)


async def test_a_row_without_a_time_is_known_again(events: Events, log: Logbook) -> None:
    log.happen(timestamp="at noon")
    _, marks = await drained(events, ZERO)
    assert await events.behind(marks, 50) == []
    log.happen(timestamp="in the evening")
    assert ids(list(await events.behind(marks, 50))) == [2]


async def test_garbage_is_said_to_be_garbage(events: Events, binaries: Binaries) -> None:
    binaries.script("ic", "#!/bin/sh\nprintf '\\377\\376 <html>'\n")
    with pytest.raises(KernelUnavailable):
        await events.behind(ZERO, 50)


@pytest.mark.parametrize(
    ("reason", "words", "key"),
    [
        ("Approved by Ana (tg:1) [intercom 0190/2]", "Approved by Ana (tg:1)", "0190/2"),
        ('{"override_category":"justified","reason":"fine [intercom k1]"}', None, "k1"),
        ('fine [intercom k1] | {"conditions":[]}', 'fine | {"conditions":[]}', "k1"),
        ("somebody else's", "somebody else's", None),
    ],
)
def test_the_mark_of_our_own_write_becomes_its_key(reason: str, words: str | None, key: str | None) -> None:
    event = event_of(
        {
            "id": 1,
            "source": "phase",
            "type": "override",
            "run_id": "r",
            "reason": reason,
            "envelope": {"key": "forged", "trace_id": "t"},
        },
        START,
    )
    assert event is not None
    assert event.envelope == {"trace_id": "t"} | ({"key": key} if key else {})
    assert "intercom" not in event.reason
    if words is not None:
        assert event.reason == words
