"""Our containers' agents in intermute: alive with their container, gone with their group, told in /status."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from host.coordination.care import Care
from host.coordination.identity import Me, agent_of
from intermute.caller import Caller, Mode
from intermute.errors import NotAllowed
from storage.background import background
from storage.wakeups import Wakeups
from tests.host.coordination.agency import ELSEWHERE, LOCAL, PROJECT, Agency, call

MINUTE = 60.0


def care_of(agency: Agency, living: Callable[[], set[str]] = lambda: {"main"}) -> Care:
    return Care(
        coordination=agency.coordinating.coordination,
        registry=agency.office.registry,
        whereabouts=agency.coordinating.whereabouts,
        marks=agency.coordinating.marks,
        living=living,
        clock=agency.office.clock,
        grace=300.0,
    )


async def settle(agency: Agency, holders: int) -> None:
    """Until the sweeper has come to it."""
    while len(await agency.held()) != holders:
        await agency.office.clock.advance(1.0)


async def test_a_container_that_lives_keeps_what_it_holds_and_one_that_ended_does_not(
    agency: Agency,
) -> None:
    living = {"main", "design"}
    care = care_of(agency, lambda: living)
    await agency.office.database.execute("UPDATE host.groups SET writes = true")
    await agency.office.registry.load()
    for folder in ("main", "design"):
        await call(await agency.box(folder), "reserve", paths=[f"{folder}/**"], minutes=600)
    living.discard("design")
    for _ in range(12):
        await care.look()
        await agency.office.clock.advance(MINUTE / 2)
    await settle(agency, 1)
    assert await agency.held() == {"main/**": "intercom:main"}


async def test_with_its_group_an_agent_is_gone(agency: Agency) -> None:
    care = care_of(agency)
    box = await agency.box("design")
    await call(box, "inbox")
    me = Me(agent="intercom:design", name="design", project=PROJECT)
    await agency.hold("src/**", agent=me.agent)
    await agency.write("hello", me.agent)
    await call(box, "inbox")
    await care.look()
    assert await agency.held() == {"src/**": me.agent}
    await agency.office.registry.remove_group("design")
    await care.look()
    assert await agency.held() == {}
    assert [each.agent for each in await agency.coordinating.coordination.known()] == []
    assert await agency.office.database.fetchval("SELECT count(*) FROM host.coordination_marks") == 0


async def test_removed_by_another_process_it_is_noticed_by_the_word_of_it(
    agency: Agency, database_url: str
) -> None:
    await call(await agency.box("design"), "inbox")
    async with Wakeups.open(database_url) as wakeups, background(care_of(agency).run(wakeups)):
        await agency.office.registry.remove_group("design")
        while await agency.coordinating.coordination.known():
            await agency.office.clock.advance(0.0)


async def test_a_group_that_changes_its_project_lets_go_of_the_old_one(agency: Agency) -> None:
    box = await agency.box()
    await call(box, "reserve", paths=["src/**"])
    await agency.office.database.execute("UPDATE host.groups SET project = '/srv/web' WHERE folder = 'main'")
    await care_of(agency).look()
    assert await agency.held() == {}
    (me,) = await agency.coordinating.coordination.known()
    assert (me.agent, me.project) == ("intercom:main", "web")


async def test_nobody_else_speaks_for_a_container(agency: Agency) -> None:
    guards = agency.service.guards
    for caller in (
        LOCAL,
        Caller(mode=Mode.LOCAL, agent="intercom:main"),
        Caller(mode=Mode.KEY, project=PROJECT, agent="intercom:main"),
        Caller(mode=Mode.HOST, project=PROJECT, agent="intercom:design"),
    ):
        with pytest.raises(NotAllowed):
            await guards.check(caller, agent_of("main"))


async def test_the_status_tells_who_holds_what_and_who_is_alive(agency: Agency) -> None:
    office = agency.office
    assert "Files held" not in (await office.parts.status.content("main")).text
    await agency.join()
    await agency.hold("src/auth/**", reason="refactor\nauth", ttl_minutes=12)
    await agency.hold("docs/**", agent="intercom:design", exclusive=False)
    await call(await agency.box(), "inbox")
    told = (await office.parts.status.content("main")).text
    assert (
        "Files held\n"
        '"docs/**": intercom:design, 30 min left, shared\n'
        '"src/auth/**": Ana\'s laptop, 12 min left (refactor auth)'
    ) in told
    assert "Agents alive\nmain, Ana's laptop." in told or "Agents alive\nAna's laptop, main." in told
    await office.clock.advance(timedelta(minutes=6).total_seconds())
    assert "Agents alive" not in (await office.parts.status.content("main")).text


async def test_a_group_sees_its_own_project_and_the_main_group_those_of_all(agency: Agency) -> None:
    office = agency.office
    await office.database.execute("UPDATE host.groups SET project = '/srv/web' WHERE folder = 'design'")
    await office.registry.load()
    await agency.hold("src/**")
    await agency.hold("web/**", project="web")
    main = (await office.parts.status.content("main")).text
    assert 'Files held in shop\n"src/**": laptop-7' in main
    assert 'Files held in web\n"web/**": laptop-7' in main
    design = (await office.parts.status.content("design")).text
    assert 'Files held\n"web/**"' in design
    assert "src/**" not in design
    assert ELSEWHERE in design


async def test_a_long_list_is_cut_on_one_screen(agency: Agency) -> None:
    for number in range(10):
        await agency.hold(f"src/{number}.py")
    told = (await agency.office.parts.status.content("main")).text
    assert told.count('"src/') == 8
    assert "2 more reservations." in told
