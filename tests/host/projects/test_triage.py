"""Discoveries of several projects: each is asked about in its own chat, whatever its id."""

from host.decisions.approvals import State
from tests.host.decisions.office import ANA, EVE, MAIN, OTHER, buttons, code_of, first_line
from tests.host.projects.conftest import Branch


async def twins(branch: Branch, first: str, second: str) -> str:
    """A discovery in each project, both with the same id."""
    made = await branch.office.terminal.write("register_finding", title=first, score=0.9)
    found = str(made.data["id"])
    branch.letters.next = found
    other = await branch.terminal.write("register_finding", title=second, score=0.9)
    assert other.data["id"] == found
    await branch.feed()
    await branch.office.show()
    return found


async def test_the_same_id_in_two_projects_is_two_lists(branch: Branch) -> None:
    found = await twins(branch, "the api", "the page")
    here, there = await branch.office.card(MAIN), await branch.office.card(OTHER)
    assert first_line(here) == '🔎 Worth an issue: "the api"?'
    assert first_line(there) == '🔎 Worth an issue: "the page"?'
    await branch.office.tap(there, "PROMOTE", EVE)
    assert (await branch.kernel.discovery(found)).status == "promoted"
    assert (await branch.office.kernel.discovery(found)).status == "new"
    await branch.feed()
    assert buttons(await branch.office.card(MAIN))


async def test_what_is_decided_in_one_project_closes_nothing_in_the_other(branch: Branch) -> None:
    found = await twins(branch, "the api", "the page")
    here, there = await branch.office.card(MAIN), await branch.office.card(OTHER)
    await branch.terminal.write("dismiss_discovery", discovery_id=found)
    await branch.feed()
    assert (await branch.office.approval(code_of(there))).state is State.CLOSED
    assert (await branch.office.approval(code_of(here))).state is State.PENDING


async def test_a_group_lists_what_its_own_project_has(branch: Branch) -> None:
    await twins(branch, "the api", "the page")
    await branch.office.database.execute("DELETE FROM host.posts")
    await branch.office.database.execute("DELETE FROM host.approvals")
    await branch.office.database.execute("DELETE FROM host.discoveries")
    group = branch.office.registry.group("design")
    assert group is not None
    page = branch.office.parts.news.discoveries.page
    assert await page(group, OTHER, ANA.address, "") is None
    assert first_line(await branch.office.card(OTHER)) == '🔎 Worth an issue: "the page"?'
    assert await branch.office.cards(MAIN) == []


async def test_who_looks_in_one_project_has_not_looked_in_the_other(branch: Branch) -> None:
    await branch.terminal.issue("the page")
    await branch.office.clock.advance(60)
    turn = await branch.office.turn(folder="design", address=OTHER)
    box = branch.office.parts.toolbox_for("design", lambda: turn)
    assert "“the page”" in (await box.call("demarch_what_changed", {})).text
    await branch.office.terminal.issue("the api")
    await branch.office.registry.set_project("design", "")
    assert "“the api”" in (await box.call("demarch_what_changed", {})).text
