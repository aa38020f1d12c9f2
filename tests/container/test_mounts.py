"""What an agent sees of the host's folders, from inside."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from container.agent import Fittings, Runtime
from container.docker import DockerSandbox
from container.planning import GROUP_FOLDER, HOME, plan, user_inside
from container.sandbox import Mount, StartFailed
from container.sockets import SocketFolder

pytestmark = pytest.mark.docker

LOOK = """
import json, os, sys
def tried(work):
    try:
        return str(work())
    except OSError as error:
        return error.__class__.__name__
def execute():
    path = os.environ["HOME"] + "/x.sh"
    open(path, "w").write("#!/bin/sh\\n")
    os.chmod(path, 0o755)
    return os.posix_spawn(path, ["x"], {})
print(json.dumps({
    "user": [os.getuid(), os.getgid()], "home": os.environ["HOME"],
    "home_write": tried(lambda: open(os.environ["HOME"] + "/x", "w").close()), "home_exec": tried(execute),
    "group": sorted(os.listdir("/workspace/group")), "global": sorted(os.listdir("/workspace/global")),
    "group_write": tried(lambda: open("/workspace/group/made", "w").close()),
    "global_write": tried(lambda: open("/workspace/global/made", "w").close()),
    "below_write": tried(lambda: open("/workspace/global/below/made", "w").close()),
    "state_write": tried(lambda: open(os.environ["HOME"] + "/.agent/made", "w").close()),
    "model": os.environ.get("MODEL"),
}), flush=True)
"""


@pytest.fixture
def places(folder: Path) -> Path:
    """Folders of a group, the state and all groups; owned as the host owns them."""
    user, group = user_inside(os.getuid(), os.getgid())
    for name in ("group", "state", "global", "global/below"):
        (folder / name).mkdir()
        os.chown(folder / name, user, group)
    (folder / "group" / "CLAUDE.md").write_text("memory")
    return folder


@pytest.fixture
def mounted_below(places: Path) -> Iterator[None]:
    """Another file system, mounted below what agents may read."""
    below = places / "global" / "below"
    done = subprocess.run(  # noqa: S603 - our own folder
        ["/bin/mount", "-t", "tmpfs", "tmpfs", str(below)], check=False, capture_output=True
    )
    if done.returncode:
        pytest.skip(f"nothing can be mounted here: {done.stderr.decode().strip()}")
    below.chmod(0o777)
    yield
    subprocess.run(["/bin/umount", str(below)], check=True)  # noqa: S603 - our own folder


async def seen(docker: DockerSandbox, image: str, places: Path, *more: Mount) -> dict[str, Any]:
    runtime = Runtime(
        name="x", image=image, command=("python3", "-c", LOOK), models=("large",), model_variable="MODEL"
    )
    fittings = Fittings(
        mounts=(
            Mount(source=places / "group", target=GROUP_FOLDER, writable=True),
            Mount(source=places / "global", target="/workspace/global"),
            Mount(source=places / "state", target=f"{HOME}/.agent", writable=True),
            *more,
        )
    )
    async with SocketFolder.open(places / "s", "main") as sockets:
        user = user_inside(os.getuid(), os.getgid())
        sandbox_id = await docker.start(plan("main", runtime, sockets.path, None, fittings, user))
        try:
            reader, _ = await sockets.session
            found: dict[str, Any] = json.loads(await reader.readline())
            return found
        finally:
            await docker.stop(sandbox_id, grace=0)


async def test_folders_are_there_and_writable_only_where_said(
    docker: DockerSandbox, image: str, places: Path
) -> None:
    found = await seen(docker, image, places)
    assert found["group"] == ["CLAUDE.md"]
    assert (found["group_write"], found["state_write"]) == ("None", "None")
    assert found["global_write"] == "OSError"
    assert (places / "group" / "made").stat().st_uid == user_inside(os.getuid(), os.getgid())[0]
    assert (places / "state" / "made").exists()
    assert found["model"] == "large"


async def test_home_is_in_memory_the_agents_own_and_runs_nothing(
    docker: DockerSandbox, image: str, places: Path
) -> None:
    found = await seen(docker, image, places)
    assert tuple(found["user"]) == user_inside(os.getuid(), os.getgid())
    assert (found["home"], found["home_write"]) == (HOME, "None")
    assert found["home_exec"] == "PermissionError"


async def test_what_is_mounted_below_a_folder_does_not_come_along(
    docker: DockerSandbox, image: str, places: Path, mounted_below: None
) -> None:
    assert (await seen(docker, image, places))["below_write"] == "OSError"
    assert not (places / "global" / "below" / "made").exists()


async def test_a_folder_that_is_not_there_is_said_so(docker: DockerSandbox, image: str, places: Path) -> None:
    shutil.rmtree(places / "state")
    with pytest.raises(StartFailed, match="state"):
        await seen(docker, image, places)
    assert await docker.running() == []
