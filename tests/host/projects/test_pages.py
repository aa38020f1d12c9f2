"""The page: the side of a room shows the runs of its group's project, and says what its kernel lacks."""

from host.page.audience import Audience
from host.page.room_entries import RoomEntries
from host.page.rooms import PageRooms
from tests.host.decisions.office import ANA, CHAIN
from tests.host.projects.conftest import Branch


def rooms(branch: Branch) -> PageRooms:
    office = branch.office
    return PageRooms(
        registry=office.registry,
        entries=RoomEntries(office.database),
        projects=office.parts.news.ground.projects,
        audience=Audience(),
        agent="Amtiskaw",
    )


async def test_each_room_shows_its_project_s_runs_and_which_of_them_waits(branch: Branch) -> None:
    run = await branch.twins("the api", "the page", **CHAIN)
    await branch.terminal.block(run, "look")
    await branch.feed()
    here = await rooms(branch).side(ANA.address, "main")
    there = await rooms(branch).side(ANA.address, "design")
    assert [(work.title, work.note) for work in here.work] == [("the api", "")]
    assert [(work.title, work.note) for work in there.work] == [("the page", "waits for a decision")]
    assert "Its project is web." in there.rules


async def test_a_room_says_what_its_kernel_lacks(branch: Branch) -> None:
    branch.kernel.absent = {"create_issue": "The program bd is not installed"}
    side = await rooms(branch).side(ANA.address, "design")
    assert side.rules[-1] == "The program bd is not installed. Not offered until then: create issue."


async def test_a_project_that_is_not_allowed_shows_no_runs_and_says_why(branch: Branch) -> None:
    await branch.office.registry.set_project("design", "/srv/gone")
    side = await rooms(branch).side(ANA.address, "design")
    assert side.work == []
    assert "/srv/gone is not one of those allowed here" in side.rules[-1]
