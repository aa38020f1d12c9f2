"""The embedded kernel alone: durable writes a second, and reads beside much that is stored.

`python -m bench.kernel` takes these figures alone.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

from bench.figures import Figure, as_table, at_least, at_most
from demarch.calls import parse
from demarch.embedded import EmbeddedKernel
from host.logging import configure
from storage import sql
from storage.clock import SystemClock
from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.migrations import migrate
from tests.conftest import parts

WRITERS = 16
ROUNDS = 5
EACH = 100  #: writes of one writer in a round
ISSUES = 100_000
RUNS = 1_000
EVENTS = (10_000, 1_000_000)  #: how long the log is
BATCH = 100
READS = 300

_SQL = sql.load("bench", "kernel")


async def figures() -> list[Figure]:
    async with _database() as database:
        kernel = EmbeddedKernel(database, SystemClock())
        found = [await _alone(kernel), await _together(kernel)]
        found += await _reads(kernel, database)
        return found + await _feed(kernel, database)


@asynccontextmanager
async def _database() -> AsyncIterator[Database]:
    """A database of its own with the ordinary, durable settings and as many connections as the host has."""
    with tempfile.TemporaryDirectory(prefix="intercom-bench-") as folder:
        async with (
            EmbeddedServer.running(Path(folder), exclusive=False) as url,
            Database.open(url) as database,
        ):
            assert await database.fetchval("SHOW synchronous_commit") == "on"
            assert await database.fetchval("SHOW fsync") == "on"
            await migrate(database, parts())
            yield database


async def _write(kernel: EmbeddedKernel, name: str, **arguments: object) -> str:
    outcome = await kernel.write(parse(name, arguments), actor="cli:bench", key=uuid4().hex)
    return str(outcome.data["id"])


async def _alone(kernel: EmbeddedKernel) -> Figure:
    """One write at a time."""
    samples = [await _timed(_write(kernel, "create_issue", title="alone")) for _ in range(READS)]
    return Figure(name="kernel: one write alone", unit="ms", samples=samples)


async def _together(kernel: EmbeddedKernel) -> Figure:
    """Many writers at once, each with a run of its own; half of the writes tell an event."""

    async def write(run: str) -> None:
        for _ in range(EACH // 4):
            issue = await _write(kernel, "create_issue", title="Many at once", description="one of them")
            await _write(kernel, "pause_run", run_id=run, reason="to be told")
            await _write(kernel, "close_issue", id=issue, reason="done")
            await _write(kernel, "register_finding", title="Somebody else does that too")

    runs = [await _write(kernel, "start_run", title=f"run {number}") for number in range(WRITERS)]
    rates = []
    for _ in range(ROUNDS + 1):
        begun = time.perf_counter()
        async with asyncio.TaskGroup() as writers:
            for run in runs:
                writers.create_task(write(run))
        rates.append(WRITERS * EACH / (time.perf_counter() - begun))
    name = f"kernel: durable writes of {WRITERS} writers"
    return Figure(name=name, unit="a second", samples=rates[1:], goal=at_least(2000))


async def _reads(kernel: EmbeddedKernel, database: Database) -> list[Figure]:
    """What agents ask most, with a hundred thousand issues and a thousand runs."""
    for name, count in (
        ("issues", ISSUES), ("waiting", ISSUES), ("blockers", None), ("runs", RUNS), ("artifacts", RUNS * 5),
    ):  # fmt: skip
        await database.execute(_SQL[f"kernel.{name}"], *(() if count is None else (count,)))
    await database.execute("VACUUM ANALYZE")
    found = []
    for name, goal in (("run_status", 3), ("next_work", 10)):
        call = parse(name, {})
        for _ in range(20):
            await kernel.read(call)
        samples = [await _timed(kernel.read(call)) for _ in range(READS)]
        title = f"kernel: {name}, {ISSUES:,} issues"
        found.append(Figure(name=title, unit="ms", samples=samples, goal=at_most(goal)))
    return found


async def _feed(kernel: EmbeddedKernel, database: Database) -> list[Figure]:
    """What reading one event at the end of the log costs: in the long one no more than half as much again."""
    found: list[Figure] = []
    for size in EVENTS:
        missing = size - await database.fetchval(_SQL["kernel.logged"])
        await database.execute(_SQL["kernel.more_events"], missing)
        await database.execute("VACUUM ANALYZE kernel.events")
        marks = dict(await kernel.head())
        marks["phase"] -= BATCH
        for _ in range(20):
            assert len(await kernel.events(marks, BATCH)) == BATCH
        samples = [await _timed(kernel.events(marks, BATCH)) * 1000 / BATCH for _ in range(READS)]
        goal = at_most(round(found[0].p50 * 1.5, 1)) if found else None
        name = f"kernel: reading an event behind {size:,}"
        found.append(Figure(name=name, unit="µs", samples=samples, goal=goal))
    return found


async def _timed(work: Awaitable[object]) -> float:
    begun = time.perf_counter()
    await work
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    with Path(os.devnull).open("w") as nowhere:
        configure(stream=nowhere)
        sys.stdout.write(as_table(asyncio.run(figures())) + "\n")
