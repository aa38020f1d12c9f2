"""The log: gapless, in order, append-only, and readable while many write."""

import asyncio
from collections.abc import Mapping

import asyncpg
import pytest

from demarch.calls import parse
from demarch.embedded import EmbeddedKernel
from demarch.embedded.ledger import Change
from demarch.kernel import KernelEvent, Outcome
from storage.clock import SystemClock
from storage.database import Database
from storage.ids import NewId
from storage.wakeups import Wakeups
from tests.demarch.driving import DONE, Driver

WRITERS, EACH = 12, 25


async def test_a_reader_beside_many_writers_misses_nothing_and_sees_nothing_twice(
    database_url: str, new_id: NewId
) -> None:
    async with Database.open(database_url, size=WRITERS + 1) as database:
        kernel = EmbeddedKernel(database, SystemClock())
        ana = Driver(kernel, new_id, actor="ana")
        run_id = await ana.run(token_budget=10)
        seen: list[KernelEvent] = []
        marks: dict[str, int] = dict(await kernel.head())
        writing = asyncio.Event()

        async def write(number: int) -> None:
            for _ in range(EACH):
                await ana.change(lambda change: both(change, run_id))

        async def read() -> None:
            done = False
            while not done:
                done = writing.is_set()
                while batch := await kernel.events(marks, 7):
                    done = False
                    for event in batch:
                        assert event.id == marks[event.source] + 1
                        marks[event.source] = event.id
                    seen.extend(batch)
                await asyncio.sleep(0)

        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            tasks.create_task(read())
            async with asyncio.TaskGroup() as writers:
                for number in range(WRITERS):
                    writers.create_task(write(number))
            writing.set()
    assert len(seen) == 2 * WRITERS * EACH
    assert marks == dict.fromkeys(marks, 0) | {"phase": WRITERS * EACH, "interspect": WRITERS * EACH}


async def both(change: Change, run_id: str) -> Outcome:
    """Two sources in one transaction, told in an order that must not matter for locks."""
    for source in ("phase", "interspect") if change.key[-1] in "02468ace" else ("interspect", "phase"):
        change.tell("set", run_id, source=source)
    return DONE


async def test_events_of_several_sources_come_in_the_order_they_happened(ana: Driver) -> None:
    run_id = await ana.run()
    await ana.advance(run_id)
    await ana.write("reject_gate", run_id=run_id)
    await ana.write("register_finding", title="a finding")
    await ana.advance(run_id)
    assert await ana.types() == ["block", "gate.rejected", "discovery.submitted", "block"]
    head = await ana.kernel.head()
    assert {source: mark for source, mark in head.items() if mark} == {
        "phase": 2,
        "interspect": 1,
        "discovery": 1,
    }
    assert list(await ana.kernel.events(head, 10)) == []
    first = await ana.kernel.events({"from.the.future": 9}, 1)
    assert [event.type for event in first] == ["block"]


async def test_an_event_has_the_shape_of_the_real_kernel(ana: Driver) -> None:
    run_id = await ana.run()
    await ana.advance(run_id)
    (line,) = (await ana.read("run_events")).data["events"]
    assert set(line) == {
        "id", "run_id", "source", "type", "from_state", "to_state", "reason", "envelope", "timestamp",
    }  # fmt: skip
    assert (line["id"], line["run_id"], line["source"], line["type"]) == (1, run_id, "phase", "block")
    assert set(line["envelope"]) == {"actor", "key"}


@pytest.mark.parametrize(
    "statement",
    ["UPDATE kernel.events SET type = 'x'", "DELETE FROM kernel.events", "TRUNCATE kernel.events"],
)
async def test_the_log_is_append_only(ana: Driver, database: Database, statement: str) -> None:
    await ana.advance(await ana.run())
    with pytest.raises(asyncpg.RaiseError, match="append-only"):
        await database.execute(statement)


async def test_an_event_wakes_whoever_listens(ana: Driver, database_url: str, kernel: EmbeddedKernel) -> None:
    clock = SystemClock()
    async with asyncio.timeout(20), Wakeups.open(database_url) as wakeups:
        wakeup = wakeups.subscribe("kernel_events")
        assert await wakeup.wait(clock, 10) == []
        run_id = await ana.run()
        await ana.advance(run_id)
        assert await wakeup.wait(clock, 10) == ["phase:1"]
        call = parse("approve_gate", {"run_id": run_id})
        await kernel.write(call, actor="ana", key="k1")
        assert await wakeup.wait(clock, 10) == ["phase:2"]


async def test_what_does_not_commit_leaves_no_gap(ana: Driver) -> None:
    run_id = await ana.run()

    async def fail(change: Change) -> Outcome:
        change.tell("set", run_id)
        raise ZeroDivisionError

    await ana.advance(run_id)
    with pytest.raises(ZeroDivisionError):
        await ana.change(fail)
    await ana.advance(run_id)
    assert ids(await ana.events()) == {"phase": [1, 2]}


def ids(events: list[KernelEvent]) -> Mapping[str, list[int]]:
    found: dict[str, list[int]] = {}
    for event in events:
        found.setdefault(event.source, []).append(event.id)
    return found
