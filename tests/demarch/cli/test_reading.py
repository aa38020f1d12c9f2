"""The reads over executables that behave as the real ones: a project's life seen through them, and faults."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from demarch.cli.failures import BrokeOff, Garbled, NotStarted
from demarch.cli.kernel import CliKernel
from demarch.errors import KernelUnavailable, NotFound, NotPossible
from storage.database import Database
from tests.clock import HandClock
from tests.demarch.cli.asking import ask
from tests.servers.kernels.project import Project

_READS: tuple[tuple[str, dict[str, str], str], ...] = (
    ("run_status", {}, "ic run status"),
    ("run_status", {}, "ic run budget"),
    ("sprint_phase", {}, "ic gate check"),
    ("spec_lookup", {}, "ic run artifact list"),
    ("run_events", {}, "ic events tail"),
    ("research", {"query": "x"}, "ic discovery list"),
    ("search_beads", {}, "bd list"),
    ("search_beads", {"query": "x"}, "bd search"),
    ("next_work", {}, "bd ready"),
)


@pytest.fixture
def agency(tmp_path: Path, clock: HandClock) -> Project:
    project = Project.create(tmp_path, name="shop")
    project.set_time(clock.now() - timedelta(hours=1))
    return project


@pytest.fixture
def reader(agency: Project, database: Database, clock: HandClock) -> CliKernel:
    return CliKernel(agency.folder, database, clock, home=agency.home, environment=agency.environment)


@pytest.fixture
def hasty(agency: Project, database: Database, clock: HandClock) -> CliKernel:
    """Gives every command a second at most."""
    return CliKernel(
        agency.folder, database, clock, home=agency.home, environment=agency.environment, patience=0.1
    )


async def test_everything_is_offered(agency: Project, reader: CliKernel) -> None:
    state = await reader.state()
    assert (state.ok, state.reason) == (True, "")
    assert not reader.capabilities().absent


async def test_a_run_is_followed_from_its_gate_to_its_end(agency: Project, reader: CliKernel) -> None:
    assert (await ask(reader, "run_status")).text == "No run is active."
    run_id = await agency.run("refactor auth", phases='["planned","executing","done"]', token_budget=1000)
    assert (await agency.advance(run_id)).code == 1
    outcome = await ask(reader, "run_status")
    assert outcome.text.splitlines() == [
        "refactor auth",
        "○○○ planned (1 of 3), 1 h ago",
        "Budget ░░░░░░░░░░ 0 % of 1 k tokens",
        "Waits at a closed gate for a person: planned → executing (no artifact for planned)",
        f"run {run_id}",
    ]
    await agency.artifact(run_id, "planned")
    await agency.spend(run_id, 850)
    assert (await agency.advance(run_id)).code == 0
    phase = await ask(reader, "sprint_phase")
    assert (
        phase.text == "“refactor auth” is in executing ●○○ (2 of 3). Next is done. Nothing stands in its way."
    )
    found = await reader.run(run_id)
    assert (found.phase, found.used, found.budget, found.phases) == (
        "executing", 850, 1000, ("planned", "executing", "done"),
    )  # fmt: skip
    assert (await ask(reader, "run_status")).data["budget"]["warning"] is True
    told = (await ask(reader, "run_events", run_id=run_id)).data["events"]
    assert [event["type"] for event in told if event["type"] in {"block", "advance"}] == ["block", "advance"]
    assert told == [
        event for event in (await ask(reader, "run_events")).data["events"] if event["run_id"] == run_id
    ]


async def test_several_active_runs_are_told_apart(
    agency: Project, reader: CliKernel, clock: HandClock
) -> None:
    first = await agency.run("the first")
    agency.set_time(clock.now() - timedelta(minutes=5))
    second = await agency.run("the second")
    outcome = await ask(reader, "run_status")
    assert outcome.data["id"] == second
    assert "Also active: the first (brainstorm)" in outcome.text
    assert [each.id for each in await reader.runs()] == [second, first]
    await agency.ic("run", "cancel", second)
    assert (await ask(reader, "run_status")).data["id"] == first
    assert [each.id for each in await reader.runs()] == [first]
    assert {each.status for each in await reader.runs(active=False)} == {"active", "cancelled"}


async def test_issues_are_found_by_word_status_and_id(
    agency: Project, reader: CliKernel, clock: HandClock
) -> None:
    login = await agency.issue("Fix login", priority=1)
    pool = await agency.issue("Build the pool", priority=1)
    await agency.bd("dep", "add", login, pool)
    assert (await ask(reader, "search_beads", query="login")).data["issues"][0]["id"] == login
    shown = await ask(reader, "search_beads", id=login)
    assert f"Waits for Build the pool (open) · {pool}" in shown.text
    work = (await ask(reader, "next_work")).data["issues"]
    assert [each["id"] for each in work] == [pool]
    assert "1 waits for it" in work[0]["reason"]
    await agency.bd("close", pool, "--reason=done")
    assert [each["id"] for each in (await ask(reader, "next_work")).data["issues"]] == [login]
    assert (await ask(reader, "search_beads", status="closed")).data["issues"][0]["id"] == pool
    with pytest.raises(NotFound):
        await ask(reader, "search_beads", id="iv-nope")


async def test_an_artifact_is_read_from_the_project(agency: Project, reader: CliKernel) -> None:
    run_id = await agency.run()
    (agency.folder / "docs").mkdir()
    (agency.folder / "docs" / "plan.md").write_text("the plan")
    artifact_id = await agency.artifact(run_id, "brainstorm")
    hostile = await agency.artifact(run_id, "brainstorm", "../../../../etc/passwd")
    assert (await ask(reader, "spec_lookup", artifact_id=artifact_id)).data["content"] == "the plan"
    with pytest.raises(NotPossible, match="not read"):
        await ask(reader, "spec_lookup", artifact_id=hostile)


async def test_discoveries_are_searched_and_proposed_ones_listed(agency: Project, reader: CliKernel) -> None:
    first = await agency.find("Postgres leaks connections", score=0.9)
    await agency.find("Something else", score=0.4)
    found = (await ask(reader, "research", query="postgres leak")).data["discoveries"]
    assert [each["id"] for each in found] == [first]
    agency.propose(first)
    assert [each.id for each in await reader.discoveries(status="proposed", limit=5)] == [first]
    assert (await reader.discovery(first)).title == "Postgres leaks connections"


async def test_the_newest_events_are_found_at_the_end_of_a_long_log(
    agency: Project, reader: CliKernel, clock: HandClock
) -> None:
    run_id = await agency.run()
    start = int(datetime(2025, 1, 1, tzinfo=UTC).timestamp())
    agency.sql(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)"
        " INSERT INTO phase_events (run_id, from_phase, to_phase, event_type, created_at)"
        " SELECT ?, 'a', 'p' || i, 'advance', ? + i FROM n",
        run_id,
        start,
    )
    told = (await ask(reader, "run_events", limit=3)).data["events"]
    assert [event["to_state"] for event in told] == ["p19998", "p19999", "p20000"]
    assert len(agency.calls("ic events tail")) < 60


async def test_the_envelope_of_bd_changes_nothing(
    agency: Project, database: Database, clock: HandClock
) -> None:
    login = await agency.issue("Fix login")
    given = agency.environment | {"BD_JSON_ENVELOPE": "1"}
    reader = CliKernel(agency.folder, database, clock, home=agency.home, environment=given)
    for name, arguments in (
        ("next_work", {}),
        ("search_beads", {"id": login}),
        ("search_beads", {"query": "fix"}),
    ):
        assert (await ask(reader, name, **arguments)).data["issues"][0]["id"] == login


@pytest.mark.parametrize(
    ("fault", "failure", "name", "arguments", "command"),
    [
        *(("garbage", Garbled, *read) for read in _READS),
        *(("die", BrokeOff, *read) for read in _READS[:5:2]),
        *(("flood", BrokeOff, *read) for read in _READS[5:]),
        *(("hang", BrokeOff, *read) for read in _READS[::4]),
    ],
)
async def test_a_fault_of_a_binary_is_a_clear_answer_and_the_next_read_works(
    agency: Project, hasty: CliKernel, name: str, arguments: dict[str, str], command: str, fault: str,
    failure: type[KernelUnavailable],
) -> None:  # fmt: skip
    await agency.run(token_budget=1000)
    agency.plant(command, fault, times=9)  # the log is asked for again in smaller pages
    with pytest.raises(failure) as refused:
        await ask(hasty, name, **arguments)
    assert 10 < len(str(refused.value)) < 300
    agency.heal()
    assert (await ask(hasty, name, **arguments)).text


async def test_without_its_binary_or_folder_a_read_says_what_is_missing(
    agency: Project, reader: CliKernel
) -> None:
    await agency.run()
    for program in ("ic", "bd"):
        agency.remove(program)
    for name, arguments, command in _READS:
        with pytest.raises(NotStarted, match=f"The program {command[:2]} is not installed"):
            await ask(reader, name, **arguments)
    for program in ("ic", "bd"):
        agency.bring_back(program)
    assert (await ask(reader, "run_status")).data["found"] is True
    await asyncio.to_thread(shutil.rmtree, agency.folder)
    for name, arguments, _ in _READS:
        with pytest.raises(NotStarted, match="folder is gone"):
            await ask(reader, name, **arguments)


@pytest.mark.parametrize("fault", ["noisy", "chatty"])
async def test_talk_beside_the_answer_is_let_go_by(agency: Project, reader: CliKernel, fault: str) -> None:
    await agency.run(token_budget=1000)
    await agency.issue("Fix login")
    for program in ("ic", "bd"):
        agency.plant(program, fault, times=50)
    for name, arguments, _ in _READS:
        assert (await ask(reader, name, **arguments)).text
    assert (await reader.state()).ok


async def test_a_locked_database_is_waited_for_and_then_told(agency: Project, reader: CliKernel) -> None:
    await agency.run()
    agency.plant("ic run list", "refuse", code=2, err="database is locked (5) (SQLITE_BUSY)\n")
    with pytest.raises(KernelUnavailable, match="locked by somebody else"):
        await ask(reader, "run_status")
    assert (await ask(reader, "run_status")).data["found"] is True
