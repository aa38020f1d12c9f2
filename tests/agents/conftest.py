"""The images of the real agents, and one running agent of each kind that the tests share."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
import pytest_asyncio

from container.agent import Runtime
from container.docker import INSTALL_LABEL, DockerSandbox
from container.engine import Engine
from container.image_builder import ImageBuilder
from container.planning import user_inside
from container.runtimes import runtimes
from container.sandbox import ContainerError, ImageMissing
from tests.agents.house import House, Lodger

INSTALL = f"agents{os.getpid()}"
NAMES = ("claude", "codex", "gemini")
#: Gemini CLI takes ten seconds and more for each of these; the other two, and test_program.py, sample them
LONG_WITH_GEMINI = {
    "test_it_knows_after_its_death_what_was_said_before",
    "test_it_opens_a_new_session_where_there_is_nothing_to_load",
    "test_an_answer_without_end_is_cut_and_explained",
    "test_helpers.py",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        name, mark, rest = item.name.partition("[gemini]")
        if mark and not rest and (name in LONG_WITH_GEMINI or item.path.name in LONG_WITH_GEMINI):
            item.add_marker(pytest.mark.full)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine

    async def sweep() -> None:
        sandbox = DockerSandbox(INSTALL, engine)
        for running in await sandbox.running():
            await sandbox.stop(running.id, grace=0)
        await engine.close()

    asyncio.run(sweep())


@pytest.fixture(scope="module", params=NAMES)
def runtime(engine: Engine, request: pytest.FixtureRequest) -> Runtime:
    """Each of the three; its image is built when it is not there, which takes a minute once."""
    name = str(request.param)
    user, _ = user_inside(os.geteuid(), os.getegid())
    builder = ImageBuilder(engine, version=version("intercom"), user=user)

    async def ready() -> None:
        try:
            await DockerSandbox(INSTALL, engine).check()
        except ContainerError as error:
            pytest.skip(f"no Docker engine: {error}")
        try:
            await builder.ensure(name, lambda said: None)
        except ImageMissing as error:
            pytest.skip(f"the image of {name} cannot be built here: {error}")

    asyncio.run(ready())
    return runtimes(builder.tags)[name]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder with a short path: a socket's path has 107 bytes at most."""
    path = Path(tempfile.mkdtemp(prefix="ic-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def house(engine: Engine, home: Path, runtime: Runtime) -> AsyncIterator[House]:
    async with House.open(engine, INSTALL, home) as house:
        yield house


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def shared(house: House, runtime: Runtime) -> Lodger:
    """One agent that tests talk to one after the other; none of them may end it."""
    return await house.lodge("shared", runtime)


@pytest.fixture
def lodger(house: House, shared: Lodger) -> Iterator[Lodger]:
    """The shared agent, with nothing left over from the test before."""
    house.models.forget()
    shared.purse.troubles.clear()
    yield shared
    shared.purse.empty = False
    house.models.forget()


@pytest.fixture(autouse=True)
def container_logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """When a test fails, show what the containers are and said."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before:
        label = f"label={INSTALL_LABEL}={INSTALL}"
        os.system(f"docker ps -a --filter {label}; docker ps -aq --filter {label} | xargs -r -n1 docker logs")  # noqa: S605
