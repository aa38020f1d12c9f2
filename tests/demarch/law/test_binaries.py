"""The real binaries: one way through each, always; all laws are tried on them at full length."""

from pathlib import Path

import pytest

from demarch.errors import Conflict
from storage.database import Database
from storage.ids import NewId
from tests.demarch.law import binaries
from tests.demarch.law.binaries import Template
from tests.demarch.law.command_line import CliWorld
from tests.demarch.law.worlds import Caller


async def _caller(program: str, place: Path, template: Template, database: Database, new_id: NewId) -> Caller:
    path = binaries.found(program)
    if path is None:
        pytest.skip(binaries.missing(program))
    project = await template.project(place, {program: path})
    return Caller(CliWorld("real", project, database, pretended=program != "ic"), new_id)


async def test_the_real_tracker_keeps_an_issue(
    tmp_path: Path, template: Template, database: Database, new_id: NewId
) -> None:
    clerk = await _caller("bd", tmp_path, template, database, new_id)
    key = clerk.key()
    for _ in range(2):
        made = await clerk.write("create_issue", key=key, title="Login fails", priority=1)
    issue_id = made.data["id"]
    assert [issue["id"] for issue in (await clerk.read("next_work")).data["issues"]] == [issue_id]
    await clerk.write("update_issue", id=issue_id, status="in_progress", notes="looked at it")
    await clerk.write("close_issue", id=issue_id, reason="works again")
    (issue,) = (await clerk.read("search_beads", query="login", status="all")).data["issues"]
    assert (issue["status"], issue["notes"], issue["close_reason"]) == (
        "closed",
        "looked at it",
        "works again",
    )
    with pytest.raises(Conflict):
        await clerk.write("close_issue", id=issue_id)


async def test_the_real_kernel_takes_a_run_through_a_gate(
    tmp_path: Path, template: Template, database: Database, new_id: NewId
) -> None:
    ana = await _caller("ic", tmp_path, template, database, new_id)
    run_id = (await ana.write("start_run", title="Refactor auth")).data["id"]
    await ana.world.attempt(run_id)
    assert await ana.types() == ["block"]
    await ana.write("approve_gate", run_id=run_id, from_phase="brainstorm", reason="fine")
    assert await ana.phase(run_id) == "brainstorm-reviewed"
    assert await ana.types() == ["block", "override"]
