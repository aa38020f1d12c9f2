"""A frozen agent costs nothing, keeps what it knows, and goes on when it is spoken to."""

import asyncio
from pathlib import Path

import pytest

from container.agent import Runtime, StopReason
from container.launcher import SandboxLauncher
from container.sandbox import AgentDied, ContainerError, Sandbox
from tests.container.scene import Listener, Toolbox


async def test_a_frozen_agent_gets_no_processor_and_goes_on_when_it_is_spoken_to(
    launcher: SandboxLauncher, runtime: Runtime, sandbox: Sandbox
) -> None:
    agent, heard = await launcher.launch("main", runtime, Toolbox()), Listener()
    await agent.pause()
    await agent.pause()
    assert agent.paused
    assert agent.alive
    assert await frozen(sandbox, agent.sandbox_id)
    assert await sandbox.exit_status(agent.sandbox_id) is None
    assert await agent.prompt("what is the current sprint", heard) is StopReason.END
    assert heard.said == "answer of demarch_sprint_phase"
    assert not await frozen(sandbox, agent.sandbox_id)
    await agent.unpause()
    assert agent.alive


async def test_an_agent_with_something_to_do_is_not_frozen(
    launcher: SandboxLauncher, runtime: Runtime, sandbox: Sandbox
) -> None:
    agent, heard = await launcher.launch("main", runtime, Toolbox()), Listener()
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        turn = group.create_task(agent.prompt("wait 60 seconds", heard))
        await heard.heard("Waiting")
        await agent.pause()
        assert not agent.paused
        assert not await frozen(sandbox, agent.sandbox_id)
        await agent.cancel()
        assert await turn is StopReason.CANCELLED


async def test_a_turn_its_caller_gave_up_still_counts_as_something_to_do(
    launcher: SandboxLauncher, runtime: Runtime
) -> None:
    agent, heard = await launcher.launch("main", runtime, Toolbox()), Listener()
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        turn = group.create_task(agent.prompt("wait 60 seconds", heard))
        await heard.heard("Waiting")
        turn.cancel()
        await asyncio.wait({turn})
        await agent.pause()
        assert not agent.paused


async def test_freezing_and_speaking_at_once_end_in_an_answer(
    launcher: SandboxLauncher, runtime: Runtime
) -> None:
    agent = await launcher.launch("main", runtime, Toolbox())
    for number in range(20):
        heard = Listener()
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            work = [agent.pause(), agent.prompt("what is the current sprint", heard), agent.pause()]
            for one in work if number % 2 else reversed(work):
                group.create_task(one)
        assert heard.said == "answer of demarch_sprint_phase"


async def test_closing_a_frozen_agent_leaves_nothing_behind(
    launcher: SandboxLauncher, runtime: Runtime, sandbox: Sandbox
) -> None:
    agent = await launcher.launch("main", runtime, Toolbox())
    await agent.pause()
    async with asyncio.timeout(10):
        await agent.close()
    assert await sandbox.running() == []
    await agent.pause()
    with pytest.raises(AgentDied):
        await agent.unpause()


async def test_a_frozen_agent_of_an_earlier_host_is_swept(
    launcher: SandboxLauncher, runtime: Runtime, sandbox: Sandbox, folder: Path
) -> None:
    agent = await launcher.launch("main", runtime, Toolbox())
    await agent.pause()
    async with asyncio.timeout(10), SandboxLauncher.running(sandbox, folder / "s") as later:
        assert await later.sweep() == 1
        assert await sandbox.running() == []
        await agent.died()


async def test_a_frozen_agent_that_was_ended_from_outside_is_dead(
    launcher: SandboxLauncher, runtime: Runtime, sandbox: Sandbox
) -> None:
    agent = await launcher.launch("main", runtime, Toolbox())
    await agent.pause()
    async with asyncio.timeout(10):
        await sandbox.stop(agent.sandbox_id, grace=0)
        await agent.died()
        with pytest.raises(AgentDied):
            await agent.prompt("help", Listener())
    with pytest.raises(ContainerError):
        await sandbox.pause(agent.sandbox_id)


async def test_only_a_frozen_sandbox_is_woken_and_twice_is_once(
    launcher: SandboxLauncher, runtime: Runtime, sandbox: Sandbox
) -> None:
    agent = await launcher.launch("main", runtime, Toolbox())
    await sandbox.unpause(agent.sandbox_id)
    await sandbox.pause(agent.sandbox_id)
    await sandbox.pause(agent.sandbox_id)
    await sandbox.unpause(agent.sandbox_id)
    await sandbox.unpause(agent.sandbox_id)
    assert not await frozen(sandbox, agent.sandbox_id)


async def frozen(sandbox: Sandbox, sandbox_id: str) -> bool:
    """As the system sees it."""
    if sandbox.isolated:
        engine = sandbox._engine  # type: ignore[attr-defined]
        state = await engine.run(lambda client: client.inspect_container(sandbox_id)["State"])
        return bool(state["Paused"])
    async with asyncio.timeout(5):
        while (state := _state(sandbox_id)) == "R":  # noqa: ASYNC110 - it notices at its next step
            await asyncio.sleep(0.01)
    return bool(state == "T")


def _state(pid: str) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
