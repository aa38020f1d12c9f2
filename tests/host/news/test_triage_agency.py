"""Triage of what a real agency finds, through the command line."""

from pathlib import Path

import pytest

from host.decisions.approvals import State
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.host.decisions.office import ANA, BEN, MAIN, code_of, first_line, labels
from tests.host.news.agency import Agency, found


@pytest.fixture
async def agency(database: Database, clock: HandClock, new_id: NewId, tmp_path: Path) -> Agency:
    return await found(database, clock, new_id, tmp_path)


async def test_the_list_is_gone_through_and_promoted_ones_become_issues(agency: Agency) -> None:
    first = await agency.project.find("Cache the parsed config", score=0.9)
    second = await agency.project.find("Drop the old parser", score=0.8)
    await agency.office.feed()
    card = await agency.office.card()
    assert first_line(card) == '🔎 Worth an issue (1 of 2): "Cache the parsed config"?'
    said = await agency.office.tap(card, "PROMOTE", BEN)
    discovery = await agency.kernel.discovery(first)
    assert (discovery.status, bool(discovery.issue_id)) == ("promoted", True)
    assert said == f'Promoted: "Cache the parsed config" is the issue {discovery.issue_id}.'
    await agency.office.feed()
    assert first_line(await agency.office.card()) == '🔎 Worth an issue (2 of 2): "Drop the old parser"?'
    await agency.office.tap(await agency.office.card(), "DISMISS")
    await agency.office.feed()
    assert (await agency.kernel.discovery(second)).status == "dismissed"
    assert len(await agency.office.cards()) == 2
    assert (await agency.office.audit.verify()).ok


async def test_what_the_ranking_proposes_is_asked_about_whatever_its_score(agency: Agency) -> None:
    quiet = await agency.project.find("a hunch", score=0.3)
    await agency.office.feed()
    assert await agency.office.cards() == []
    agency.project.propose(quiet)
    agency.project.propose(quiet)
    await agency.office.feed()
    assert len(await agency.office.cards()) == 1
    said = await agency.office.tap(await agency.office.card(), "PROMOTE")
    assert said.startswith('Promoted: "a hunch" is the issue')


async def test_what_a_terminal_decided_closes_the_card(agency: Agency) -> None:
    one = await agency.project.find("one", score=0.9)
    await agency.project.find("two", score=0.8)
    await agency.office.feed()
    card = await agency.office.card()
    await agency.project.ic("discovery", "dismiss", one)
    await agency.office.feed()
    assert (await agency.office.approval(code_of(card))).state is State.CLOSED
    assert first_line(await agency.office.card()) == '🔎 Worth an issue: "two"?'


async def test_a_tap_after_a_terminal_does_nothing_and_the_list_goes_on(agency: Agency) -> None:
    one = await agency.project.find("one", score=0.9)
    await agency.project.find("two", score=0.8)
    await agency.office.feed()
    await agency.project.ic("discovery", "dismiss", one)
    said = await agency.office.tap(await agency.office.card(), "PROMOTE")
    assert "“one” was dismissed already" in said
    assert (await agency.project.bd("list", "--all")).json == []
    await agency.office.feed()
    assert labels(await agency.office.card()) == ["PROMOTE", "DISMISS", "LATER"]
    assert '"two"' in first_line(await agency.office.card())
    # It is decided: it does not come again in the morning.
    await agency.pass_time(24 * 3600)
    await agency.office.tap(await agency.office.card(), "DISMISS")
    await agency.office.parts.news.triage.look()
    await agency.office.show()
    assert all(labels(card) == [] for card in await agency.office.cards())


async def test_a_promotion_that_died_half_way_is_one_issue(agency: Agency) -> None:
    one = await agency.project.find("one")
    await agency.office.feed()
    agency.project.plant("ic discovery promote", "die-after")
    await agency.office.tap(await agency.office.card(), "PROMOTE")
    again = await agency.reborn()
    await again.office.parts.recover()
    await again.office.feed()
    discovery = await again.kernel.discovery(one)
    assert discovery.status == "promoted"
    issues = (await again.project.bd("list", "--all")).json
    assert [issue["id"] for issue in issues] == [discovery.issue_id]
    assert all(labels(card) == [] for card in await again.office.cards())


async def test_without_the_tracker_the_card_says_so_and_waits(agency: Agency) -> None:
    await agency.project.find("one")
    await agency.office.feed()
    agency.project.remove("bd")
    await agency.pass_time(120)
    await agency.kernel.state()
    said = await agency.office.tap(await agency.office.card(), "PROMOTE")
    assert said.startswith("Not done: ")
    assert "bd" in said
    agency.project.bring_back("bd")
    await agency.pass_time(120)
    said = await agency.office.tap(await agency.office.card(), "PROMOTE")
    assert said.startswith('Promoted: "one" is the issue')


async def test_what_was_there_before_is_offered_when_asked_for(
    database: Database, clock: HandClock, new_id: NewId, tmp_path: Path
) -> None:
    from tests.servers.kernels.project import Project

    project = Project.create(tmp_path)
    old = await project.find("an old one", score=0.6)
    await project.find("noise", score=0.1)
    agency = await found(database, clock, new_id, tmp_path, project=project)
    assert await agency.office.cards() == []
    group = agency.office.registry.group("main")
    assert group is not None
    assert await agency.office.parts.news.discoveries.page(group, MAIN, ANA.address, "") is None
    assert first_line(await agency.office.card()) == '🔎 Worth an issue: "an old one"?'
    await agency.office.tap(await agency.office.card(), "DISMISS")
    assert (await agency.kernel.discovery(old)).status == "dismissed"
