"""The law of runs: started once, looked at, paused, cancelled."""

import pytest

from demarch.errors import Conflict, NotFound
from tests.demarch.law.worlds import Caller, World, worded


async def test_a_started_run_is_active_in_its_first_phase(ana: Caller) -> None:
    started = await ana.write("start_run", title="Refactor auth", token_budget=1000)
    worded(started)
    run = await ana.kernel.run(started.data["id"])
    assert (run.goal, run.status, run.phase, run.budget, run.used) == (
        "Refactor auth",
        "active",
        "brainstorm",
        1000,
        0,
    )
    assert run.phases[-1] == "done"
    assert run.auto_advance
    assert [each.id for each in await ana.kernel.runs()] == [run.id]
    status = await ana.read("run_status", run_id=run.id)
    assert (status.data["id"], status.data["phase"]) == (run.id, "brainstorm")
    worded(status)


async def test_a_run_is_started_once_per_key(ana: Caller) -> None:
    key = ana.key()
    runs = [(await ana.write("start_run", key=key, title="Refactor auth")).data["id"] for _ in range(2)]
    assert runs[0] == runs[1]
    assert len(await ana.kernel.runs()) == 1
    known = await ana.kernel.written(key)
    assert known is not None
    assert known.data["id"] == runs[0]


async def test_without_a_run_that_is_said(ana: Caller) -> None:
    for name in ("run_status", "sprint_phase", "spec_lookup"):
        answer = await ana.read(name)
        assert answer.data["found"] is False
        worded(answer)


async def test_the_run_of_now_is_an_active_one_and_the_others_are_named(ana: Caller, world: World) -> None:
    runs = {await world.run("first"), await world.run("second")}
    status = await ana.read("run_status")
    assert {status.data["id"], *status.data["others"]} == runs
    phase = await ana.read("sprint_phase")
    assert phase.data["id"] == status.data["id"]
    assert phase.data["phase"] == "brainstorm"


async def test_an_unknown_run_is_not_found(ana: Caller) -> None:
    with pytest.raises(NotFound):
        await ana.kernel.run("nosuchid")
    with pytest.raises(NotFound):
        await ana.read("run_status", run_id="nosuchid")
    for name in ("cancel_run", "pause_run", "resume_run", "approve_gate", "reject_gate", "advance_phase"):
        with pytest.raises(NotFound):
            await ana.write(name, run_id="nosuchid")


async def test_a_cancelled_run_is_over(ana: Caller, world: World) -> None:
    run_id = await world.run()
    key = ana.key()
    worded(await ana.write("cancel_run", key=key, run_id=run_id, reason="not needed any more"))
    assert (await ana.kernel.run(run_id)).status == "cancelled"
    assert await ana.kernel.runs() == []
    assert [run.id for run in await ana.kernel.runs(active=False)] == [run_id]
    assert (await ana.types())[-1] == "cancel"
    # The same once more is the same deed; another one comes too late.
    await ana.write("cancel_run", key=key, run_id=run_id, reason="not needed any more")
    with pytest.raises(Conflict):
        await ana.write("cancel_run", run_id=run_id)
    with pytest.raises(Conflict):
        await ana.write("approve_gate", run_id=run_id, from_phase="brainstorm")
    assert (await ana.types()).count("cancel") == 1


async def test_a_paused_run_asks_before_every_step(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=["draft", "check", "ship"])
    worded(await ana.write("pause_run", run_id=run_id))
    assert not (await ana.kernel.run(run_id)).auto_advance
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "draft"
    pause = (await ana.events("phase"))[-1]
    assert (pause.type, pause.from_state, pause.to_state) == ("pause", "draft", "check")
    worded(await ana.write("approve_gate", run_id=run_id, from_phase="draft", to_phase="check"))
    assert await ana.phase(run_id) == "check"
    assert (await ana.types())[-1] == "advance"


async def test_a_resumed_run_goes_on_by_itself(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=["draft", "check", "ship"])
    await ana.write("pause_run", run_id=run_id)
    worded(await ana.write("resume_run", run_id=run_id))
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "check"
    assert "pause" not in await ana.types()


async def test_a_person_can_try_the_next_phase(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=["draft", "check", "ship"])
    tried = await ana.write("advance_phase", run_id=run_id, from_phase="draft")
    assert (tried.data["advanced"], tried.data["from_phase"], tried.data["to_phase"]) == (
        True,
        "draft",
        "check",
    )
    with pytest.raises(Conflict):
        await ana.write("advance_phase", run_id=run_id, from_phase="draft")
    assert await ana.phase(run_id) == "check"


async def test_the_kernel_answers_and_can_do_everything(ana: Caller) -> None:
    state = await ana.kernel.state()
    assert state.ok, state.reason
    assert ana.kernel.capabilities().absent == {}
