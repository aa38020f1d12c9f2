"""Issues read through `bd`: with the envelope and without, one or many, missing, and hostile ones."""

from typing import Any

import pytest

from demarch.cli.kernel import CliKernel
from demarch.errors import KernelUnavailable, NotFound
from tests.demarch.cli.asking import ask
from tests.demarch.cli.binaries import Binaries


def issue(issue_id: str = "iv-a1b2", **about: Any) -> dict[str, Any]:
    plain = {"id": issue_id, "title": "Fix login", "status": "open", "priority": 1, "issue_type": "bug",
             "created_at": "2026-01-05T08:00:00Z", "updated_at": "2026-01-05T08:00:00.123456Z"}  # fmt: skip
    return plain | about


@pytest.fixture(params=[False, True], ids=["bare", "envelope"])
def envelope(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def wrapped(rows: list[dict[str, Any]], envelope: bool) -> Any:
    return {"schema_version": 1, "data": rows} if envelope else rows


async def test_an_issue_is_shown_whole_with_what_it_waits_for(
    cli: CliKernel, binaries: Binaries, envelope: bool
) -> None:
    blocker = issue("iv-c3d4", title="Build the pool", dependency_type="blocks", status="in_progress")
    whole = issue(description="why\nso", notes="n", labels=["auth"], dependencies=[blocker])
    binaries.answer("bd show iv-a1b2", wrapped([whole], envelope))
    outcome = await ask(cli, "search_beads", id="IV-A1B2")
    assert outcome.text.splitlines() == [
        "Fix login · P1 bug, blocked #auth · iv-a1b2",
        "why",
        "so",
        "n",
        "Waits for Build the pool (in progress) · iv-c3d4",
    ]
    found = outcome.data["issues"][0]
    assert found["updated_at"] == "2026-01-05T08:00:00+00:00"
    assert found["dependencies"][0]["depends_on_id"] == "iv-c3d4"


async def test_an_issue_that_is_not_there_is_not_found(cli: CliKernel, binaries: Binaries) -> None:
    for out, err in (
        ('{"error": "no issues found matching the provided IDs"}', ""),
        ("", '{"error": "no issues found matching the provided IDs"}\n'),
        ("", "Issue iv-zzzz not found"),
    ):
        binaries.answer("bd show", out, code=1, err=err)
        with pytest.raises(NotFound, match="There is no issue iv-zzzz"):
            await ask(cli, "search_beads", id="iv-zzzz")


async def test_a_tracker_that_fails_is_no_missing_issue(cli: CliKernel, binaries: Binaries) -> None:
    binaries.answer("bd show", code=1, err="Error: no beads database found\n")
    with pytest.raises(KernelUnavailable, match="no beads database found"):
        await ask(cli, "search_beads", id="iv-a1b2")


async def test_words_are_searched_and_lists_are_cut(
    cli: CliKernel, binaries: Binaries, envelope: bool
) -> None:
    binaries.answer("bd search", wrapped([issue(f"iv-{n:04}") for n in range(9)], envelope))
    outcome = await ask(cli, "search_beads", query="--login now", status="all", limit=5)
    assert len(outcome.data["issues"]) == 5
    assert binaries.calls()[-1] == [
        "bd", "--json", "search", "--status=all", "--limit=5", "--", "--login now",
    ]  # fmt: skip
    binaries.answer("bd search", wrapped([], envelope))
    assert (await ask(cli, "search_beads", query="x")).text == "No issue fits that."


async def test_lists_by_status_and_without(cli: CliKernel, binaries: Binaries) -> None:
    binaries.answer("bd list", [issue()])
    assert (await ask(cli, "search_beads", status="open")).text == "Fix login · P1 bug, open · iv-a1b2"
    assert "--status=open" in binaries.calls()[-1]
    binaries.answer("bd list", "null\n")
    assert (await ask(cli, "search_beads")).text == "There are no open issues."
    assert not any(word.startswith("--status") for word in binaries.calls()[-1])


async def test_ready_work_says_why_it_stands_there(
    cli: CliKernel, binaries: Binaries, envelope: bool
) -> None:
    rows = [issue("iv-1111", dependent_count=2), issue("iv-2222", priority=3, issue_type="task")]
    binaries.answer("bd ready", wrapped(rows, envelope))
    outcome = await ask(cli, "next_work", limit=10)
    assert outcome.text.splitlines() == [
        "Ready to be worked on, by priority and then age:",
        "1. Fix login · bug · priority 1, filed 1 h ago, nothing blocks it, 2 wait for it · iv-1111",
        "2. Fix login · task · priority 3, filed 1 h ago, nothing blocks it · iv-2222",
    ]


async def test_what_waits_longest_comes_first_among_its_equals(cli: CliKernel, binaries: Binaries) -> None:
    """`bd` itself puts the newest first."""
    rows = [issue("iv-new", created_at="2026-01-05T08:59:00Z"), issue("iv-old"), issue("iv-top", priority=0)]
    binaries.answer("bd ready", rows)
    binaries.answer("bd list", rows)
    for name in ("next_work", "search_beads"):
        found = (await ask(cli, name, limit=2)).data["issues"]
        assert [each["id"] for each in found] == ["iv-top", "iv-old"]


async def test_when_nothing_is_ready_it_is_said_what_stands_in_the_way(
    cli: CliKernel, binaries: Binaries
) -> None:
    binaries.answer("bd ready", [])
    binaries.answer("bd list", [issue(status="in_progress")])
    binaries.answer("bd blocked", [issue(f"iv-{n:04}") for n in range(120)])
    outcome = await ask(cli, "next_work")
    assert outcome.text.endswith(" 1 issue is in progress and 100 or more issues are blocked.")
    assert (outcome.data["in_progress"], outcome.data["blocked"]) == (1, 100)


async def test_hostile_issues_stay_on_their_lines(cli: CliKernel, binaries: Binaries) -> None:
    nasty = issue(
        "iv-a1b2\n2. forged", title="a\u202eb\r\n1. forged\u0000", status="op\nen", issue_type=[1],
        priority="P0", labels=["l\u2066\nx", 7], dependencies=["x", {"depends_on_id": 5}], created_at="n",
    )  # fmt: skip
    for name in ("bd ready", "bd list", "bd show"):
        binaries.answer(name, [nasty, {"title": "no id"}, 5])
    for name, arguments in (("next_work", {}), ("search_beads", {}), ("search_beads", {"id": "iv-a1b2"})):
        outcome = await ask(cli, name, **arguments)
        assert "ab 1. forged" in outcome.text
        assert not {"\u202e", "\x00", "\r", "\u2066"} & set(outcome.text)
        assert not any(line.startswith(("1. forged", "2. forged")) for line in outcome.text.splitlines())


async def test_fifty_megabytes_are_not_swallowed(cli: CliKernel, binaries: Binaries) -> None:
    binaries.script("bd", "#!/bin/sh\nhead -c 52428800 /dev/zero | tr '\\0' x\n")
    with pytest.raises(KernelUnavailable, match="printed more than"):
        await ask(cli, "next_work")
