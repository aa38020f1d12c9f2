"""Real sandboxes: child processes, and containers of an install of their own that is swept at the end."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from container.agent import Runtime
from container.docker import INSTALL_LABEL, DockerSandbox
from container.engine import Engine
from container.image_builder import ImageBuilder
from container.launcher import SandboxLauncher
from container.process import ProcessSandbox
from container.runtimes import LOCAL, runtimes
from container.sandbox import Sandbox

INSTALL = f"test{os.getpid()}"


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder with a short path: a socket's path has 107 bytes at most."""
    path = Path(tempfile.mkdtemp(prefix="ic-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    engine = Engine()
    yield engine

    async def sweep() -> None:
        for running in await DockerSandbox(INSTALL, engine).running():
            await DockerSandbox(INSTALL, engine).stop(running.id, grace=0)
        await engine.close()

    asyncio.run(sweep())


@pytest.fixture(scope="session")
def image(engine: Engine) -> str:
    """The agents' image; built once, and only when its content changed."""
    said: list[str] = []
    return asyncio.run(ImageBuilder(engine, version="test").ensure(LOCAL, said.append))


@pytest.fixture
async def docker(engine: Engine, image: str, request: pytest.FixtureRequest) -> AsyncIterator[DockerSandbox]:
    sandbox = DockerSandbox(INSTALL, engine)
    yield sandbox
    for running in await sandbox.running():
        words = await sandbox.last_words(running.id)
        print(f"{request.node.name}: {running.key} {running.id[:12]}: {words}")  # noqa: T201 - shown on failure
        await sandbox.stop(running.id, grace=0)


@pytest.fixture(autouse=True)
def container_logs(request: pytest.FixtureRequest) -> Iterator[None]:
    """When a test with containers fails, show what they are and said."""
    before = request.session.testsfailed
    yield
    if request.session.testsfailed > before and request.node.get_closest_marker("docker"):
        label = f"label={INSTALL_LABEL}={INSTALL}"
        os.system(f"docker ps -a --filter {label}; docker ps -aq --filter {label} | xargs -r -n1 docker logs")  # noqa: S605


@pytest.fixture(params=["process", pytest.param("docker", marks=pytest.mark.docker)])
def sandbox(request: pytest.FixtureRequest) -> Sandbox:
    """Both kinds: what holds for one must hold for the other."""
    if request.param == "process":
        return ProcessSandbox(INSTALL)
    found: Sandbox = request.getfixturevalue("docker")
    return found


@pytest.fixture
def runtime(sandbox: Sandbox, request: pytest.FixtureRequest) -> Runtime:
    return runtimes({LOCAL: request.getfixturevalue("image")} if sandbox.isolated else {})[LOCAL]


@pytest.fixture
async def launcher(sandbox: Sandbox, folder: Path) -> AsyncIterator[SandboxLauncher]:
    async with SandboxLauncher.running(sandbox, folder / "s") as launcher:
        yield launcher
