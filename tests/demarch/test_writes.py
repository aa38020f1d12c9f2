"""A write happens exactly once per key, whoever calls at the same time and whatever breaks."""

import asyncio

import pytest

from demarch.calls import parse
from demarch.embedded import EmbeddedKernel
from demarch.embedded.ledger import Change
from demarch.errors import Conflict, EvidenceUnknown, InvalidCall, KernelUnavailable, NotPossible
from demarch.kernel import Outcome
from demarch.names import first_free
from storage.database import Database
from tests.clock import HandClock
from tests.demarch.driving import DONE, Driver


async def test_the_same_key_again_answers_what_it_answered_and_does_nothing(
    kernel: EmbeddedKernel, database: Database
) -> None:
    call = parse("create_issue", {"title": "once"})
    first = await kernel.write(call, actor="ana", key="k1")
    again = await kernel.write(parse("create_issue", {"title": "other"}), actor="ben", key="k1")
    assert again == first
    assert await kernel.written("k1") == first
    assert await database.fetchval("SELECT count(*) FROM kernel.issues") == 1


async def test_one_key_called_by_many_at_once_is_one_execution_with_one_outcome(
    kernel: EmbeddedKernel, ana: Driver, database: Database
) -> None:
    run_id = await ana.run()
    call = parse("approve_gate", {"run_id": run_id, "from_phase": "brainstorm"})
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        calls = [tasks.create_task(kernel.write(call, actor="ana", key="k1")) for _ in range(8)]
    outcomes = [task.result() for task in calls]
    assert all(outcome == outcomes[0] for outcome in outcomes)
    assert outcomes[0].data["to_phase"] == "brainstorm-reviewed"
    assert await ana.types() == ["override"]
    assert await database.fetchval("SELECT count(*) FROM kernel.writes WHERE key = 'k1'") == 1


async def test_a_refused_write_has_not_happened_and_its_key_stays_free(
    kernel: EmbeddedKernel, ana: Driver
) -> None:
    run_id = await ana.run()
    wrong = parse("approve_gate", {"run_id": run_id, "from_phase": "polish"})
    with pytest.raises(Conflict):
        await kernel.write(wrong, actor="ana", key="k1")
    assert await kernel.written("k1") is None
    right = parse("approve_gate", {"run_id": run_id, "from_phase": "brainstorm"})
    assert (await kernel.write(right, actor="ana", key="k1")).data["advanced"] is True


async def test_asking_whether_a_write_happened_waits_for_one_under_way(kernel: EmbeddedKernel) -> None:
    begun, end = asyncio.Event(), asyncio.Event()

    async def slow(change: Change) -> Outcome:
        begun.set()
        await end.wait()
        return DONE

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(kernel.change(slow, actor="ana", key="k1"))
        await begun.wait()
        asking = tasks.create_task(kernel.written("k1"))
        done, _ = await asyncio.wait({asking}, timeout=0.2)
        assert not done
        end.set()
    assert asking.result() == DONE


async def test_a_write_that_never_ends_is_no_evidence(database: Database, clock: HandClock) -> None:
    kernel = EmbeddedKernel(database, clock, patience=0.2)
    begun, end = asyncio.Event(), asyncio.Event()

    async def stuck(change: Change) -> Outcome:
        begun.set()
        await end.wait()
        return DONE

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(kernel.change(stuck, actor="ana", key="k1"))
        await begun.wait()
        with pytest.raises(EvidenceUnknown, match="still under way"):
            await kernel.written("k1")
        end.set()


async def test_a_write_that_is_cancelled_leaves_nothing(kernel: EmbeddedKernel, ana: Driver) -> None:
    begun = asyncio.Event()
    run_id = await ana.run(phases=("a", "b"))

    async def hang(change: Change) -> Outcome:
        change.tell("set", run_id)
        begun.set()
        return await asyncio.Future()

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        task = tasks.create_task(kernel.change(hang, actor="ana", key="k1"))
        await begun.wait()
        task.cancel()
    assert await kernel.written("k1") is None
    assert await ana.types() == []


async def test_writers_that_lock_in_opposite_orders_both_succeed(kernel: EmbeddedKernel, ana: Driver) -> None:
    first, second = await ana.run("first"), await ana.run("second")
    here, there = asyncio.Event(), asyncio.Event()

    async def crosswise(
        change: Change, one: str, other: str, mine: asyncio.Event, yours: asyncio.Event
    ) -> Outcome:
        lock = "SELECT FROM kernel.runs WHERE id = $1 FOR UPDATE"
        await change.conn.execute(lock, one)
        mine.set()
        await yours.wait()
        await change.conn.execute(lock, other)
        return DONE

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(
            kernel.change(lambda c: crosswise(c, first, second, here, there), actor="a", key="1")
        )
        tasks.create_task(
            kernel.change(lambda c: crosswise(c, second, first, there, here), actor="b", key="2")
        )
    assert await kernel.written("1") == await kernel.written("2") == DONE


async def test_reads_and_writes_are_not_confused_and_keys_are_bounded(kernel: EmbeddedKernel) -> None:
    with pytest.raises(NotPossible):
        await kernel.read(parse("create_issue", {"title": "x"}))
    with pytest.raises(NotPossible):
        await kernel.write(parse("next_work", {}), actor="ana", key="k1")
    for key in ("", "k" * 201):
        with pytest.raises(InvalidCall):
            await kernel.write(parse("create_issue", {"title": "x"}), actor="ana", key=key)


async def test_a_database_that_is_gone_is_said_in_the_kernels_words(
    database_url: str, clock: HandClock
) -> None:
    async with Database.open(database_url, size=1) as database:
        kernel = EmbeddedKernel(database, clock)
        assert (await kernel.state()).ok
    state = await kernel.state()
    assert not state.ok
    assert "did not answer" in state.reason
    with pytest.raises(KernelUnavailable):
        await kernel.read(parse("next_work", {}))
    with pytest.raises(KernelUnavailable):
        await kernel.write(parse("create_issue", {"title": "x"}), actor="ana", key="k1")
    with pytest.raises(KernelUnavailable):
        await kernel.written("k1")


async def test_ids_are_tried_until_one_is_free(database: Database, clock: HandClock) -> None:
    given = iter(["aaaa", "aaaa", "bbbb", "aaaa", "aaaa", "aaaa", "ccccc"])
    kernel = EmbeddedKernel(database, clock, letters=lambda length: next(given))
    ids = [
        (await kernel.write(parse("create_issue", {"title": "x"}), actor="a", key=str(n))).data["id"]
        for n in range(3)
    ]
    assert ids == ["iv-aaaa", "iv-bbbb", "iv-ccccc"]

    async def taken(candidate: str) -> None:
        return None

    with pytest.raises(KernelUnavailable):
        await first_free((4, 4), lambda length: "x" * length, taken)
