"""Issues are filed, changed and closed; discoveries are kept and triaged."""

import asyncio

import pytest

from demarch.errors import (
    Conflict,
    EvidenceUnknown,
    NotPossible,
)
from storage.clock import SystemClock
from tests.demarch.cli.hands import Hand
from tests.servers.kernels import faults
from tests.servers.kernels.project import Project


async def test_an_issue_is_filed_changed_and_closed(agency: Project, ana: Hand) -> None:
    filed = await ana(
        "create_issue", title="-x: Fix the login", description="-", priority=1, issue_type="bug",
        labels=["api, v2", 'the "new" one', "auth"],
    )  # fmt: skip
    issue = filed.data["id"]
    assert filed.text == f"Filed: “-x: Fix the login”, bug, priority 1. ({issue})"
    shown = (await agency.bd("show", issue)).json[0]
    assert shown["external_ref"] == f"intercom:{ana.key}"
    assert sorted(shown["labels"]) == sorted(["api, v2", 'the "new" one', "auth"])
    assert shown["description"].strip() == "-"
    await agency.bd("update", issue, "--append-notes=first")
    changed = await ana("update_issue", id=issue, status="in_progress", notes="second")
    assert changed.text == f"Changed notes and status of “-x: Fix the login”; it is in progress. ({issue})"
    assert (await agency.bd("show", issue)).json[0]["notes"] == "first\nsecond"
    closed = await ana("close_issue", id=issue, reason="done in 1.2")
    assert closed.text == f"Closed: “-x: Fix the login”: done in 1.2. ({issue})"
    assert "closed already" in str(await ana.refused("close_issue", Conflict, id=issue))


async def test_closing_an_issue_says_what_became_ready(agency: Project, ana: Hand) -> None:
    first, second = await agency.issue("first"), await agency.issue("second")
    await agency.bd("dep", "add", second, first)
    refused = await ana.refused("close_issue", NotPossible, id=second)
    assert "blocked by open issues" in str(refused)
    outcome = await ana("close_issue", id=first)
    assert outcome.data["unblocked"] == [second]
    assert outcome.text == f"Closed: “first”. Ready now: “second”. ({first})"


async def test_an_issue_that_others_changed_after_a_lost_close_needs_a_person(
    agency: Project, ana: Hand
) -> None:
    issue = await agency.issue("Fix the login")
    agency.plant("bd close", faults.HANG)
    async with asyncio.TaskGroup() as tasks:
        closing = tasks.create_task(ana("close_issue", id=issue))
        async with asyncio.timeout(20):
            while not agency.calls("bd close"):  # noqa: ASYNC110 - other processes give no sign
                await asyncio.sleep(0.01)
        closing.cancel()
    agency.heal()
    agency.set_time(SystemClock().now().replace(year=2040))
    await agency.bd("update", issue, "--title=Mend the login")
    with pytest.raises(EvidenceUnknown, match="changed in the meantime"):
        await ana.writes.written(ana.key)


async def test_a_finding_is_kept_once_for_its_key(agency: Project, ana: Hand) -> None:
    outcome = await ana("register_finding", title="Tokens leak", summary="in logs", source="scout", score=0.9)
    data = (await agency.ic("discovery", "status", outcome.data["id"])).json
    assert (data["source_id"], data["relevance_score"]) == (ana.key, 0.9)
    assert outcome.text == f"Kept: “Tokens leak”. ({outcome.data['id']})"


async def test_a_discovery_becomes_an_issue_whatever_its_score(agency: Project, ana: Hand) -> None:
    found = await agency.find("Tokens leak", score=0.1, summary="in logs", url="https://example.org")
    outcome = await ana("promote_discovery", discovery_id=found, priority=0)
    issue = outcome.data["bead_id"]
    shown = (await agency.bd("show", issue)).json[0]
    assert (shown["title"], shown["priority"]) == ("Tokens leak", 0)
    assert shown["description"] == "in logs\n\nhttps://example.org"
    assert outcome.text == f"Promoted: “Tokens leak” is the issue {issue}. ({found})"
    assert "was promoted already" in str(await ana.refused("dismiss_discovery", Conflict, discovery_id=found))
    other = await agency.find("Tokens rot")
    attached = await ana("promote_discovery", discovery_id=other, issue_id=issue)
    assert attached.data["bead_id"] == issue
    assert len((await agency.bd("list", "--all")).json) == 1


async def test_a_discovery_that_somebody_else_promotes_in_the_same_instant_leaves_no_second_issue(
    agency: Project, ana: Hand
) -> None:
    found, theirs = await agency.find("Tokens leak"), await agency.issue("Theirs")
    agency.plant("ic discovery promote", faults.SLOW, seconds=1)

    async def somebody_else() -> None:
        async with asyncio.timeout(20):
            while not agency.calls("discovery promote"):  # noqa: ASYNC110 - other processes give no sign
                await asyncio.sleep(0.01)
        await agency.ic("discovery", "promote", found, f"--bead-id={theirs}")

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(somebody_else())
        tasks.create_task(ana.refused("promote_discovery", Conflict, discovery_id=found))
    assert (await agency.ic("discovery", "status", found)).json["bead_id"] == theirs
    still_open = [issue["id"] for issue in (await agency.bd("list")).json]
    assert still_open == [theirs]
