"""What the binaries at hand can do is found out, and what they cannot is said with its reason."""

import asyncio
import shutil
from pathlib import Path

import pytest

from demarch.cli.kernel import CliKernel
from demarch.cli.needs import NEEDS
from demarch.errors import NotPossible
from demarch.operations import OPERATIONS, Access
from storage.database import Database
from tests.clock import HandClock
from tests.demarch.cli.asking import ask
from tests.demarch.cli.binaries import Binaries

_GROUPS = {
    "run": "create, status, advance, skip, phase, list, events, cancel, set, current, agent, artifact",
    "gate": "check, override, rules",
    "events": "tail, cursor, emit, record, list-review",
    "state": "set, get, delete, list, prune",
    "discovery": "submit, status, list, score, promote, dismiss, feedback, profile, decay, rollback, search",
}
_ISSUES = {"search_beads", "next_work", "create_issue", "update_issue", "close_issue", "promote_discovery"}


@pytest.fixture
def whole(binaries: Binaries) -> Binaries:
    """Both binaries with everything in them."""
    binaries.answer("ic health", "ok\n")
    binaries.answer("ic version", "ic 0.3.5\nschema: v30\n")
    binaries.answer("bd version", {"version": "1.0.5", "build": "dev"})
    binaries.answer("bd list", [])
    binaries.answer("ic autonomy status", {"level": 2, "name": "evidence", "declared": False})
    for name, words in _GROUPS.items():
        group(binaries, name, words)
    return binaries


def group(binaries: Binaries, name: str, words: str) -> None:
    err = f'{{"level":"ERROR","msg":"{name}: missing subcommand","expected":"{words}"}}\n'
    binaries.answer(f"ic {name}", code=3, err=err)


async def test_with_both_binaries_nothing_is_absent(cli: CliKernel, whole: Binaries) -> None:
    state = await cli.state()
    assert (state.ok, state.reason) == (True, "")
    assert not cli.capabilities().absent
    assert not cli.capabilities().notes


def test_every_operation_of_the_kernel_says_what_it_needs() -> None:
    kernel = {name for name, operation in OPERATIONS.items() if operation.access is Access.WRITE}
    assert kernel <= NEEDS.keys()
    assert NEEDS.keys() <= OPERATIONS.keys()


async def test_without_bd_there_are_no_issues_and_everything_else_stays(
    cli: CliKernel, whole: Binaries
) -> None:
    whole.remove("bd")
    assert (await cli.state()).ok
    absent = cli.capabilities().absent
    assert absent.keys() == _ISSUES
    assert "bd is not installed" in absent["next_work"]
    assert cli.capabilities().notes == (absent["next_work"],)


async def test_without_ic_only_issues_and_reviews_are_left(cli: CliKernel, whole: Binaries) -> None:
    whole.remove("ic")
    state = await cli.state()
    assert not state.ok
    assert "ic is not installed" in state.reason
    assert not {"search_beads", "create_issue", "review_summary"} & cli.capabilities().absent.keys()
    assert {"run_status", "start_run", "research", "promote_discovery"} <= cli.capabilities().absent.keys()


async def test_a_project_where_bd_was_never_set_up_has_no_issues(cli: CliKernel, whole: Binaries) -> None:
    whole.answer("bd list", code=1, err="Error: no beads database found\nHint: try\n      or this")
    await cli.state()
    assert cli.capabilities().absent.keys() == _ISSUES
    assert "bd init" in cli.capabilities().absent["create_issue"]


async def test_a_tracker_that_is_busy_just_now_is_still_offered(cli: CliKernel, whole: Binaries) -> None:
    whole.answer("bd list", code=1, err="Error: database is locked by another process\n")
    await cli.state()
    assert not cli.capabilities().absent
    assert cli.capabilities().notes == (
        "bd does not work in this project: database is locked by another process",
    )


async def test_commands_an_older_ic_does_not_have_are_absent(cli: CliKernel, whole: Binaries) -> None:
    group(whole, "events", "tail, cursor")
    whole.answer(
        "ic discovery", "ic: intercore state database CLI\n", code=3, err="ic: unknown command: discovery"
    )
    await cli.state()
    absent = cli.capabilities().absent
    assert {"reject_gate", "defer_gate", "research", "register_finding", "dismiss_discovery"} <= absent.keys()
    assert absent["reject_gate"] == "This version of ic has no “events record”."
    assert not {"run_events", "approve_gate", "start_run"} & absent.keys()


async def test_what_cannot_be_told_counts_as_there(cli: CliKernel, whole: Binaries) -> None:
    for name in _GROUPS:
        whole.answer(f"ic {name}", code=3, err="something went wrong")
    whole.answer("ic autonomy status", "rubbish")
    await cli.state()
    assert not cli.capabilities().absent


async def test_a_kernel_that_is_not_well_is_told_with_its_reason(cli: CliKernel, whole: Binaries) -> None:
    whole.answer("ic health", code=2, err='level=ERROR msg="health failed" error="schema is too new"')
    state = await cli.state()
    assert not state.ok
    assert "schema is too new" in state.reason
    whole.answer("ic health", "ok")
    assert (await cli.state()).ok


async def test_a_project_folder_that_is_gone_is_told(cli: CliKernel, whole: Binaries, project: Path) -> None:
    await asyncio.to_thread(shutil.rmtree, project)
    state = await cli.state()
    assert (state.ok, state.reason) == (False, "The project's folder is gone.")


async def test_a_low_autonomy_is_worth_a_note(cli: CliKernel, whole: Binaries) -> None:
    whole.answer("ic autonomy status", {"level": 1, "name": "phase gates", "declared": True})
    await cli.state()
    assert cli.capabilities().notes == (
        "The project's autonomy is L1 (phase gates): every run asks at every gate.",
    )


async def test_it_is_looked_again_after_a_minute_or_when_something_changes(
    cli: CliKernel, whole: Binaries, clock: HandClock
) -> None:
    await cli.state()
    looked = len(whole.calls())
    await cli.state()
    assert len(whole.calls()) == looked + 1  # the health only
    whole.answer("bd list", code=1, err="Error: no beads database found")
    await clock.advance(59)
    await cli.state()
    assert not cli.capabilities().absent
    await clock.advance(1)
    await cli.state()
    assert "next_work" in cli.capabilities().absent
    whole.answer("ic health", code=2, err="gone")
    group(whole, "gate", "check, rules")
    assert not (await cli.state()).ok
    assert "approve_gate" in cli.capabilities().absent


async def test_a_binary_that_comes_or_goes_is_noticed_at_once(cli: CliKernel, whole: Binaries) -> None:
    text = (whole.folder / "bd").read_text()
    await cli.state()
    whole.remove("bd")
    await cli.state()
    assert "next_work" in cli.capabilities().absent
    whole.script("bd", text)
    await cli.state()
    assert not cli.capabilities().absent


async def test_a_binary_that_hangs_is_noted_and_still_offered(
    whole: Binaries, project: Path, database: Database, clock: HandClock
) -> None:
    whole.script("bd", "#!/bin/sh\nexec sleep 20\n")
    cli = CliKernel(project, database, clock, home=whole.folder, environment=whole.environment, patience=0.02)
    await cli.state()
    assert not cli.capabilities().absent
    assert cli.capabilities().notes[0].startswith("bd is there and does not answer: bd version did not")


async def test_a_write_is_no_read(cli: CliKernel) -> None:
    with pytest.raises(NotPossible, match="create_issue is not a read"):
        await ask(cli, "create_issue", title="x")
