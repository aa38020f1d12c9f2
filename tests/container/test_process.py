"""What the sandbox without locks still promises."""

import asyncio
import sys
from pathlib import Path

import pytest

from container.agent import Runtime
from container.planning import plan
from container.process import LABEL, ProcessSandbox
from container.runtimes import LOCAL, runtimes
from container.sandbox import SandboxUnavailable
from container.sockets import SocketFolder
from tests.container.scene import emptied

HOST = """
import asyncio, sys
from pathlib import Path
from container.launcher import SandboxLauncher
from container.process import ProcessSandbox
from container.runtimes import LOCAL, runtimes
from tests.container.scene import Toolbox

async def main():
    async with SandboxLauncher.running(ProcessSandbox(sys.argv[1]), Path(sys.argv[2])) as launcher:
        agent = await launcher.launch("main", runtimes({})[LOCAL], Toolbox())
        print(agent.sandbox_id, flush=True)
        await asyncio.sleep(60)

asyncio.run(main())
"""


async def test_only_the_local_agent_runs_without_docker(folder: Path) -> None:
    sandbox = ProcessSandbox("test")
    other = Runtime(name="claude", image="", command=("claude", "--acp"))
    with pytest.raises(SandboxUnavailable, match="Install Docker"):
        await sandbox.start(plan("main", other, folder))


async def test_the_agent_sees_nothing_of_the_hosts_environment(folder: Path) -> None:
    sandbox = ProcessSandbox("envtest")
    async with SocketFolder.open(folder / "s", "main") as sockets:
        agent = await sandbox.start(plan("main", runtimes({})[LOCAL], sockets.path))
        async with asyncio.timeout(10):
            await sockets.session
        content = await asyncio.to_thread(Path(f"/proc/{agent}/environ").read_bytes)
        names = {entry.split(b"=")[0].decode() for entry in content.split(b"\0") if entry}
        assert names <= {LABEL, "LC_ALL"}
        await sandbox.stop(agent)
    assert await sandbox.exit_status(agent) == -1


async def test_agents_end_by_themselves_when_their_host_is_killed(folder: Path) -> None:
    install = f"crash-{folder.name}"
    host = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HOST, install, str(folder / "s"), stdout=asyncio.subprocess.PIPE
    )
    assert host.stdout is not None
    sandbox = ProcessSandbox(install)
    async with asyncio.timeout(20):
        agent = (await host.stdout.readline()).decode().strip()
        assert [running.id for running in await sandbox.running()] == [agent]
        host.kill()
        await host.wait()
        await emptied(sandbox)


async def test_a_leftover_that_does_not_end_is_ended(folder: Path) -> None:
    install = f"left-{folder.name}"
    stuck = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True);"
        "time.sleep(60)",
        env={LABEL: f"{install}:main"}, start_new_session=True, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert stuck.stdout is not None
    async with asyncio.timeout(10):
        await stuck.stdout.readline()
        sandbox = ProcessSandbox(install)
        [running] = await sandbox.running()
        assert (running.id, running.key) == (str(stuck.pid), "main")
        await sandbox.stop(running.id, grace=0.1)
        assert await stuck.wait() == -9
        assert await sandbox.running() == []
