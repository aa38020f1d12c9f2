"""A kernel without one of its binaries: what it cannot do is not offered, and everybody is told why."""

from demarch.operations import OPERATIONS
from host.kernel_health import KernelHealth
from host.shortcomings import shortcomings
from host.swarm.toolbox import HelperToolBox
from tests.host.decisions.office import ANA, OTHER, Office, buttons, code_of, first_line, labels
from tests.host.projects.conftest import Branch

NO_BD = "The program bd is not installed"
ISSUES = ("create_issue", "update_issue", "close_issue", "next_work", "search_beads", "promote_discovery")


def without_bd(branch: Branch) -> None:
    branch.kernel.absent = dict.fromkeys(ISSUES, NO_BD)


async def tools(office: Office, folder: str) -> set[str]:
    box = office.parts.toolbox_for(folder, lambda: None)
    return {tool.name.removeprefix("demarch_") for tool in box.declarations()}


async def test_what_the_kernel_of_a_group_s_project_lacks_is_not_among_its_tools(branch: Branch) -> None:
    offered = await tools(branch.office, "design")
    assert {"next_work", "run_status"} <= offered
    without_bd(branch)
    assert await tools(branch.office, "design") == offered - set(ISSUES)
    assert "create_issue" in await tools(branch.office, "main")
    branch.kernel.absent = {}
    assert await tools(branch.office, "design") == offered


async def test_a_project_that_is_not_allowed_offers_nothing_of_the_kernel(branch: Branch) -> None:
    await branch.office.registry.set_project("design", "/srv/gone")
    assert not await tools(branch.office, "design") & set(OPERATIONS)
    assert "send_message" in await tools(branch.office, "design")


async def test_an_agent_with_an_older_list_is_told_why(branch: Branch) -> None:
    without_bd(branch)
    turn = await branch.office.turn(folder="design", address=OTHER)
    answer = await branch.office.parts.toolbox_for("design", lambda: turn).call("demarch_next_work", {})
    assert answer.failed
    assert answer.text == f"{NO_BD}."


async def test_a_write_that_cannot_be_done_is_refused_on_record(office: Office) -> None:
    office.kernel.absent = {"create_issue": NO_BD}
    turn = await office.turn()
    answer = await office.parts.toolbox_for("main", lambda: turn).call(
        "demarch_create_issue", {"title": "mend the door"}
    )
    assert (answer.failed, answer.text) == (True, NO_BD)
    assert await office.database.fetchval("SELECT state FROM host.intents") == "refused"


async def test_a_group_that_may_not_write_learns_nothing_of_the_binaries(branch: Branch) -> None:
    without_bd(branch)
    turn = await branch.office.turn(folder="design", address=OTHER)
    box = branch.office.parts.toolbox_for("design", lambda: turn)
    assert "bd" not in (await box.call("demarch_create_issue", {"title": "x"})).text


async def test_a_card_whose_decision_cannot_be_carried_out_says_why_and_stays_open(office: Office) -> None:
    card = await office.gate()
    office.kernel.absent = {"approve_gate": "The program ic is not installed"}
    answer = await office.tap(card, "APPROVE", ANA)
    assert answer == "Not done: The program ic is not installed. Tap again when it is mended."
    assert labels(await office.card()) == ["APPROVE", "REJECT", "DEFER"]
    assert "The program ic is not installed" in (await office.card()).content.text
    assert not office.kernel.executed
    office.kernel.mended = True  # found by the look that the next tap causes
    await office.tap(await office.card(), "APPROVE", ANA)
    assert first_line(await office.card()).startswith("✅ Approved by Ana")
    assert len(office.kernel.executed) == 1


async def test_what_the_card_does_not_need_keeps_nobody_from_deciding(office: Office) -> None:
    card = await office.gate()
    office.kernel.absent = {"create_issue": NO_BD}
    await office.tap(card, "APPROVE", ANA)
    assert (await office.approval(code_of(card))).verb == "approve"
    assert not buttons(await office.card())


async def test_status_says_what_is_missing_and_what_is_not_offered(branch: Branch) -> None:
    without_bd(branch)
    shown = (await branch.office.parts.status.content("design")).text
    assert shown.endswith(
        f"Not well\n{NO_BD}. Not offered until then: create issue, update issue, close issue, next work and"
        " 2 more."
    )
    shown = (await branch.office.parts.status.content("main")).text
    assert NO_BD in shown  # the main group sees all projects in use


async def test_status_says_once_what_is_missing_and_does_not_answer(branch: Branch) -> None:
    branch.kernel.absent = dict.fromkeys(OPERATIONS, "The kernel is down")
    branch.kernel.down = True
    shown = (await branch.office.parts.status.content("design")).text
    assert shown.count("The kernel is down") == 1
    assert "Running\nNobody can say." in shown


async def test_status_of_a_group_whose_project_is_not_allowed_says_so_once(branch: Branch) -> None:
    await branch.office.registry.set_project("design", "/srv/gone")
    shown = (await branch.office.parts.status.content("design")).text
    assert shown.count("/srv/gone is not one of those allowed here") == 1
    assert shown.endswith("Until then agents have no tools for runs and issues.")


async def test_a_helper_is_offered_no_more_than_its_kernel_can_do(branch: Branch) -> None:
    without_bd(branch)
    office = branch.office
    group = office.registry.group("design")
    assert group is not None
    turn = await office.turn(folder="design", address=OTHER)
    box = HelperToolBox(
        key="design+1",
        name="Scout",
        group=group,
        current_turn=lambda: turn,
        projects=office.parts.news.ground.projects,
        lookups=office.parts.swarm._lookups,
        writing=office.parts.swarm._writing,
        clock=office.clock,
    )
    offered = {tool.name for tool in box.declarations()}
    assert "demarch_run_status" in offered
    assert "demarch_next_work" not in offered
    answer = await box.call("demarch_next_work", {})
    assert (answer.failed, answer.text) == (True, f"{NO_BD}.")


async def test_the_main_group_sees_what_runs_in_every_project(branch: Branch) -> None:
    await branch.office.terminal.run("the api")
    await branch.terminal.run("the page")
    shown = (await branch.office.parts.status.content("main")).text
    assert '\n\nRunning in web\n"the page"' in shown
    assert '"the api"' in shown.partition("Running in web")[0]
    shown = (await branch.office.parts.status.content("design")).text
    assert shown.startswith('Running\n"the page"')
    assert "the api" not in shown


async def test_health_tells_of_every_project_in_use_which_one_is_not_well(branch: Branch) -> None:
    office = branch.office
    health = KernelHealth(office.parts.news.ground.projects, office.registry)
    assert (await health.check(), health.lacks()) == ("", "")
    without_bd(branch)
    assert health.lacks().startswith(f"web: {NO_BD}.")
    assert [line.startswith("web: ") for line in await health.words()] == [True]
    await office.registry.set_project("design", "")
    assert health.lacks() == ""  # nobody works on it any more


def test_reasons_are_said_once_with_what_they_keep_from_being_offered(office: Office) -> None:
    office.kernel.absent = {"next_work": NO_BD, "create_issue": NO_BD, "cancel_run": "This ic is too old."}
    assert shortcomings(office.kernel.capabilities()) == [
        f"{NO_BD}. Not offered until then: next work, create issue.",
        "This ic is too old. Not offered until then: cancel run.",
    ]
