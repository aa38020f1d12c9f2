"""What only containers promise: the locks, seen from inside, and what becomes of containers nobody wants."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from container.agent import Runtime
from container.docker import DockerSandbox
from container.engine import Engine
from container.launcher import SandboxLauncher
from container.planning import SESSION_COMMAND, plan, sandbox_name
from container.runtimes import LOCAL, runtimes
from container.sandbox import ImageMissing, Limits, SandboxSpec, StartFailed
from container.sockets import Connection, SocketFolder
from tests.container.scene import Listener, Toolbox, exited

pytestmark = pytest.mark.docker

PROBE = """
import json, os, socket, sys
def tried(work):
    try:
        return str(work())
    except OSError as error:
        return error.__class__.__name__ + " " + str(error.errno)
def status(name):
    return next(line.split()[1] for line in open("/proc/self/status") if line.startswith(name))
def connect(path):
    with socket.socket(socket.AF_UNIX) as one:
        return one.connect(path)
def internet():
    with socket.socket() as one:
        one.settimeout(3)
        return one.connect(("1.1.1.1", 53))
def execute():
    open("/tmp/x.sh", "w").write("#!/usr/bin/python3\\n")
    os.chmod("/tmp/x.sh", 0o755)
    return os.execv("/tmp/x.sh", ["x"])
folder = "/run/intercom"
print(json.dumps({
    "user": os.getuid(), "group": os.getgid(), "caps": status("CapEff"), "bounding": status("CapBnd"),
    "no_new_privs": status("NoNewPrivs"), "interfaces": sorted(name for _, name in socket.if_nameindex()),
    "internet": tried(internet), "root": tried(lambda: open("/x", "w")),
    "etc": tried(lambda: open("/etc/x", "w")), "opt": tried(lambda: open("/opt/intercom/bridge.py", "a")),
    "tmp": tried(lambda: open("/tmp/x", "w").close()),
    "tmp_exec": tried(execute), "unlink": tried(lambda: os.unlink(folder + "/tools.sock")),
    "replace": tried(lambda: os.rename(folder + "/tools.sock", folder + "/x")),
    "create": tried(lambda: open(folder + "/x", "w")),
    "tools": tried(lambda: connect(folder + "/tools.sock")),
    "folder": sorted(os.listdir(folder)), "environment": sorted(os.environ), "others": sys.argv[1:] and tried(
        lambda: connect(sys.argv[1])), "docker": tried(lambda: connect("/var/run/docker.sock")),
}), flush=True)
"""
FORK = """
import os, time
made = 0
try:
    while made < 400:
        if os.fork() == 0:
            time.sleep(60)
        made += 1
except OSError:
    pass
print(made, flush=True)
"""


@asynccontextmanager
async def running(
    docker: DockerSandbox,
    image: str,
    folder: Path,
    program: str,
    *arguments: str,
    limits: Limits | None = None,
) -> AsyncIterator[tuple[str, Connection]]:
    """A program in a sandbox, talking over the session's socket."""
    runtime = Runtime(name="probe", image=image, command=("python3", "-c", program, *arguments))
    async with SocketFolder.open(folder / "s", "probe") as sockets:
        sandbox_id = await docker.start(plan("probe", runtime, sockets.path, limits))
        try:
            async with asyncio.timeout(20):
                yield sandbox_id, await sockets.session
        finally:
            await docker.stop(sandbox_id, grace=0)


async def test_the_locks_hold_from_inside(docker: DockerSandbox, image: str, folder: Path) -> None:
    async with SocketFolder.open(folder / "s", "another") as another:
        path = str(another.path / "tools.sock")
        async with running(docker, image, folder, PROBE, path) as (_, (reader, _writer)):
            seen = json.loads(await reader.readline())
    assert (seen["user"], seen["group"]) == (10001, 10001)
    assert (int(seen["caps"], 16), int(seen["bounding"], 16), seen["no_new_privs"]) == (0, 0, "1")
    assert seen["interfaces"] == ["lo"]
    assert seen["internet"].startswith("OSError 101")  # network is unreachable
    for place in ("root", "etc", "unlink", "replace", "create"):
        assert seen[place].endswith(" 30"), place  # read-only file system
    assert seen["opt"] in {"PermissionError 13", "OSError 30"}
    assert (seen["tmp"], seen["tools"]) == ("None", "None")
    assert seen["tmp_exec"] == "PermissionError 13"
    assert seen["folder"] == ["session.sock", "tools.sock"]
    assert seen["others"] == "FileNotFoundError 2"
    assert seen["docker"] == "FileNotFoundError 2"
    assert set(seen["environment"]) <= {"HOME", "HOSTNAME", "LC_ALL", "LC_CTYPE", "PATH", "PWD", "SHLVL"} | {
        "GPG_KEY", "LANG", "PYTHON_SHA256", "PYTHON_VERSION"
    }  # fmt: skip


async def test_processes_are_limited(docker: DockerSandbox, image: str, folder: Path) -> None:
    async with running(docker, image, folder, FORK, limits=Limits(pids=32)) as (_, (reader, _writer)):
        assert 10 < int(await reader.readline()) < 32


async def test_more_memory_than_allowed_ends_the_agent_and_is_told(
    docker: DockerSandbox, image: str, folder: Path
) -> None:
    program = "x = [bytearray(1 << 20) for _ in range(400)]"
    limits = Limits(memory_bytes=64 << 20)
    async with running(docker, image, folder, program, limits=limits) as (sandbox_id, (reader, _writer)):
        assert await reader.read() == b""
        assert await exited(docker, sandbox_id) == 137
        assert "memory" in await docker.last_words(sandbox_id)


async def test_the_last_lines_on_stderr_are_kept(docker: DockerSandbox, image: str, folder: Path) -> None:
    program = "import sys; sys.exit('no model key')"
    async with running(docker, image, folder, program) as (sandbox_id, (reader, _writer)):
        assert await reader.read() == b""
        assert await exited(docker, sandbox_id) == 1
        assert await docker.last_words(sandbox_id) == "no model key"


async def test_an_agent_that_ends_at_once_fails_the_launch_with_its_last_words(
    docker: DockerSandbox, image: str, folder: Path
) -> None:
    broken = Runtime(
        name="broken", image=image, command=("python3", "-c", "raise SystemExit('no key given')")
    )
    async with SandboxLauncher.running(docker, folder / "s") as launcher:
        with pytest.raises(StartFailed, match="no key given"):
            await launcher.launch("main", broken, Toolbox())
    assert await docker.running() == []


async def test_an_agent_that_never_calls_fails_the_launch(
    docker: DockerSandbox, image: str, folder: Path
) -> None:
    async with SocketFolder.open(folder / "s", "main") as sockets:
        spec = plan("main", runtimes({LOCAL: image})[LOCAL], sockets.path)
        silent = SandboxSpec(
            key="main", image=image, command=("python3", "-c", "raise SystemExit(7)"), sockets=sockets.path
        )
        assert spec.command[: len(SESSION_COMMAND)] == SESSION_COMMAND
        sandbox_id = await docker.start(silent)
        assert await exited(docker, sandbox_id) == 7
        assert not sockets.session.done()
        await docker.stop(sandbox_id, grace=0)


async def test_an_agent_that_writes_garbage_is_tolerated_up_to_a_bound(
    docker: DockerSandbox, image: str, folder: Path
) -> None:
    garbage = Runtime(
        name="garbage", image=image, command=("python3", "-c", "while True: print('no json', flush=True)")
    )
    async with SandboxLauncher.running(docker, folder / "s") as launcher:
        with pytest.raises(StartFailed, match="again and again"):
            await launcher.launch("main", garbage, Toolbox())


async def test_a_line_of_ten_megabytes_cuts_the_agent_off(
    docker: DockerSandbox, image: str, folder: Path
) -> None:
    shouting = Runtime(name="shout", image=image, command=("python3", "-c", "print('x' * 10_000_000)"))
    async with SandboxLauncher.running(docker, folder / "s") as launcher:
        with pytest.raises(StartFailed, match="8 MiB"):
            await launcher.launch("main", shouting, Toolbox())


async def test_a_container_killed_from_outside_is_noticed_at_once(
    docker: DockerSandbox, engine: Engine, image: str, folder: Path
) -> None:
    async with SandboxLauncher.running(docker, folder / "s") as launcher:
        agent = await launcher.launch("main", runtimes({LOCAL: image})[LOCAL], Toolbox())
        await engine.run(lambda client: client.kill(agent.sandbox_id))
        async with asyncio.timeout(2):
            await agent.died()
    assert await docker.running() == []


async def test_a_missing_image_is_said_so(docker: DockerSandbox, folder: Path) -> None:
    async with SandboxLauncher.running(docker, folder / "s") as launcher:
        with pytest.raises(ImageMissing, match="intercom image build"):
            await launcher.launch("main", runtimes({LOCAL: "intercom-agent-local:nothing"})[LOCAL], Toolbox())


async def test_a_leftover_of_the_same_name_is_replaced(
    docker: DockerSandbox, engine: Engine, image: str, folder: Path
) -> None:
    async with SocketFolder.open(folder / "s", "main") as sockets:
        spec = plan("main", runtimes({LOCAL: image})[LOCAL], sockets.path)
        first = await docker.start(spec)
        second = await docker.start(spec)
        assert await docker.exit_status(first) == -1
        assert [running.id for running in await docker.running()] == [second]
        await docker.stop(second, grace=0)
        await docker.stop(second, grace=0)


async def test_two_installs_do_not_touch_each_other(
    docker: DockerSandbox, engine: Engine, image: str, folder: Path
) -> None:
    # Ids made in the same minute begin alike.
    other = DockerSandbox(f"{docker._install[:-1]}x", engine)
    runtime = runtimes({LOCAL: image})[LOCAL]
    async with (
        SandboxLauncher.running(docker, folder / "a") as ours,
        SandboxLauncher.running(other, folder / "b") as theirs,
    ):
        first = await ours.launch("main", runtime, Toolbox())
        agent = await theirs.launch("main", runtime, Toolbox())
        assert first.alive
        await first.prompt("what is the current sprint", Listener())
        await ours.close()
        assert await ours.sweep() == 0
        assert agent.alive
        heard = Listener()
        await agent.prompt("what is the current sprint", heard)
        assert heard.said
    assert await other.running() == []


async def test_a_stranger_with_our_name_is_left_alone(
    docker: DockerSandbox, engine: Engine, image: str, folder: Path
) -> None:
    name = sandbox_name(docker._install, "main")
    stranger = await engine.run(lambda client: client.create_container(image, name=name)["Id"])
    try:
        async with SocketFolder.open(folder / "s", "main") as sockets:
            with pytest.raises(StartFailed, match="is taken"):
                await docker.start(plan("main", runtimes({LOCAL: image})[LOCAL], sockets.path))
        assert await docker.exit_status(stranger) == 0
    finally:
        await engine.run(lambda client: client.remove_container(stranger, force=True))


def test_names_differ_however_alike_keys_and_installs_are() -> None:
    keys = ["a/b", "a-b", "a b", "A/B", "ä", "ö", "", "x" * 200, "x" * 201]
    installs = ["01a1fe9415ab719782840ba5c5947f86", "01a1fe94fb5c7d1c9f46d6a3a3a2ba11"]
    names = {sandbox_name(install, key) for key in keys for install in installs}
    assert len(names) == len(keys) * len(installs)
    assert all(len(name) < 64 and name.isascii() for name in names)
