"""The worlds a law is tried in: embedded always, fake for half the laws always, real at full length only."""

import zlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from demarch.embedded import EmbeddedKernel
from storage.clock import SystemClock
from storage.database import Database
from storage.ids import NewId
from tests.demarch.law import binaries, command_line
from tests.demarch.law.binaries import Template
from tests.demarch.law.command_line import CliWorld
from tests.demarch.law.embedded import EmbeddedWorld
from tests.demarch.law.worlds import Caller, World

#: fixture -> the binary whose doings its laws are about
PROGRAMS = {"world": "ic", "tracker": "bd"}
Unlike = Callable[[str, str], None]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Which real binaries are missing, and why, is said once, by test_binaries."""
    for fixture, program in PROGRAMS.items():
        if fixture in metafunc.fixturenames:
            # Executables start anew for every command; a short run takes the same half every time.
            half = zlib.crc32(metafunc.function.__name__.encode()) % 2 == 0
            worlds = ["embedded", "fake" if half else pytest.param("fake", marks=pytest.mark.full)]
            real = [pytest.param("real", marks=pytest.mark.full)] if binaries.found(program) else []
            metafunc.parametrize(fixture, [*worlds, *real], indirect=True)


@pytest.fixture(scope="session")
def real() -> dict[str, Path]:
    """The real binaries of this machine."""
    return {program: path for program in ("ic", "bd") if (path := binaries.found(program)) is not None}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("template"))


@pytest.fixture
def make_world(
    tmp_path: Path, database: Database, new_id: NewId, real: dict[str, Path], template: Template
) -> Callable[[str], AsyncIterator[World]]:
    async def make(name: str) -> AsyncIterator[World]:
        if name == "embedded":
            folder = tmp_path / "project"
            folder.mkdir()
            kernel = EmbeddedKernel(database, SystemClock(), project=folder)
            yield EmbeddedWorld(kernel, new_id, folder)
        elif name == "fake":
            yield command_line.fake(tmp_path, database)
        else:
            project = await template.project(tmp_path, real)
            yield CliWorld("real", project, database, pretended="ic" not in real)

    return make


@pytest.fixture
async def world(
    request: pytest.FixtureRequest, make_world: Callable[[str], AsyncIterator[World]]
) -> AsyncIterator[World]:
    """For laws about runs, gates, discoveries and the log: what `ic` keeps."""
    async for made in make_world(request.param):
        yield made


@pytest.fixture
async def tracker(
    request: pytest.FixtureRequest, make_world: Callable[[str], AsyncIterator[World]]
) -> AsyncIterator[World]:
    """For laws about issues: what `bd` keeps."""
    async for made in make_world(request.param):
        yield made


@pytest.fixture
def ana(world: World, new_id: NewId) -> Caller:
    """Ana, who asks the kernel of the world."""
    return Caller(world, new_id)


@pytest.fixture
def clerk(tracker: World, new_id: NewId) -> Caller:
    """Somebody who files issues."""
    return Caller(tracker, new_id, actor="clerk")


@pytest.fixture
def unlike(request: pytest.FixtureRequest) -> Unlike:
    """`unlike("embedded", why)`: that kernel does not keep this law yet. It fails once it does."""

    def mark(name: str, why: str) -> None:
        if f"[{name}]" in request.node.name or f"[{name}-" in request.node.name:
            request.applymarker(pytest.mark.xfail(reason=why, strict=True))

    return mark
