"""Projects are followed while some group works on them: begun and ended by registrations, not by restarts."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from host.news.following import EVERY, Following
from host.news.routing import Routing
from host.news.wishes import Wishes
from host.people.registry import Registry
from storage.wakeups import Wakeups
from tests.host.decisions.office import MAIN, OTHER
from tests.host.projects.conftest import WEB, Branch

GONE = "/srv/gone"
MARKS = "SELECT count(*) FROM host.feed_marks WHERE project = $1"


@dataclass(slots=True)
class Followed:
    """Notes which projects are followed just now, and lets a test wait for that."""

    sight: "Sight"

    now: set[str] = field(default_factory=set)
    begun: list[str] = field(default_factory=list)
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    faults: list[str] = field(default_factory=list)  #: projects that fail the next time
    parting: list[str] = field(default_factory=list)  #: those that fail when they are left

    async def follow(self, project: str, wakeups: Wakeups) -> None:
        del wakeups
        if project in self.faults:
            self.faults.remove(project)
            raise RuntimeError("a fault of ours")
        await self._note(project, here=True)
        try:
            await asyncio.Event().wait()
        finally:
            await self._note(project, here=False)
            if project in self.parting:
                raise RuntimeError("a fault on the way out")

    async def until(self, *projects: str) -> None:
        async with asyncio.timeout(10), self.changed:
            await self.changed.wait_for(lambda: self.now == set(projects))

    async def _note(self, project: str, *, here: bool) -> None:
        async with self.changed:
            if here:
                self.now.add(project)
                self.begun.append(project)
            else:
                self.now.discard(project)
            self.changed.notify_all()


@asynccontextmanager
async def following(branch: Branch, url: str, *faults: str) -> AsyncIterator[Followed]:
    office = branch.office
    registry = Registry(office.database, office.clock, runtime="local")  # as another process has it
    await registry.load()
    async with Wakeups.open(url) as wakeups, asyncio.TaskGroup() as tasks:
        followed = Followed(await sight(branch, wakeups), faults=list(faults))
        service = Following(
            database=office.database,
            registry=registry,
            projects=office.parts.news.ground.projects,
            clock=office.clock,
            follow=followed.follow,
        )
        running = tasks.create_task(service.run(wakeups))
        yield followed
        running.cancel()


async def test_registrations_begin_and_end_the_following(branch: Branch, database_url: str) -> None:
    async with following(branch, database_url) as followed:
        await followed.until("", WEB)
        await branch.office.registry.set_project("design", "")
        await followed.until("")
        await branch.office.registry.add_group("tg:-300", "shop", project=WEB)
        await followed.until("", WEB)
        await branch.office.registry.remove_group("shop")
        await followed.until("")
    assert followed.begun.count("") == 1  # nothing happened to the one that stayed
    assert followed.now == set()


async def test_what_happened_while_nobody_worked_on_a_project_is_no_news(
    branch: Branch, database_url: str
) -> None:
    async with following(branch, database_url) as followed:
        await followed.until("", WEB)
        await branch.office.registry.set_project("design", "")
        await followed.until("")
        await followed.sight.until(0, MARKS, WEB)
    await branch.terminal.block(await branch.terminal.run("the page"), "look")
    await branch.office.registry.set_project("design", WEB)
    await branch.feed()
    assert await branch.office.lines("tg:-200") == []
    assert await branch.office.cards("tg:-200") == []


async def test_a_fault_in_one_project_ends_no_other_and_it_is_followed_again(
    branch: Branch, database_url: str
) -> None:
    async with following(branch, database_url, WEB) as followed:
        await followed.until("")
        async with asyncio.timeout(10):
            while WEB not in followed.begun:
                await branch.office.clock.advance(EVERY)
        await followed.until("", WEB)
    assert followed.begun.count("") == 1


async def test_a_fault_while_a_project_is_left_keeps_nobody_waiting(
    branch: Branch, database_url: str
) -> None:
    async with following(branch, database_url) as followed:
        await followed.until("", WEB)
        followed.parting.append(WEB)
        await branch.office.registry.set_project("design", "")
        await followed.until("")
        await followed.sight.until(0, MARKS, WEB)


async def test_a_project_that_is_not_allowed_keeps_its_place(branch: Branch, database_url: str) -> None:
    """Whoever takes it out of the settings by mistake loses no news when it is back."""
    await branch.office.registry.set_project("design", GONE)
    await branch.office.database.execute(
        "INSERT INTO host.feed_marks (project, source, mark) VALUES ($1, '', 0)", GONE
    )
    async with following(branch, database_url) as followed:
        await followed.until("")
        await followed.sight.until(0, MARKS, WEB)
    marks = await branch.office.database.fetch("SELECT DISTINCT project FROM host.feed_marks ORDER BY 1")
    assert [row["project"] for row in marks] == ["", GONE]


async def test_the_real_following_tells_what_happens_in_a_project_given_later(
    branch: Branch, database_url: str
) -> None:
    office = branch.office
    await office.registry.set_project("design", "")
    async with asyncio.timeout(20), Wakeups.open(database_url) as wakeups, asyncio.TaskGroup() as tasks:
        seen = await sight(branch, wakeups)
        service = tasks.create_task(office.parts.following.run(wakeups))
        await office.registry.set_project("design", WEB)
        await seen.until(1, MARKS + " AND source = ''", WEB)
        run = await branch.terminal.run("the page", phases=("review", "done"))
        await branch.terminal.block(run, "look")
        # Nothing wakes this process for another database: the poll finds it.
        while not await office.database.fetchval("SELECT count(*) FROM host.approvals"):
            await office.clock.advance(5)
        service.cancel()
    assert await office.database.fetchval("SELECT project FROM host.approvals") == WEB


class Sight:
    """Waits for what stands in the database, told by triggers of the test's own."""

    def __init__(self, branch: Branch, wakeups: Wakeups) -> None:
        self._office = branch.office
        self._changes = wakeups.subscribe("test_changes")

    async def until(self, count: int, query: str, *arguments: str) -> None:
        async with asyncio.timeout(10):
            while await self._office.database.fetchval(query, *arguments) != count:
                await self._changes.wait(self._office.clock, 3600)


async def sight(branch: Branch, wakeups: Wakeups) -> Sight:
    database = branch.office.database
    await database.execute(
        "CREATE FUNCTION host.test_changes() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_notify('test_changes', ''); RETURN NULL; END $$"
    )
    await database.execute(
        "CREATE TRIGGER test_changes AFTER INSERT OR DELETE ON host.feed_marks"
        " FOR EACH STATEMENT EXECUTE FUNCTION host.test_changes()"
    )
    return Sight(branch, wakeups)


async def test_a_line_names_the_project_unless_the_group_works_on_that_one(branch: Branch) -> None:
    run = await branch.twins("refactor auth", "write docs", phases=("one", "two", "three"))
    await branch.terminal.advance(run)
    await branch.feed()
    assert await branch.office.lines(OTHER) == ['📋 "write docs" is in two  ●○○']
    await branch.office.registry.remove_group("design")
    await branch.terminal.write("cancel_run", run_id=run)
    await branch.feed()
    (line,) = await branch.office.lines(MAIN)
    assert line.endswith("its work stays · web")


async def test_a_group_that_names_no_project_works_on_the_default_one(branch: Branch) -> None:
    office = branch.office
    routing = Routing(office.registry, Wishes(office.database), office.clock, "/srv/api")
    worked = {group.folder: routing.project_of(group) for group in office.registry.groups()}
    assert worked == {"main": "/srv/api", "design": WEB}
