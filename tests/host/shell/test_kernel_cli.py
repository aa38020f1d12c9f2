"""`intercom up` with INTERCOM_KERNEL=cli: commands in project folders, with all they need or part of it."""

import asyncio
import json
import os
import re
import signal
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from storage.database import Database
from tests.conftest import TestServer
from tests.host.shell.page import Json, Page, offers, opened, words
from tests.program import Program
from tests.servers.kernels import faults
from tests.servers.kernels.project import Project, install

PATIENCE = 60.0


@pytest.fixture
def place() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ic-") as folder:
        yield Path(folder).resolve()


@pytest.fixture
def api(place: Path) -> Project:
    return Project.create(place, name="api", tools=install(place / "bin"))


@pytest.fixture
def web(place: Path, api: Project) -> Project:
    return Project.create(place, name="web", tools=api.bin)


@pytest.fixture
def settings(api: Project, web: Project, postgres: TestServer) -> Iterator[dict[str, str]]:
    name = postgres.create(migrated=True)
    yield {
        "INTERCOM_DATABASE_URL": postgres.url(name),
        "INTERCOM_SANDBOX": "process",
        "INTERCOM_KERNEL": "cli",
        "INTERCOM_PROJECT": str(api.folder),
        "INTERCOM_PROJECTS": f'["{web.folder}"]',
        **api.environment,
    }
    postgres.drop(name)


@pytest.fixture
def program(place: Path, settings: dict[str, str]) -> Program:
    return Program(place / "home", settings)


@pytest.fixture
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


async def readyz(program: Program, http: aiohttp.ClientSession) -> tuple[int, dict[str, Any]]:
    async with http.get(f"{program.url}/readyz") as answer:
        found = await answer.json()
        return answer.status, found["parts"]["kernel"]


async def until(done: Callable[[], Awaitable[Any]]) -> Any:
    """Ask until the answer is something: it is another process, nothing here could wake us."""
    async with asyncio.timeout(PATIENCE):
        while True:
            if found := await done():
                return found
            await asyncio.sleep(0.1)


async def serving(program: Program) -> None:
    """Started, and the page is there, whether or not everything is well."""

    async def greeted() -> bool:
        assert program.alive, program.last_words()
        return "Ctrl-C stops it." in program.log.read_text()

    await program.launch()
    await until(greeted)


async def is_ready(program: Program, http: aiohttp.ClientSession) -> bool:
    return (await readyz(program, http))[0] == 200


async def ok(program: Program, *command: str) -> str:
    status, printed = await program.command(*command)
    assert status == 0, printed
    return printed


async def followed(settings: dict[str, str], project: Project) -> None:
    """Wait until a project's log was read to its end: what happens from now on is news."""
    query = "SELECT count(*) FROM host.feed_marks WHERE project = $1"
    async with Database.open(settings["INTERCOM_DATABASE_URL"], size=1) as database:
        await until(lambda: database.fetchval(query, str(project.folder)))


async def approvals(program: Program) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(await ok(program, "approvals", "list", "--json"))
    return found


def processes(project: Project, what: str = "") -> dict[int, str]:
    """Everything that runs one of the project's executables: command lines by process."""
    found = {}
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            line = place.read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(project.bin) in line and what in line:
                found[int(place.parent.name)] = line
    return found


def end(project: Project) -> None:
    """What was left behind ends at last."""
    for process in processes(project, "override"):
        os.kill(process, signal.SIGKILL)


async def is_approved(page: Page, card: Json) -> bool:
    history = await page.get("/api/rooms/main/history?limit=50")
    return any("Approved by" in words(item) for item in history["items"] if item["id"] == card["id"])


async def refused(program: Program, *command: str) -> str:
    status, printed = await program.command(*command)
    assert status == 1, printed
    assert "Traceback" not in printed
    return printed


async def test_a_gate_of_the_real_kernel_is_decided_on_the_page(program: Program, api: Project) -> None:
    async with program.running(), opened((await ok(program, "link")).strip()) as page:
        await page.say("create an issue: mend the fence")
        await page.item(lambda item: "mend the fence" in words(item) and item["kind"] == "answer", PATIENCE)
        assert [issue["title"] for issue in (await api.bd("list")).json] == ["mend the fence"]
        await page.say("start a run to refactor auth")
        asked = await page.item(lambda item: offers(item, "approve"), PATIENCE)
        await page.tap(asked, "approve")
        await page.item(lambda item: item["id"] == asked["id"] and "Approved" in words(item), PATIENCE)
        (run,) = [run["id"] for run in (await api.ic("run", "list", "--active")).json]
        await api.advance(run)
        gate = await page.item(lambda item: item["id"] != asked["id"] and offers(item, "approve"), PATIENCE)
        await page.tap(gate, "approve")
        await page.item(lambda item: item["id"] == gate["id"] and "Approved" in words(item), PATIENCE)
        assert (await api.ic("run", "status", run)).json["phase"] == "brainstorm-reviewed"
        assert (await refused(program, "kernel", "run", "list")).startswith("INTERCOM_KERNEL is cli")
        assert await asyncio.to_thread(processes, api, "--follow")
        status, seconds = await program.stop()
        assert (status, seconds < 30) == (0, True)
        assert await asyncio.to_thread(processes, api) == {}


async def test_a_kernel_that_hangs_keeps_nobody_from_starting_and_talking(
    program: Program, api: Project, http: aiohttp.ClientSession
) -> None:
    api.plant("ic", faults.HANG, times=10_000)
    try:
        await serving(program)
        status, kernel = await readyz(program, http)
        assert (status, kernel["reason"]) == (503, "no answer within 3 s")
        async with opened((await ok(program, "link")).strip()) as page:
            await page.say("/ping")
            await page.item(lambda item: item["kind"] == "answer", PATIENCE)
            await page.say("/status")
            said = await page.item(lambda item: "Not well" in words(item), PATIENCE)
            assert "The kernel does not answer" in words(said)
        api.heal()
        await until(lambda: is_ready(program, http))
        status, seconds = await program.stop()
        assert (status, seconds < 30) == (0, True)
        assert await asyncio.to_thread(processes, api) == {}
    finally:
        await program.kill()


async def test_without_ic_it_starts_says_so_everywhere_and_is_well_when_ic_is_there(
    program: Program, api: Project, http: aiohttp.ClientSession
) -> None:
    api.remove("ic")
    try:
        await serving(program)
        assert "WARNING: The program ic is not installed" in program.log.read_text()
        status, kernel = await readyz(program, http)
        assert status == 503
        assert "ic is not installed" in kernel["reason"]
        status, doctor = await program.command("doctor")
        assert status == 1
        assert f"in {api.folder}. The program ic is not installed" in doctor
        assert "→ build ic from https://github.com/mistakeknot/intercore" in doctor
        async with opened((await ok(program, "link")).strip()) as page:
            await page.say("/status")
            said = await page.item(lambda item: "Not well" in words(item), PATIENCE)
            assert "The program ic is not installed" in words(said)
            assert words(said).count("is not installed") == 1
            await page.say("create an issue: mend the fence")  # that is bd's
            await page.item(
                lambda item: "mend the fence" in words(item) and item["kind"] == "answer", PATIENCE
            )
            api.bring_back("ic")
            await until(lambda: is_ready(program, http))
            await page.say("start a run to refactor auth")  # the agent sees the new list of tools
            await page.item(lambda item: offers(item, "approve"), PATIENCE)
    finally:
        await program.kill()


async def test_without_bd_the_rest_works_and_what_is_missing_is_named(
    program: Program, api: Project, http: aiohttp.ClientSession
) -> None:
    api.remove("bd")
    async with program.running():
        _, kernel = await readyz(program, http)
        assert kernel["ok"]
        assert "bd is not installed" in kernel["reason"]
        assert re.search("Not offered until then: .*next work, create issue and 2 more", kernel["reason"])
        status, doctor = await program.command("doctor")
        assert "go install github.com/steveyegge/beads/cmd/bd@latest" in doctor
        assert status == 1


async def test_a_group_is_given_a_project_while_the_host_runs_and_hears_of_it(
    program: Program, api: Project, web: Project, settings: dict[str, str]
) -> None:
    add = ["group", "add", "tg:-100", "--folder", "shop", "--project"]
    async with program.running():
        assert "is not one of the projects allowed here" in await refused(program, *add, str(api.bin))
        assert "There is no folder" in await refused(program, *add, str(api.folder / "nowhere"))
        await ok(program, *add, f"{web.folder}/../web")
        assert f"works on {web.folder}" in await ok(program, "group", "list")
        assert f"group project shop {api.folder}" in await refused(program, *add, str(api.folder))
        await followed(settings, web)
        run = await web.run("the page")
        await web.advance(run)
        (approval,) = await until(lambda: approvals(program))
        assert (approval["folder"], approval["run"], approval["project"]) == ("shop", run, str(web.folder))
        shown = await ok(program, "group", "project", "shop", "default")
        assert shown.strip() == f"shop works on {api.folder}, the default project."
        assert '"group.project_set"' in await ok(program, "audit", "tail", "--json")


async def test_a_project_taken_out_of_the_settings_is_told_by_the_doctor(
    program: Program, place: Path, settings: dict[str, str], web: Project
) -> None:
    await ok(program, "group", "add", "tg:-100", "--folder", "shop", "--project", str(web.folder))
    later = Program(place / "home", {**settings, "INTERCOM_PROJECTS": "[]"})
    status, doctor = await later.command("doctor")
    assert status == 1
    assert f"✗ Projects   shop names {web.folder}, which is not allowed here." in doctor
    assert "which is not allowed here any more" in await ok(later, "group", "project", "shop")


@pytest.mark.full
async def test_a_host_killed_while_the_kernel_carries_out_a_decision_does_it_once(
    program: Program, api: Project
) -> None:
    async with program.running(), opened((await ok(program, "link")).strip()) as page:
        run = await api.run("refactor auth")
        await api.advance(run)
        gate = await page.item(lambda item: offers(item, "approve"), PATIENCE)
        api.plant("ic gate override", faults.HANG_AFTER)
        await page.tap(gate, "approve")
        await until(lambda: moved(api, run))
        await program.kill()
    # It outlived its host, so nobody can say yet what becomes of it: that keeps nobody from starting.
    assert len(await asyncio.to_thread(processes, api, "override")) == 1
    try:
        await program.start()
        await asyncio.to_thread(end, api)
        async with opened((await ok(program, "link")).strip()) as page:
            await until(lambda: is_approved(page, gate))
    finally:
        await program.kill()
    assert (await api.ic("run", "status", run)).json["phase"] == "brainstorm-reviewed"
    assert len(api.calls("ic gate override")) == 1


async def moved(project: Project, run: str) -> bool:
    return bool((await project.ic("run", "status", run)).json["phase"] != "brainstorm")
