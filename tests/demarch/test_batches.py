"""Writes that come together share a commit, and nothing else: not their refusals, not their ends."""

import asyncio
import os
import signal
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from demarch.calls import parse
from demarch.embedded import EmbeddedKernel
from demarch.embedded.batches import LANES
from demarch.embedded.ledger import Change, Ledger
from demarch.errors import Conflict, KernelUnavailable
from demarch.kernel import Outcome
from demarch.names import random_letters
from storage.clock import SystemClock
from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.migrations import migrate
from storage.postmaster import Postmaster
from tests.conftest import parts
from tests.demarch.driving import DONE, Driver

MANY = 24


@pytest.fixture
def ledger(database: Database) -> Ledger:
    return Ledger(database, SystemClock(), random_letters, patience=20.0)


class Held:
    """Work of as many writes as there are lanes, so that what comes meanwhile forms a batch."""

    def __init__(self) -> None:
        self.begun = 0
        self.all_begun = asyncio.Event()
        self.end = asyncio.Event()

    async def work(self, change: Change) -> Outcome:
        self.begun += 1
        if self.begun == LANES:
            self.all_begun.set()
        await self.end.wait()
        return DONE


async def held(ledger: Ledger, tasks: asyncio.TaskGroup) -> tuple[Held, list[asyncio.Task[Outcome]]]:
    holding = Held()
    lanes = [
        tasks.create_task(ledger.execute(holding.work, actor="ana", key=f"lane {number}"))
        for number in range(LANES)
    ]
    await holding.all_begun.wait()
    return holding, lanes


async def until_waiting(ledger: Ledger, count: int) -> None:
    while ledger.batches.waiting < count:  # noqa: ASYNC110 - the tasks of this very loop
        await asyncio.sleep(0)


async def fine(change: Change) -> Outcome:
    change.tell("set", change.key)
    return DONE


async def refused(change: Change) -> Outcome:
    change.tell("set", change.key)
    await change.conn.execute(
        "INSERT INTO kernel.state (key, scope, payload, updated_at) VALUES ('x', $1, '1', now())", change.key
    )
    raise Conflict("No.", now="x")


async def broken(change: Change) -> Outcome:
    await change.conn.execute("SELECT 1 / 0")
    return DONE


async def keys(database: Database) -> set[str]:
    rows = await database.fetch("SELECT key FROM kernel.writes WHERE key NOT LIKE 'lane %'")
    return {row["key"] for row in rows}


async def told(database: Database) -> list[str]:
    """Whose events there are, in order; their ids have no gaps."""
    rows = await database.fetch("SELECT id, run_id FROM kernel.events ORDER BY seq")
    assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))
    return [row["run_id"] for row in rows]


async def test_writes_that_come_while_others_commit_share_one_commit(
    ledger: Ledger, database: Database
) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        holding, _ = await held(ledger, tasks)
        for number in range(MANY):
            tasks.create_task(ledger.execute(fine, actor="ana", key=f"{number:02}"))
        await until_waiting(ledger, MANY)
        holding.end.set()
    assert sorted(await told(database)) == [f"{number:02}" for number in range(MANY)]
    commits = await database.fetchval(
        "SELECT count(DISTINCT xmin::text) FROM kernel.writes WHERE key NOT LIKE 'lane %'"
    )
    assert commits <= LANES


@pytest.mark.parametrize(("work", "error"), [(refused, Conflict), (broken, asyncpg.DivisionByZeroError)])
async def test_one_that_fails_fails_alone(
    ledger: Ledger, database: Database, work: object, error: type[Exception]
) -> None:
    """Twice: the first time no write has a savepoint of its own yet."""
    for turn in ("first", "again"):
        failed: list[str] = []

        async def fail(key: str, failed: list[str] = failed) -> None:
            with pytest.raises(error):
                await ledger.execute(work, actor="ana", key=key)  # type: ignore[arg-type]
            failed.append(key)

        async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
            await database.execute("DELETE FROM kernel.writes WHERE key LIKE 'lane %'")
            holding, _ = await held(ledger, tasks)
            for number in range(MANY):
                key = f"{turn} {number:02}"
                tasks.create_task(
                    fail(key) if number % 3 == 0 else ledger.execute(fine, actor="ana", key=key)
                )
            await until_waiting(ledger, MANY)
            holding.end.set()
        good = [f"{turn} {number:02}" for number in range(MANY) if number % 3]
        assert len(failed) == MANY / 3
        assert sorted(key for key in await told(database) if key.startswith(turn)) == good
        assert {key for key in await keys(database) if key.startswith(turn)} == set(good)
    assert await database.fetchval("SELECT count(*) FROM kernel.state") == 0


async def test_a_refused_key_can_be_used_again(ledger: Ledger, database: Database) -> None:
    async def twice(key: str) -> None:
        with pytest.raises(Conflict):
            await ledger.execute(refused, actor="ana", key=key)
        assert await ledger.written(key) is None
        assert await ledger.execute(fine, actor="ana", key=key) == DONE

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        for number in range(MANY):
            tasks.create_task(twice(f"{number:02}"))
    assert sorted(await told(database)) == [f"{number:02}" for number in range(MANY)]


async def test_one_key_in_one_batch_is_executed_once(ledger: Ledger, database: Database) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        holding, _ = await held(ledger, tasks)
        same = [tasks.create_task(ledger.execute(fine, actor="ana", key="same")) for _ in range(6)]
        other = tasks.create_task(ledger.execute(fine, actor="ana", key="other"))
        await until_waiting(ledger, 7)
        holding.end.set()
    assert {task.result().text for task in [*same, other]} == {"done"}
    assert sorted(await told(database)) == ["other", "same"]


async def test_whoever_is_cancelled_before_its_turn_has_done_nothing(
    ledger: Ledger, database: Database
) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        holding, _ = await held(ledger, tasks)
        writes = [
            tasks.create_task(ledger.execute(fine, actor="ana", key=f"{number:02}")) for number in range(MANY)
        ]
        await until_waiting(ledger, MANY)
        for task in writes[::2]:
            task.cancel()
        holding.end.set()
    assert sorted(await told(database)) == [f"{number:02}" for number in range(MANY) if number % 2]
    assert await keys(database) == {f"{number:02}" for number in range(MANY) if number % 2}


async def test_a_leader_that_is_cancelled_takes_nobody_with_it(ledger: Ledger, database: Database) -> None:
    """It may hang in work of its own or of another; either way only its own write is not done."""
    leading: asyncio.Future[asyncio.Task[object] | None] = asyncio.get_running_loop().create_future()

    async def hang(change: Change) -> Outcome:
        if not leading.done():
            leading.set_result(asyncio.current_task())
            await asyncio.Future()
        return await fine(change)

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        holding, _ = await held(ledger, tasks)
        writes = {
            tasks.create_task(ledger.execute(hang, actor="ana", key=f"{number:02}")): f"{number:02}"
            for number in range(MANY)
        }
        await until_waiting(ledger, MANY)
        holding.end.set()
        leader = await leading
        assert leader is not None
        leader.cancel()
    rest = sorted(key for task, key in writes.items() if task is not leader)
    assert len(rest) == MANY - 1
    assert sorted(await told(database)) == rest
    assert await ledger.execute(fine, actor="ana", key="after") == DONE


@pytest.mark.parametrize("count", [1, LANES + 1])
async def test_a_lock_that_does_not_come_holds_only_those_who_need_it(database_url: str, count: int) -> None:
    """Neither those in the same batch nor, where one waits in every lane, those behind."""

    async def locked(change: Change) -> Outcome:
        await change.conn.execute("SELECT FROM kernel.counters WHERE source = 'review' FOR UPDATE")
        return await fine(change)

    async with asyncio.timeout(20), Database.open(database_url, size=10) as database:
        ledger = Ledger(database, SystemClock(), random_letters, patience=20.0)
        async with asyncio.TaskGroup() as tasks, database.transaction() as conn:
            await conn.execute("SELECT FROM kernel.counters WHERE source = 'review' FOR UPDATE")
            stuck = [
                tasks.create_task(ledger.execute(locked, actor="ana", key=f"stuck {number}"))
                for number in range(count)
            ]
            others = [
                tasks.create_task(ledger.execute(fine, actor="ana", key=f"{number:02}"))
                for number in range(MANY)
            ]
            await asyncio.wait(others)
            assert not any(task.done() for task in stuck)
        assert [task.result() for task in stuck] == [DONE] * count
        assert len(await told(database)) == MANY + count


async def test_a_connection_that_is_lost_loses_no_write_and_doubles_none(
    ledger: Ledger, database: Database, database_url: str
) -> None:
    killed = False

    async def kills(change: Change) -> Outcome:
        nonlocal killed
        if not killed:
            killed = True
            pid = await change.conn.fetchval("SELECT pg_backend_pid()")
            async with Database.open(database_url, size=1) as other:
                await other.execute("SELECT pg_terminate_backend($1)", pid)
        return await fine(change)

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        holding, _ = await held(ledger, tasks)
        for number in range(MANY):
            work = kills if number == 5 else fine
            tasks.create_task(ledger.execute(work, actor="ana", key=f"{number:02}"))
        await until_waiting(ledger, MANY)
        holding.end.set()
    assert sorted(await told(database)) == [f"{number:02}" for number in range(MANY)]


async def test_many_writers_of_the_same_things_do_not_stop_each_other(
    kernel: EmbeddedKernel, ana: Driver
) -> None:
    """Two batches that need the same rows in other orders must both get through."""
    runs = [await ana.run(f"run {number}") for number in range(4)]

    async def write(number: int) -> None:
        for turn in range(10):
            name = ("pause_run", "resume_run")[turn % 2]
            await ana.write(name, run_id=runs[(number * 7 + turn) % len(runs)])

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for number in range(16):
            tasks.create_task(write(number))
    assert await ana.types() == ["set"] * 160


async def test_what_was_acknowledged_outlives_a_crash_and_what_was_not_can_be_tried_again() -> None:
    """The database dies in the middle of many writes; it has its ordinary, durable settings."""
    acknowledged: set[str] = set()
    some = asyncio.Event()

    async def write(kernel: EmbeddedKernel, number: int) -> None:
        with pytest.raises(KernelUnavailable):  # noqa: PT012 - one of the turns
            for turn in range(10_000):
                key = f"{number} {turn}"
                await kernel.write(parse("register_finding", {"title": key}), actor="ana", key=key)
                acknowledged.add(key)
                if len(acknowledged) >= 100:
                    some.set()

    async with asyncio.timeout(60), AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="intercom-")))
        url = await stack.enter_async_context(EmbeddedServer.running(home, exclusive=True))
        database = await stack.enter_async_context(Database.open(url))
        await migrate(database, parts())
        kernel = EmbeddedKernel(database, SystemClock())
        async with asyncio.TaskGroup() as writers:
            for number in range(16):
                writers.create_task(write(kernel, number))
            await some.wait()
            server = Postmaster.read(home / "postgres")
            assert server is not None
            os.kill(server.pid, signal.SIGQUIT)
        while not (await kernel.state()).ok:  # noqa: ASYNC110 - another process's
            await asyncio.sleep(0.1)
        stored = await keys(database)
        assert acknowledged <= stored
        for number in range(16):
            key = f"{number} {sum(done.startswith(f'{number} ') for done in acknowledged)}"
            assert (await kernel.written(key) is not None) == (key in stored)
            await kernel.write(parse("register_finding", {"title": key}), actor="ana", key=key)
        assert await findings(database) == sorted(await keys(database))


async def findings(database: Database) -> list[str]:
    """The findings there are; each was told once, under ids without gaps."""
    rows = await database.fetch("SELECT id, reason FROM kernel.events ORDER BY id")
    assert [row["id"] for row in rows] == list(range(1, len(rows) + 1))
    titles = sorted(row["title"] for row in await database.fetch("SELECT title FROM kernel.discoveries"))
    assert sorted(row["reason"] for row in rows) == titles
    return titles
