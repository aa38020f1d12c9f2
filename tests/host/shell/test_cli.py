"""The command line: what it says of itself, how it refuses, what the operator reads while it works."""

import io
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from container.sandbox import SandboxUnavailable
from host.cli.refusal import told
from host.settings import SettingsError
from host.terminal import Terminal
from storage.errors import DataFolderBusy
from tests.program import Program


@pytest.fixture
def program() -> Iterator[Program]:
    with tempfile.TemporaryDirectory(prefix="ic-") as home:
        yield Program(Path(home), {})


async def test_help_lists_every_command_without_a_database(program: Program) -> None:
    status, printed = await program.command("--help")
    assert status == 0
    for name in (
        "up",
        "doctor",
        "link",
        "group",
        "role",
        "approvals",
        "kernel",
        "intermute",
        "audit",
        "image",
    ):
        assert f"\n  {name} " in printed
    assert list(program.home.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [["fly"], ["group", "add"], ["role", "set", "tg:1", "tg:2", "king"], ["group", "list", "--bogus"]],
)
async def test_wrong_usage_ends_with_2(program: Program, command: list[str]) -> None:
    status, printed = await program.command(*command)
    assert status == 2
    assert "Traceback" not in printed


async def test_doctor_works_without_a_host(program: Program) -> None:
    _, printed = await program.command("doctor")
    for name in ("Python", "Disk", "Database", "Clock", "Audit log", "Owner", "Page", "Sandbox"):
        assert any(line[2:].startswith(name) for line in printed.splitlines()), printed


def test_errors_of_the_parts_become_a_sentence_and_a_code() -> None:
    refusal = told(DataFolderBusy("another Intercom host (pid 7) uses /srv"))
    assert refusal is not None
    assert (refusal.text, refusal.code) == ("Another Intercom host (pid 7) uses /srv.", 1)
    refusal = told(SettingsError("There is no setting INTERCOM_X."))
    assert refusal is not None
    assert refusal.code == 2


def test_of_a_group_of_errors_the_first_one_is_told() -> None:
    group = ExceptionGroup("services", [ExceptionGroup("inner", [SandboxUnavailable("no engine")])])
    refusal = told(group)
    assert refusal is not None
    assert refusal.text == "No engine."


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    assert told(ZeroDivisionError()) is None


def test_a_step_that_took_long_says_so_and_a_quick_one_is_silent() -> None:
    stream, times = io.StringIO(), iter([0.0, 0.0, 0.1, 10.0, 15.5])
    terminal = Terminal(stream, now=lambda: next(times))
    with terminal.working("Starting the database"):
        pass
    with terminal.working("Building the image") as progress:
        progress("step 1 of 5")
    assert stream.getvalue() == "Building the image: done in 5.5 s\n"
