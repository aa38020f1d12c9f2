"""Agents that mean harm end in a clear sentence, at a bounded cost, and everybody else is served on."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from container.agent import Fittings, Runtime, StopReason
from container.docker import DockerSandbox
from container.launcher import SandboxLauncher
from container.planning import GROUP_FOLDER, MODEL_SOCKET
from container.runtimes import LOCAL, runtimes
from container.sandbox import AgentDied, AgentEnded, Limits, Mount, StartFailed
from tests.container import hostile
from tests.container.scene import Listener, Toolbox

pytestmark = pytest.mark.docker

MB = 1024 * 1024
LIMITS = Limits(memory_bytes=128 * MB, pids=64, tmpfs_bytes=16 * MB, disk_bytes=20 * MB)


@pytest.fixture
async def launcher(docker: DockerSandbox, folder: Path) -> AsyncIterator[SandboxLauncher]:
    async with SandboxLauncher.running(docker, folder / "s", limits=LIMITS) as launcher:
        yield launcher


@pytest.fixture
def group_folder(folder: Path) -> Path:
    place = folder / "group"
    place.mkdir()
    place.chmod(0o777)  # the user inside is another one
    return place


def fitted(place: Path) -> Fittings:
    return Fittings(folder=GROUP_FOLDER, mounts=(Mount(source=place, target=GROUP_FOLDER, writable=True),))


async def ending(launcher: SandboxLauncher, runtime: Runtime, fittings: Fittings | None = None) -> str:
    """What people are told when such an agent is spoken to."""
    agent = await launcher.launch("hostile", runtime, Toolbox(), fittings)
    async with asyncio.timeout(30):
        with pytest.raises(AgentDied) as caught:
            await agent.prompt("hello", Listener())
        await agent.died()
    return str(caught.value)


async def others_are_served(launcher: SandboxLauncher, image: str) -> None:
    async with asyncio.timeout(20):
        agent, heard = await launcher.launch("good", runtimes({LOCAL: image})[LOCAL], Toolbox()), Listener()
        await agent.prompt("what is the current sprint", heard)
        assert heard.said == "answer of demarch_sprint_phase"
        await agent.close()


@pytest.mark.parametrize(
    ("deed", "sentence"),
    [
        (hostile.GARBAGE, "The agent was cut off because it sent what is no message again and again."),
        (hostile.SHOUT, "The agent was cut off because it sent a line of more than 8 MiB."),
        (hostile.LEAVE, "The agent died (exit status 1). It said: I have had enough"),
        (
            hostile.GREED,
            (
                "The agent was ended because it needed more than the 128 MB of memory it may have. "
                "Ask for a smaller step, or raise INTERCOM_AGENT__MEMORY."
            ),
        ),
    ],
)
async def test_a_turn_that_goes_wrong_ends_in_a_sentence(
    docker: DockerSandbox, launcher: SandboxLauncher, image: str, deed: str, sentence: str
) -> None:
    assert await ending(launcher, hostile.hostile(image, deed)) == sentence
    assert await docker.running() == []
    await others_are_served(launcher, image)


async def test_an_agent_that_never_answers_the_first_word_is_not_waited_for(
    docker: DockerSandbox, folder: Path, image: str
) -> None:
    mute = Runtime(name="mute", image=image, command=("python3", "-c", "import time; time.sleep(600)"))
    async with SandboxLauncher.running(docker, folder / "m", start_timeout=2) as launcher:
        with pytest.raises(StartFailed, match="did not come up within 2 seconds"):
            await launcher.launch("main", mute, Toolbox())
    assert await docker.running() == []


async def test_an_agent_that_falls_silent_can_be_ended(
    docker: DockerSandbox, launcher: SandboxLauncher, image: str
) -> None:
    agent = await launcher.launch("main", hostile.hostile(image, hostile.SILENCE), Toolbox())
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        turn = group.create_task(_dies(agent.prompt("hello", Listener())))
        await agent.cancel()
        await agent.close()
        await turn
    assert await docker.running() == []


@pytest.mark.parametrize("deed", [hostile.FORKS, hostile.SHORT_LIVED_CHILDREN, hostile.THREADS])
async def test_an_agent_that_multiplies_without_end_is_ended(
    docker: DockerSandbox, launcher: SandboxLauncher, image: str, deed: str
) -> None:
    agent = await launcher.launch("hostile", hostile.hostile(image, deed), Toolbox())
    async with asyncio.timeout(40), asyncio.TaskGroup() as group:
        turn = group.create_task(_ended(agent.prompt("hello", Listener())))
        await others_are_served(launcher, image)
        assert await turn == (
            "The agent was ended because it kept running 64 processes and threads, as many as it may have. "
            "Ask for a smaller step, or raise INTERCOM_AGENT__PIDS."
        )
    await agent.close()
    assert await docker.running() == []


async def test_an_agent_that_is_at_its_limit_for_a_moment_goes_on(
    launcher: SandboxLauncher, image: str
) -> None:
    agent = await launcher.launch("main", hostile.hostile(image, hostile.A_CROWD_FOR_A_WHILE), Toolbox())
    async with asyncio.timeout(40):
        for _ in range(2):  # what it did in one turn is not held against it in the next
            heard = Listener()
            assert await agent.prompt("hello", heard) is StopReason.END
            assert heard.said == "back to work"


async def test_an_agent_that_forks_without_end_is_kept_small_and_can_be_ended(
    docker: DockerSandbox, launcher: SandboxLauncher, image: str
) -> None:
    agent, heard = await launcher.launch("main", hostile.hostile(image, hostile.FORKS), Toolbox()), Listener()
    async with asyncio.timeout(40), asyncio.TaskGroup() as group:
        turn = group.create_task(_dies(agent.prompt("hello", heard)))
        await heard.heard("here I go")
        await others_are_served(launcher, image)
        await agent.close()
        await turn
    assert await docker.running() == []


async def test_folders_in_memory_are_full_at_their_size(launcher: SandboxLauncher, image: str) -> None:
    agent, heard = (
        await launcher.launch("main", hostile.hostile(image, hostile.FILL_MEMORY_FOLDERS), Toolbox()),
        Listener(),
    )
    async with asyncio.timeout(20):
        assert await agent.prompt("hello", heard) is StopReason.END
    assert heard.said == "/tmp 28; /home/agent 28; "  # no space left


async def test_an_agent_that_fills_its_folder_is_ended_and_not_started_again(
    docker: DockerSandbox, launcher: SandboxLauncher, image: str, group_folder: Path
) -> None:
    runtime, fittings = hostile.hostile(image, hostile.FILL_GROUP_FOLDER), fitted(group_folder)
    sentence = await ending(launcher, runtime, fittings)
    assert sentence.startswith("The agent was ended because its folder has more than 20 MB. ")
    assert _size(group_folder) < 1000 * MB
    assert await docker.running() == []
    with pytest.raises(StartFailed, match="not started: its folder has more than 20 MB"):
        await launcher.launch("hostile", runtime, Toolbox(), fittings)
    await others_are_served(launcher, image)


async def test_files_that_have_no_name_any_more_count_too(
    docker: DockerSandbox, launcher: SandboxLauncher, image: str, group_folder: Path
) -> None:
    runtime = hostile.hostile(image, hostile.FILL_WITHOUT_NAMES)
    sentence = await ending(launcher, runtime, fitted(group_folder))
    assert "more than 20 MB, part of it in files without a name" in sentence
    assert await docker.running() == []
    agent = await launcher.launch("hostile", runtime, Toolbox(), fitted(group_folder))  # there is room again
    assert agent.alive


async def test_one_file_is_no_larger_than_all_may_be(
    launcher: SandboxLauncher, image: str, group_folder: Path
) -> None:
    runtime, heard = hostile.hostile(image, hostile.ONE_LARGE_FILE), Listener()
    agent = await launcher.launch("main", runtime, Toolbox(), fitted(group_folder))
    async with asyncio.timeout(20):
        await agent.prompt("hello", heard)
    assert heard.said == f"27 {20 * MB}"  # file too large


async def test_a_thousand_callers_at_every_socket_leave_the_host_at_work(
    launcher: SandboxLauncher, image: str
) -> None:
    inside: set[object] = set()
    most = 0

    class Model(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            nonlocal most
            inside.add(self)
            most = max(most, len(inside))

        def connection_lost(self, exc: Exception | None) -> None:
            inside.discard(self)

    heard = Listener()
    runtime, fittings = hostile.hostile(image, hostile.MANY_CALLERS), Fittings(services={MODEL_SOCKET: Model})
    agent = await launcher.launch("main", runtime, Toolbox(), fittings)
    async with asyncio.timeout(40), asyncio.TaskGroup() as group:
        turn = group.create_task(agent.prompt("hello", heard))
        await heard.heard("}")
        await others_are_served(launcher, image)
        assert await turn is StopReason.END
    counts = json.loads(heard.said)
    assert set(counts) == {"model.sock", "session.sock", "tools.sock"}
    assert counts["session.sock"] == 0  # there is one agent, and it called already
    assert 0 < most <= 64
    await agent.close()
    assert not inside


async def test_a_thousand_tool_calls_at_once_are_mostly_refused(
    launcher: SandboxLauncher, image: str
) -> None:
    tools, heard = Toolbox(), Listener()
    agent = await launcher.launch("main", hostile.hostile(image, hostile.MANY_TOOLS), tools)
    began = time.monotonic()
    async with asyncio.timeout(30):
        await agent.prompt("hello", heard)
    allowed = 100 + 50 * (time.monotonic() - began) + 1
    assert len(tools.calls) <= allowed
    assert int(heard.said) == 1000 - len(tools.calls)


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


async def _ended(turn: Awaitable[StopReason]) -> str:
    with pytest.raises(AgentEnded) as caught:
        await turn
    return str(caught.value)


async def _dies(turn: object) -> None:
    with pytest.raises(AgentDied):
        await turn  # type: ignore[misc]
