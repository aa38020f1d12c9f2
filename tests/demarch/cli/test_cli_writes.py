"""Writes in order within a project and side by side among projects; what outlives a crash."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from demarch.calls import parse
from demarch.cli.journal import Attempt, Journal
from demarch.cli.marks import marked
from demarch.cli.orphans import at_work
from demarch.cli.writes import PATIENCE, Writes
from demarch.errors import (
    EvidenceUnknown,
    InvalidCall,
    KernelUnavailable,
    NotPossible,
)
from demarch.kernel import Outcome
from storage.database import Database
from tests.clock import HandClock
from tests.demarch.cli.hands import ANA, Hand
from tests.servers.kernels import faults
from tests.servers.kernels.project import ROOT, Project


async def test_writes_of_one_project_run_in_order_and_those_of_another_beside_them(
    agency: Project, ana: Hand, database: Database, tmp_path: Path
) -> None:
    other = Project.create(tmp_path, name="other", tools=agency.bin)
    ben = Hand(other, database)
    agency.plant("ic run create", faults.SLOW, seconds=0.6, times=4)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for hand in (ana, ana, ben, ben):
            tasks.create_task(hand("start_run", title="together"))
    spans = {
        folder: [
            (call.began, call.ended) for call in agency.calls("run create") if call.folder == str(folder)
        ]
        for folder in (agency.folder, other.folder)
    }
    for first, second in spans.values():
        assert first[1] is not None
        assert first[1] < second[0]
    mine, theirs = spans[agency.folder][0], spans[other.folder][0]
    assert mine[0] < (theirs[1] or 0)
    assert theirs[0] < (mine[1] or 0)


async def test_the_same_key_in_another_project_is_another_write(
    agency: Project, ana: Hand, database: Database, tmp_path: Path
) -> None:
    ben = Hand(Project.create(tmp_path, name="other", tools=agency.bin), database)
    mine, theirs = await ana("start_run", title="here"), await ben("start_run", title="there")
    assert ana.key == ben.key
    assert mine.data["id"] != theirs.data["id"]
    assert await ben.writes.written(ben.key) == theirs


_PROGRAM = """
import asyncio, sys
from pathlib import Path
from demarch.calls import parse
from demarch.cli.journal import Attempt, Journal
from demarch.cli.orphans import at_work
from demarch.cli.writes import PATIENCE, Writes
from demarch.cli.process import Runner
from demarch.cli.surroundings import surroundings
from demarch.cli.writes import Writes
from storage.clock import SystemClock
from demarch.kernel import Outcome
from storage.database import Database
from tests.clock import HandClock

async def main(url, folder, path, home):
    async with Database.open(url, size=2) as database:
        runner = Runner(Path(folder), surroundings({"PATH": path}, Path(home)))
        writes = Writes(runner, database, SystemClock(), folder)
        await writes.write(parse("start_run", {"title": "survive"}), actor="tg:1", key="0193-1/1")

asyncio.run(main(*sys.argv[1:]))
"""


async def test_a_command_that_outlives_its_killed_program_is_waited_for(
    agency: Project, ana: Hand, database_url: str
) -> None:
    agency.plant("ic run create", faults.SLOW, seconds=2)
    program = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _PROGRAM, database_url, str(agency.folder), agency.environment["PATH"],
        str(agency.home), cwd=ROOT, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while not agency.calls("run create"):  # noqa: ASYNC110 - other processes give no sign
                await asyncio.sleep(0.02)
    finally:
        os.kill(program.pid, signal.SIGKILL)
        await program.wait()
    assert agency.sql("SELECT count(*) FROM runs")[0][0] == 0
    outcome = await ana.writes.written("0193-1/1")
    assert outcome is not None
    assert outcome.text.startswith("“survive” has started.")
    assert agency.sql("SELECT count(*) FROM runs")[0][0] == 1


async def test_a_key_that_is_none_and_a_read_are_refused(ana: Hand) -> None:
    for key in ("", "x" * 201):
        with pytest.raises(InvalidCall):
            await ana.writes.write(parse("create_issue", {"title": "x"}), actor=ANA, key=key)
    with pytest.raises(NotPossible):
        await ana.writes.write(parse("next_work", {}), actor=ANA, key="k")
    assert await ana.writes.written("never") is None


async def test_a_database_that_somebody_else_holds_is_a_refusal_that_did_nothing(
    agency: Project, ana: Hand
) -> None:
    async with agency.locked():
        with pytest.raises(KernelUnavailable):
            await ana("start_run", title="later")
    assert await ana.writes.written(ana.key) is None
    assert (await ana("start_run", title="later")).data["status"] == "active"


async def test_binaries_that_are_gone_did_nothing(agency: Project, ana: Hand) -> None:
    run = await agency.run()
    agency.remove("ic")
    with pytest.raises(KernelUnavailable, match="not installed"):
        await ana("cancel_run", run_id=run)
    agency.bring_back("ic")
    assert await ana.writes.written(ana.key) is None
    assert (await ana("cancel_run", run_id=run)).data["status"] == "cancelled"


async def test_a_command_left_behind_that_never_ends_leaves_it_unknown(
    agency: Project, ana: Hand, database: Database, clock: HandClock
) -> None:
    run = await agency.run()
    begun = Attempt(
        key="0193-9/1",
        operation="cancel_run",
        about=run,
        params={"run_id": run},
        actor=ANA,
        seen={"id": run, "phase": "brainstorm", "mark": 0},
        begun_at=clock.now(),
    )
    await Journal(database, clock, str(agency.folder)).begin(begun)
    writes = Writes(ana.runner, database, clock, str(agency.folder))
    agency.plant("ic run status", faults.HANG)
    agency.plant("ic run cancel", faults.HANG)
    async with asyncio.TaskGroup() as tasks:
        looking = tasks.create_task(agency.ic("run", "status", run, code=None))
        await _until_called(agency, "run status", 1)
        assert not await at_work(agency.folder, run)  # who only looks does nothing
        orphan = tasks.create_task(agency.ic("run", "cancel", run, code=None))
        await _until_called(agency, "run cancel", 1)
        assert await at_work(agency.folder, run)
        assert not await at_work(agency.folder, "another", "")
        asking = tasks.create_task(_unknown(writes, "0193-9/1"))
        await clock.until_sleeping(within=20)
        await clock.advance(PATIENCE.total_seconds())
        await asking
        looking.cancel()
        orphan.cancel()
    agency.heal()
    assert await writes.written("0193-9/1") is None  # it was killed in the end: nothing was done


async def test_a_command_left_behind_that_did_its_work_and_never_ends_is_believed(
    agency: Project, ana: Hand, database: Database, clock: HandClock
) -> None:
    run = await agency.run()
    begun = Attempt(
        key="0193-9/2",
        operation="approve_gate",
        about=run,
        params={"run_id": run, "from_phase": "brainstorm", "cause": "block"},
        actor=ANA,
        seen={
            "id": run, "phase": "brainstorm", "to": "brainstorm-reviewed", "last": "done", "mark": 0,
            "waiting": "block",
        },
        begun_at=clock.now(),
    )  # fmt: skip
    await Journal(database, clock, str(agency.folder)).begin(begun)
    writes = Writes(ana.runner, database, clock, str(agency.folder))
    agency.plant("ic gate override", faults.HANG_AFTER)
    words = ("gate", "override", run, "--justified", f"--reason={marked('looked', '0193-9/2')}")
    async with asyncio.TaskGroup() as tasks:
        orphan = tasks.create_task(agency.ic(*words, code=None))
        await _until_called(agency, "gate override", 1)
        asking = tasks.create_task(writes.written("0193-9/2"))
        async with asyncio.timeout(20):
            while not agency.sql("SELECT 1 FROM phase_events WHERE event_type = 'override'"):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await clock.until_sleeping(within=20)
        await clock.advance(PATIENCE.total_seconds())
        outcome = await asking
        orphan.cancel()
    agency.heal()
    assert outcome is not None
    assert outcome.data["to_phase"] == "brainstorm-reviewed"
    assert await writes.written("0193-9/2") == outcome
    assert agency.sql("SELECT count(*) FROM phase_events WHERE event_type = 'override'")[0][0] == 1


async def _unknown(writes: Writes, key: str) -> None:
    with pytest.raises(EvidenceUnknown, match="still runs"):
        await writes.written(key)


async def _until_called(agency: Project, words: str, times: int) -> None:
    async with asyncio.timeout(20):
        while len(agency.calls(words)) < times:  # noqa: ASYNC110 - other processes give no sign
            await asyncio.sleep(0.01)


async def test_a_write_of_another_version_is_for_a_person_to_look_at(
    agency: Project, ana: Hand, database: Database, clock: HandClock
) -> None:
    begun = Attempt(
        key="0193-9/1", operation="start_run", about="", params={"gone": True}, actor=ANA, seen={},
        begun_at=clock.now(),
    )  # fmt: skip
    await Journal(database, clock, str(agency.folder)).begin(begun)
    with pytest.raises(EvidenceUnknown, match="Another version"):
        await ana.writes.written("0193-9/1")


async def test_a_write_that_another_process_has_begun_is_not_begun_again(
    agency: Project, database: Database, clock: HandClock
) -> None:
    begun = Attempt(
        key="k",
        operation="start_run",
        about="",
        params={"title": "x"},
        actor=ANA,
        seen={},
        begun_at=clock.now(),
    )
    journal = Journal(database, clock, str(agency.folder))
    await journal.begin(begun)
    with pytest.raises(KernelUnavailable, match="elsewhere"):
        await journal.begin(begun)
    await journal.finish("k", Outcome(text="done", data={}))
    await journal.drop("k")  # what was done stays on record
    kept = await journal.find("k")
    assert kept is not None
    assert kept.outcome == Outcome(text="done", data={})
