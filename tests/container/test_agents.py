"""The contract of an agent in a sandbox, the same for every kind of sandbox."""

import asyncio
from pathlib import Path

import pytest

from container.agent import Runtime, StopReason, ToolResult
from container.launcher import SandboxLauncher
from container.sandbox import AgentDied, Sandbox
from tests.container.scene import Listener, Toolbox

PENDING = ToolResult(text="Waiting for a decision: K7Q2MD.", data={"status": "pending", "code": "K7Q2MD"})


async def test_a_question_is_answered_with_what_the_tool_said(
    launcher: SandboxLauncher, runtime: Runtime
) -> None:
    tools, heard = Toolbox(), Listener()
    agent = await launcher.launch("main", runtime, tools)
    reason = await agent.prompt("what is the current sprint?", heard)
    assert reason is StopReason.END
    assert tools.calls == [("demarch_sprint_phase", {})]
    assert heard.log == [
        ("looking up the current sprint", False),
        ("looking up the current sprint", True),
        "answer of demarch_sprint_phase",
    ]


async def test_several_questions_are_answered_in_their_order(
    launcher: SandboxLauncher, runtime: Runtime
) -> None:
    tools, heard = Toolbox(), Listener()
    agent = await launcher.launch("main", runtime, tools)
    people = (  # as the host renders them
        '<messages><message sender="Ana" time="14:02">what should I work on\n'
        'create a bug: &lt;b&gt; &amp; "x"</message>'
        '<message sender="Ben" time="14:03">what is the current sprint</message></messages>'
    )
    await agent.prompt(people, heard)
    assert [name for name, _ in tools.calls] == [
        "demarch_next_work",
        "demarch_create_issue",
        "demarch_sprint_phase",
    ]
    assert tools.calls[1][1] == {"title": '<b> & "x"', "issue_type": "bug"}
    assert heard.said == "\n\n".join(f"answer of {name}" for name, _ in tools.calls)


async def test_an_outcome_of_an_approval_is_answered_with_silence(
    launcher: SandboxLauncher, runtime: Runtime
) -> None:
    tools, heard = Toolbox(), Listener()
    agent = await launcher.launch("main", runtime, tools)
    outcome = '<outcome code="K7Q2MD">Ana approved: start a run to x</outcome>'
    assert await agent.prompt(outcome, heard) is StopReason.END
    assert (heard.log, tools.calls) == ([], [])


async def test_what_waits_on_a_card_is_not_said_again(launcher: SandboxLauncher, runtime: Runtime) -> None:
    tools, heard = Toolbox("demarch_start_run", answers={"demarch_start_run": PENDING}), Listener()
    agent = await launcher.launch("main", runtime, tools)
    await agent.prompt("start a run to refactor auth", heard)
    assert heard.said == ""
    assert tools.calls == [("demarch_start_run", {"title": "refactor auth"})]


async def test_a_failed_call_is_told_as_a_sentence(launcher: SandboxLauncher, runtime: Runtime) -> None:
    failure = ToolResult(text="There is no issue iv-9.", failed=True)
    tools, heard = Toolbox("demarch_close_issue", answers={"demarch_close_issue": failure}), Listener()
    agent = await launcher.launch("main", runtime, tools)
    await agent.prompt("close iv-9", heard)
    assert heard.said == "That did not work: There is no issue iv-9."


async def test_deciding_words_decide_nothing(launcher: SandboxLauncher, runtime: Runtime) -> None:
    tools, heard = Toolbox(), Listener()
    agent = await launcher.launch("main", runtime, tools)
    await agent.prompt("APPROVE K7Q2MD", heard)
    assert tools.calls == []
    assert "did not understand" in heard.said


async def test_a_cancelled_turn_ends_early_and_the_next_one_is_answered(
    launcher: SandboxLauncher, runtime: Runtime
) -> None:
    agent = await launcher.launch("main", runtime, Toolbox())
    first, second = Listener(), Listener()
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        turn = group.create_task(agent.prompt("wait 60 seconds", first))
        await first.heard("Waiting")
        await agent.cancel()
        assert await turn is StopReason.CANCELLED
        assert await agent.prompt("what is the current sprint", second) is StopReason.END
    assert second.said == "answer of demarch_sprint_phase"


async def test_a_call_that_has_begun_ends_although_its_turn_was_cancelled(
    launcher: SandboxLauncher, runtime: Runtime
) -> None:
    tools, heard = Toolbox(), Listener()
    tools.may_answer.clear()
    agent = await launcher.launch("main", runtime, tools)
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        turn = group.create_task(agent.prompt("what is the current sprint", heard))
        await tools.called.wait()
        await agent.cancel()
        assert await turn is StopReason.CANCELLED
        await agent.close()
        tools.may_answer.set()
    await launcher.launch("another", runtime, tools)
    assert tools.answered == 1


async def test_a_follow_up_is_answered_after_the_running_turn(
    launcher: SandboxLauncher, runtime: Runtime
) -> None:
    tools, first, second = Toolbox(), Listener(), Listener()
    tools.may_answer.clear()
    agent = await launcher.launch("main", runtime, tools)
    assert agent.takes_followups
    async with asyncio.timeout(15), asyncio.TaskGroup() as group:
        turns = [group.create_task(agent.prompt("what is the current sprint", first))]
        await tools.called.wait()
        turns.append(group.create_task(agent.prompt("what should I work on", second)))
        tools.may_answer.set()
    assert [turn.result() for turn in turns] == [StopReason.END, StopReason.END]
    assert first.said == "answer of demarch_sprint_phase"
    assert second.said == "answer of demarch_next_work"


async def test_two_agents_use_their_own_tools(launcher: SandboxLauncher, runtime: Runtime) -> None:
    boxes, heard = [Toolbox(), Toolbox()], [Listener(), Listener()]
    async with asyncio.TaskGroup() as group:
        launches = [
            group.create_task(launcher.launch(f"g{number}", runtime, box)) for number, box in enumerate(boxes)
        ]
    for launch, listener in zip(launches, heard, strict=True):
        await launch.result().prompt("what is the current sprint", listener)
    assert [len(box.calls) for box in boxes] == [1, 1]


async def test_an_agent_that_dies_in_a_turn_ends_it_with_a_reason(
    launcher: SandboxLauncher, runtime: Runtime, sandbox: Sandbox
) -> None:
    agent, heard = await launcher.launch("main", runtime, Toolbox()), Listener()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        turn = group.create_task(_dies(agent.prompt("wait 60 seconds", heard)))
        await heard.heard("Waiting")
        await sandbox.stop(agent.sandbox_id, grace=0)
        assert await turn
        await agent.died()
        assert not agent.alive
        with pytest.raises(AgentDied):
            await agent.prompt("help", heard)
        again = await launcher.launch("main", runtime, Toolbox())
        assert again.alive


async def _dies(turn: "asyncio.Future[StopReason] | object") -> str:
    with pytest.raises(AgentDied) as caught:
        await turn  # type: ignore[misc]
    return str(caught.value)


async def test_closing_leaves_nothing_behind_and_may_be_repeated(
    launcher: SandboxLauncher, runtime: Runtime, sandbox: Sandbox, folder: Path
) -> None:
    agent = await launcher.launch("main", runtime, Toolbox())
    assert [running.key for running in await sandbox.running()] == ["main"]
    await agent.close()
    await agent.close()
    assert not agent.alive
    assert await sandbox.running() == []
    assert list((folder / "s").iterdir()) == []


async def test_a_second_launch_of_a_key_replaces_the_first(
    launcher: SandboxLauncher, runtime: Runtime, sandbox: Sandbox
) -> None:
    first = await launcher.launch("main", runtime, Toolbox())
    second = await launcher.launch("main", runtime, Toolbox())
    assert (first.alive, second.alive) == (False, True)
    assert len(await sandbox.running()) == 1


async def test_a_launch_that_is_given_up_leaves_nothing_behind(
    launcher: SandboxLauncher, runtime: Runtime, sandbox: Sandbox, folder: Path
) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.03):
            await launcher.launch("main", runtime, Toolbox())
    async with asyncio.timeout(10):
        await launcher.close()
    assert await sandbox.running() == []
    assert list((folder / "s").iterdir()) == []


async def test_a_fault_among_running_agents_is_told_as_it_is(
    sandbox: Sandbox, runtime: Runtime, folder: Path
) -> None:
    with pytest.raises(LookupError):
        await _fail_among_agents(sandbox, runtime, folder)
    assert await sandbox.running() == []


async def _fail_among_agents(sandbox: Sandbox, runtime: Runtime, folder: Path) -> None:
    async with SandboxLauncher.running(sandbox, folder / "s") as launcher:
        await launcher.launch("main", runtime, Toolbox())
        raise LookupError


async def test_the_sweep_ends_what_an_earlier_host_left_and_keeps_the_rest(
    sandbox: Sandbox, runtime: Runtime, folder: Path, request: pytest.FixtureRequest
) -> None:
    stranger = type(sandbox)(*([*_install(sandbox, "other")]))
    async with (
        SandboxLauncher.running(stranger, folder / "o") as others,
        SandboxLauncher.running(sandbox, folder / "s") as before,
        SandboxLauncher.running(sandbox, folder / "s") as now,
    ):
        theirs = await others.launch("main", runtime, Toolbox())
        left = await before.launch("left", runtime, Toolbox())
        kept = await before.launch("kept", runtime, Toolbox())
        ours = await now.launch("ours", runtime, Toolbox())
        assert await now.sweep(keep=["kept"]) == 1
        async with asyncio.timeout(10):
            await left.died()
        assert (theirs.alive, kept.alive, ours.alive) == (True, True, True)
        assert await now.sweep(keep=["kept"]) == 0


def _install(sandbox: Sandbox, install: str) -> list[object]:
    """The constructor's arguments for a sandbox of another install."""
    return [install, sandbox._engine] if sandbox.isolated else [install]  # type: ignore[attr-defined]
