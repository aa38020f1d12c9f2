"""The way out as an agent in a real container has it: named hosts over TLS, and nothing beside."""

import os
from pathlib import Path

import pytest

from container.agent import Fittings, Runtime
from container.docker import DockerSandbox
from container.launcher import SandboxLauncher
from container.life import LaunchedAgent
from container.planning import EGRESS_SOCKET, user_inside
from container.sandbox import Mount
from tests.container.egress.outside import CERTIFICATE, Rig, rigged
from tests.container.scene import Toolbox
from tests.container.test_custom_runtimes import PROGRAM, told

pytestmark = pytest.mark.docker

CONTAINERS_OWN = "open('/proc/net/route').read().count(chr(10))"


def fittings(folder: Path, rig: Rig) -> Fittings:
    state = folder / "state"
    state.mkdir(exist_ok=True)
    if os.getuid() == 0:
        os.chown(state, *user_inside(os.getuid(), os.getgid()))
    service = rig.egress.service("main", lambda: frozenset(rig.hosts))
    return Fittings(
        mounts=(Mount(source=state, target="/home/agent/.stranger", writable=True),),
        services={EGRESS_SOCKET: service},
    )


async def get(agent: LaunchedAgent, url: str) -> str:
    return await told(agent, f"get({url!r}, {CERTIFICATE.read_text()!r})")


async def test_an_agent_reaches_what_was_allowed_and_nothing_else(
    docker: DockerSandbox, image: str, folder: Path
) -> None:
    stranger = Runtime(name="stranger", image=image, command=("python3", "-c", PROGRAM.read_text()))
    async with rigged(folder) as rig, SandboxLauncher.running(docker, folder / "s") as launcher:
        rig.outside.page = b"hello from outside"
        agent = await launcher.launch("main", stranger, Toolbox(), fittings(folder, rig))
        assert await get(agent, "https://api.example.com/") == "hello from outside"
        assert "403" in await get(agent, "https://other.example.com/")
        assert "403" in await get(agent, "https://api.example.com:8443/")
        assert "403" in await get(agent, "https://169.254.169.254/latest/meta-data/")
        assert (await get(agent, "http://api.example.com/")).startswith("no:")
        assert await told(agent, CONTAINERS_OWN) == "1"  # a heading, and no route
        rig.hosts.clear()
        assert "403" in await get(agent, "https://api.example.com/")
        rig.hosts.add("api.example.com")
        rig.outside.names["api.example.com"] = ["172.17.0.1"]  # the host, as containers would see it
        assert "403" in await get(agent, "https://api.example.com/")
        assert rig.outside.connected == ["127.0.0.1"]
        await agent.close()
        await rig.quiet()
