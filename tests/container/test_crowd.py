"""Counting what runs in a sandbox: by control group or family, in real sandboxes, or by the engine."""

import asyncio
import os
from pathlib import Path

import pytest

from container.crowd import crowd_of_family, crowd_of_group
from container.docker import DockerSandbox
from container.launcher import SandboxLauncher
from container.process import ProcessSandbox
from container.runtimes import LOCAL, runtimes
from tests.container.scene import Toolbox

NAME = "f2ea8412da2c"


@pytest.mark.parametrize(
    ("groups_of_leader", "place"),
    [
        (f"9:name=systemd:/docker/{NAME}\n8:pids:/docker/{NAME}\n0::/docker/{NAME}\n", f"pids/docker/{NAME}"),
        (f"0::/system.slice/docker-{NAME}.scope\n", f"system.slice/docker-{NAME}.scope"),
    ],
)
def test_both_versions_of_control_groups_are_read(tmp_path: Path, groups_of_leader: str, place: str) -> None:
    (tmp_path / "proc" / "77").mkdir(parents=True)
    (tmp_path / "proc" / "77" / "cgroup").write_text(groups_of_leader)
    (tmp_path / "groups" / place).mkdir(parents=True)
    (tmp_path / "groups" / place / "pids.current").write_text("12\n")
    assert crowd_of_group(77, NAME, tmp_path / "proc", tmp_path / "groups") == 12


@pytest.mark.parametrize(
    "content", ["", "nonsense\n", "8:pids:/docker/another\n", f"8:pids:/docker/{NAME}\n"]
)
def test_what_cannot_be_read_is_not_known(tmp_path: Path, content: str) -> None:
    (tmp_path / "77").mkdir()
    (tmp_path / "77" / "cgroup").write_text(content)
    assert crowd_of_group(77, NAME, tmp_path, tmp_path) is None
    assert crowd_of_group(78, NAME, tmp_path, tmp_path) is None


async def test_a_child_and_its_children_are_counted() -> None:
    before = await asyncio.to_thread(crowd_of_family, os.getpid())
    child = await asyncio.create_subprocess_exec("sh", "-c", "sleep 600 & echo $!; wait", stdout=-1)
    assert child.stdout is not None
    grandchild = int(await child.stdout.readline())
    try:
        assert await asyncio.to_thread(crowd_of_family, child.pid) == 2
        assert await asyncio.to_thread(crowd_of_family, os.getpid()) >= before + 2
    finally:
        os.kill(grandchild, 9)
        await child.communicate()
    assert await asyncio.to_thread(crowd_of_family, child.pid) == 0


@pytest.mark.docker
async def test_the_control_group_and_the_engine_say_the_same(
    docker: DockerSandbox, folder: Path, image: str
) -> None:
    async with SandboxLauncher.running(docker, folder / "s") as launcher:
        agent = await launcher.launch("main", runtimes({LOCAL: image})[LOCAL], Toolbox())
        leader = await docker.leader(agent.sandbox_id)
        counts: list[int | None] = [0, -1]
        async with asyncio.timeout(20):
            while len(set(counts)) > 1:  # an agent that has just come up still starts and ends processes
                counts = [
                    await asyncio.to_thread(crowd_of_group, leader, agent.sandbox_id),
                    await docker.crowd(agent.sandbox_id, leader),
                    await docker.crowd(agent.sandbox_id, 0),
                ]
        assert counts[0] is not None
        assert counts[0] >= 2  # the init and the agent
        sandbox_id = agent.sandbox_id
        await agent.close()
        assert await docker.crowd(sandbox_id, leader) == 0


async def test_a_child_process_is_counted_too(folder: Path) -> None:
    sandbox = ProcessSandbox("crowd")
    async with SandboxLauncher.running(sandbox, folder / "s") as launcher:
        agent = await launcher.launch("main", runtimes({})[LOCAL], Toolbox())
        assert await sandbox.crowd(agent.sandbox_id, 0) >= 1
