"""Every write, broken off in the ways a command can end: done once or not at all, and it is known which."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import pytest
from _pytest.mark import ParameterSet

from demarch.calls import parse
from demarch.cli.process import Runner
from demarch.cli.writes import Writes
from demarch.errors import EvidenceUnknown, KernelUnavailable
from demarch.kernel import Outcome
from storage.clock import SystemClock
from storage.database import Database
from tests.demarch.cli.scenes import SCENES, Arguments, Hasty, Scene
from tests.servers.kernels import faults
from tests.servers.kernels.project import Project

KEY = "0193a7b2-5f00-7000-8000-000000000001/1"
NOTHING_DONE = (faults.DIE, faults.REFUSE, faults.GARBAGE)
DONE = (faults.DIE_AFTER, faults.GARBAGE_AFTER, faults.SILENT)


def _ways(kinds: Sequence[str], *left_out: str, every: int = 1) -> list[ParameterSet]:
    """All ways of ending for all writes; a short run takes one for every write (or every second one, …), and
    all among them."""
    return [
        pytest.param(
            scene,
            kind,
            marks=[pytest.mark.full] if place % every or (place // every + number) % len(kinds) else [],
        )
        for place, scene in enumerate(SCENES)
        for number, kind in enumerate(kinds)
        if scene.command not in left_out
    ]


every_write = pytest.mark.parametrize("scene", SCENES, ids=str)


@pytest.fixture
def hasty(agency: Project) -> Hasty:
    return Hasty(agency)


def _writes(runner: Runner, database: Database) -> Writes:
    """As after a start of the program: it knows nothing but the journal."""
    return Writes(runner, database, SystemClock(), str(runner.folder))


async def _write(writes: Writes, scene: Scene, arguments: Arguments) -> Outcome:
    return await writes.write(parse(scene.operation, arguments), actor="tg:1", key=KEY)


async def _until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Other processes give no sign; they are looked at."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@every_write
async def test_a_write_that_is_done_is_done_once_for_its_key(
    scene: Scene, agency: Project, hasty: Hasty, database: Database
) -> None:
    arguments = await scene.prepare(agency)
    outcome = await _write(_writes(hasty, database), scene, arguments)
    assert await scene.done(agency, arguments) == 1
    after = _writes(hasty, database)
    assert await after.written(KEY) == outcome
    assert await _write(after, scene, arguments) == outcome
    assert await scene.done(agency, arguments) == 1


@pytest.mark.parametrize(("scene", "fault"), _ways(NOTHING_DONE, "ic discovery promote"), ids=str)
async def test_a_command_that_ends_badly_before_its_deed_leaves_the_key_free(
    scene: Scene, fault: str, agency: Project, hasty: Hasty, database: Database
) -> None:
    arguments = await scene.prepare(agency)
    agency.plant(scene.command, fault, code=2, err="something broke")
    writes = _writes(hasty, database)
    with pytest.raises(KernelUnavailable) as refused:
        await _write(writes, scene, arguments)
    assert not isinstance(refused.value, EvidenceUnknown)
    assert await scene.done(agency, arguments) == 0
    assert await writes.written(KEY) is None
    assert await scene.done(agency, arguments) == 0
    await _write(writes, scene, arguments)
    assert await scene.done(agency, arguments) == 1


@pytest.mark.parametrize(("scene", "fault"), _ways(DONE), ids=str)
async def test_a_command_that_ends_badly_after_its_deed_is_found_to_have_done_it(
    scene: Scene, fault: str, agency: Project, hasty: Hasty, database: Database
) -> None:
    arguments = await scene.prepare(agency)
    agency.plant(scene.command, fault)
    outcome = await _write(_writes(hasty, database), scene, arguments)
    assert await scene.done(agency, arguments) == 1
    assert await _writes(hasty, database).written(KEY) == outcome


@pytest.mark.full
@every_write
async def test_a_command_killed_for_its_slowness_after_its_deed_is_found_to_have_done_it(
    scene: Scene, agency: Project, hasty: Hasty, database: Database
) -> None:
    arguments = await scene.prepare(agency)
    agency.plant(scene.command, faults.HANG_AFTER)
    hasty.hurried = scene.words
    outcome = await _write(_writes(hasty, database), scene, arguments)
    assert await scene.done(agency, arguments) == 1
    assert await _writes(hasty, database).written(KEY) == outcome


@pytest.mark.parametrize(("scene", "fault"), _ways((faults.HANG, faults.HANG_AFTER), every=2), ids=str)
async def test_a_program_that_dies_while_its_command_runs_finds_out_after_its_next_start(
    scene: Scene, fault: str, agency: Project, hasty: Hasty, database: Database
) -> None:
    arguments = await scene.prepare(agency)
    agency.plant(scene.command, fault)
    already = len(agency.calls(scene.command))

    async def reached() -> bool:
        if fault == faults.HANG:
            return len(agency.calls(scene.command)) > already
        if scene.command == "bd create" and scene.operation == "promote_discovery":
            return bool((await agency.bd("list")).json)
        return await scene.done(agency, arguments) == 1

    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(_write(_writes(hasty, database), scene, arguments))
        await _until(reached)
        writing.cancel()
    agency.heal()  # it may have died before it took its fault
    known = await _writes(hasty, database).written(KEY)
    assert (known is not None) is (await scene.done(agency, arguments) == 1)
    expected = fault == faults.HANG_AFTER or scene.command == "ic discovery promote"
    assert (known is not None) is expected
    again = await _write(_writes(hasty, database), scene, arguments)
    assert known in (None, again)
    assert await scene.done(agency, arguments) == 1


@pytest.mark.parametrize("scene", [SCENES[0], SCENES[1], SCENES[4], SCENES[-2]], ids=str)
async def test_the_journal_out_of_reach_after_the_deed_is_no_second_deed(
    scene: Scene, agency: Project, hasty: Hasty, database: Database, database_url: str
) -> None:
    arguments = await scene.prepare(agency)
    agency.plant(scene.command, faults.SLOW, seconds=0.5)
    already = len(agency.calls(scene.command))

    async def begun() -> bool:
        return len(agency.calls(scene.command)) > already

    async def refused(lost: Database) -> None:
        with pytest.raises(KernelUnavailable, match="journal"):
            await _write(_writes(hasty, lost), scene, arguments)

    async with contextlib.AsyncExitStack() as stack:
        lost = await stack.enter_async_context(Database.open(database_url, size=1))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(refused(lost))
            await _until(begun)
            await stack.aclose()
    outcome = await _writes(hasty, database).written(KEY)
    assert outcome is not None
    assert await _write(_writes(hasty, database), scene, arguments) == outcome
    assert await scene.done(agency, arguments) == 1


@pytest.mark.parametrize("fault", NOTHING_DONE)
async def test_an_issue_filed_for_a_discovery_is_attached_by_whoever_looks_next(
    fault: str, agency: Project, hasty: Hasty, database: Database
) -> None:
    scene = next(scene for scene in SCENES if scene.command == "ic discovery promote")
    arguments = await scene.prepare(agency)
    agency.plant(scene.command, fault, code=2, times=2)
    with pytest.raises(KernelUnavailable):
        await _write(_writes(hasty, database), scene, arguments)
    assert len((await agency.bd("list")).json) == 1
    assert await scene.done(agency, arguments) == 0
    outcome = await _writes(hasty, database).written(KEY)
    assert outcome is not None
    assert await scene.done(agency, arguments) == 1
