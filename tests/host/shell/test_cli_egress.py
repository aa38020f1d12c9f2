"""`intercom group egress`: an owner of the machine says which hosts a group's agents may reach."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.program import Program


@pytest.fixture
def program() -> Iterator[Program]:
    with tempfile.TemporaryDirectory(prefix="ic-") as home:
        yield Program(Path(home), {})


async def test_hosts_are_allowed_denied_and_shown(program: Program) -> None:
    status, printed = await program.command("group", "add", "tg:-1", "--folder", "team")
    assert status == 0, printed
    _, printed = await program.command("group", "egress", "team")
    assert "Agents of team may reach no host." in printed
    status, printed = await program.command(
        "group", "egress", "team", "--allow", "API.example.com", "--allow", "b.example", "--provider-tools"
    )
    assert status == 0, printed
    assert "Agents of team may reach api.example.com, b.example." in printed
    assert "They may use search, fetch and files" in printed
    _, printed = await program.command(
        "group", "egress", "team", "--deny", "b.example", "--no-provider-tools"
    )
    assert printed.strip().endswith("Agents of team may reach api.example.com.")
    for wrong in (["--allow", "10.0.0.1"], ["--allow", "*.example.com"], ["--deny", "c.example"]):
        status, printed = await program.command("group", "egress", "team", *wrong)
        assert status == 2
        assert "Traceback" not in printed
    status, printed = await program.command("group", "egress", "nobody", "--allow", "a.example")
    assert status == 1
    assert "There is no group “nobody”" in printed
    _, printed = await program.command("audit", "tail")
    assert printed.count("group.profile_set") == 2
