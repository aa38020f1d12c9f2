"""An agent that the program has never heard of, added by settings alone, in a real hardened container."""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import pytest

from container.agent import Fittings
from container.context import Entry, pack
from container.docker import DockerSandbox
from container.engine import Engine
from container.launcher import SandboxLauncher
from container.life import LaunchedAgent
from container.planning import GROUP_FOLDER, MODEL_SOCKET, user_inside
from container.runtimes import runtimes
from container.sandbox import ImageMissing, Mount
from host.custom_runtimes import custom_runtimes
from host.settings import Settings
from tests.container.scene import Listener, Toolbox

pytestmark = pytest.mark.docker
TAG = f"intercom-test-stranger:{os.getpid()}"
PROGRAM = Path(__file__).with_name("stranger.py")
ROW = {
    "title": "A stranger",
    "image": TAG,
    "command": ["python3", "/srv/stranger.py"],
    "environment": {"STRANGER_HOST": "http://127.0.0.1:8181"},
    "api": "anthropic",
    "models": ["strange-1", "strange-2"],
    "model_variable": "STRANGER_MODEL",
    "state": "/home/agent/.stranger",
    "memory": "STRANGER.md",
}


@pytest.fixture
async def stranger(engine: Engine, image: str) -> AsyncIterator[None]:
    """Its image, built as a user would: the tools of Intercom are in what it stands on."""
    dockerfile = f"FROM {image}\nCOPY stranger.py /srv/stranger.py\n"
    packed = BytesIO()
    pack(
        [Entry(name="Dockerfile", content=dockerfile.encode()), Entry(name="stranger.py", path=PROGRAM)],
        packed,
    )
    said = await engine.run(
        lambda client: list(
            client.build(fileobj=packed, custom_context=True, tag=TAG, rm=True, forcerm=True, decode=True)
        )
    )
    assert not [row for row in said if "error" in row]
    yield
    await engine.run(lambda client: client.remove_image(TAG, force=True))


def settings(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("INTERCOM_RUNTIMES", json.dumps({"stranger": ROW}))
    return Settings()


def fittings(folder: Path, resume: str = "", model: str = "") -> Fittings:
    owner, group = user_inside(os.getuid(), os.getgid())
    mounts = []
    for name, target in (("state", ROW["state"]), ("group", GROUP_FOLDER)):
        (folder / name).mkdir(exist_ok=True)
        if os.getuid() == 0:
            os.chown(folder / name, owner, group)
        mounts.append(Mount(source=folder / name, target=str(target), writable=True))
    return Fittings(
        model=model, folder=GROUP_FOLDER, mounts=tuple(mounts), services={MODEL_SOCKET: model_of_the_host},
        resume=resume,
    )  # fmt: skip


def model_of_the_host() -> asyncio.BaseProtocol:
    """Answers one HTTP request as the broker would."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        said = b"you asked for " + head.split()[1]
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(said) + said)
        writer.close()

    return asyncio.StreamReaderProtocol(asyncio.StreamReader(), serve)


async def told(agent: LaunchedAgent, expression: str) -> str:
    heard = Listener()
    async with asyncio.timeout(20):
        await agent.prompt(expression, heard)
    return heard.said


@asynccontextmanager
async def launching(docker: DockerSandbox, folder: Path) -> AsyncIterator[SandboxLauncher]:
    async with SandboxLauncher.running(docker, folder / "s") as launcher:
        yield launcher


@pytest.mark.usefixtures("stranger")
async def test_an_agent_nobody_heard_of_runs_by_settings_alone(
    docker: DockerSandbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runtime = runtimes({}, custom_runtimes(settings(monkeypatch).runtimes))["stranger"]
    async with launching(docker, folder) as launcher:
        agent = await launcher.launch("main", runtime, Toolbox(), fittings(folder))
        assert await told(agent, "os.environ['STRANGER_MODEL']") == "strange-1"
        assert await told(agent, "os.environ['STRANGER_HOST']") == "http://127.0.0.1:8181"
        assert await told(agent, "reach(8181)") == "you asked for /anthropic"
        assert (await told(agent, "reach(8182)")).startswith("no:")  # it may not leave
        assert await told(agent, "os.getuid() == 0 or os.access('/', os.W_OK)") == "False"
        assert await told(agent, "pathlib.Path('/home/agent/x').write_text('home is writable')") == "16"
        session = agent.session
        assert session == "one"
        await agent.close()

        again = await launcher.launch("main", runtime, Toolbox(), fittings(folder, session, "strange-2"))
        assert again.resumed
        assert await told(again, "os.environ['STRANGER_MODEL']") == "strange-2"
        assert await told(again, "pathlib.Path('/home/agent/x').exists()") == "False"


async def test_an_image_of_ones_own_that_is_missing_is_said_so(
    docker: DockerSandbox, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    [row] = custom_runtimes(settings(monkeypatch).runtimes)
    async with launching(docker, folder) as launcher:
        with pytest.raises(ImageMissing, match="Pull or build it with docker"):
            await launcher.launch("main", row, Toolbox(), fittings(folder))
