"""The law of gates: what stops a run, what does not, and who lets it through."""

import json

import pytest

from demarch.errors import Conflict, NotPossible
from tests.demarch.law.worlds import Caller, World, worded

CHAIN = ["draft", "check", "ship"]


def _gates(check: str, tier: str = "") -> dict[str, list[dict[str, str]]]:
    rule = {"check": check, "phase": "draft"} if check == "artifact_exists" else {"check": check}
    return {"draft→check": [rule | ({"tier": tier} if tier else {})], "check→ship": []}


async def test_a_hard_gate_keeps_the_run_and_says_what_is_missing(ana: Caller, world: World) -> None:
    run_id = await world.run()
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "brainstorm"
    block = (await ana.events("phase"))[-1]
    assert (block.type, block.run_id) == ("block", run_id)
    assert (block.from_state, block.to_state) == ("brainstorm", "brainstorm-reviewed")
    (condition,) = json.loads(block.reason)["conditions"]
    assert (condition["check"], condition["phase"], condition["result"]) == (
        "artifact_exists",
        "brainstorm",
        "fail",
    )
    status = await ana.read("run_status", run_id=run_id)
    assert status.data["gate"]["result"] == "fail"
    assert status.data["waiting"] == "block"
    assert "artifact" in worded(status)


async def test_with_what_was_missing_the_run_goes_on(ana: Caller, world: World) -> None:
    run_id = await world.run()
    await world.attempt(run_id)
    await world.artifact(run_id, "brainstorm")
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "brainstorm-reviewed"
    assert await ana.types() == ["block", "advance"]


async def test_a_soft_gate_lets_the_run_go_on_and_keeps_what_failed(ana: Caller, world: World) -> None:
    run_id = await world.run()
    await world.attempt(run_id, priority=2)
    assert await ana.phase(run_id) == "brainstorm-reviewed"
    (event,) = await ana.events("phase")
    assert event.type == "advance"
    assert "artifact_exists" in event.reason


async def test_nothing_is_checked_for_the_least_important_runs(ana: Caller, world: World) -> None:
    run_id = await world.run()
    await world.attempt(run_id, priority=4)
    (event,) = await ana.events("phase")
    assert event.type == "advance"
    assert "artifact_exists" not in event.reason


async def test_a_rule_of_its_own_is_hard_for_every_priority(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=CHAIN, gates=_gates("artifact_exists", tier="hard"))
    await world.attempt(run_id, priority=3)
    assert await ana.phase(run_id) == "draft"
    assert await ana.types() == ["block"]


async def test_agents_at_work_keep_the_run(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=CHAIN, gates=_gates("agents_complete"))
    agents = [await world.agent(run_id), await world.agent(run_id)]
    await world.attempt(run_id)
    await world.agent_done(agents[0])
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "draft"
    await world.agent_done(agents[1])
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "check"


async def test_a_review_must_be_in(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=CHAIN, gates=_gates("verdict_exists"))
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "draft"
    await world.verdict(run_id)
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "check"


async def test_a_review_must_be_clean(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=CHAIN, gates=_gates("verdict_clean"))
    await world.verdict(run_id, clean=False)
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "draft"
    assert (await ana.types())[-1] == "block"


async def test_a_person_lets_the_run_through_by_name(ana: Caller, world: World) -> None:
    run_id = await world.run()
    await world.attempt(run_id)
    outcome = await ana.write(
        "approve_gate",
        run_id=run_id,
        from_phase="brainstorm",
        to_phase="brainstorm-reviewed",
        reason="we talked about it",
    )
    worded(outcome)
    assert (outcome.data["from_phase"], outcome.data["to_phase"]) == ("brainstorm", "brainstorm-reviewed")
    assert await ana.phase(run_id) == "brainstorm-reviewed"
    override = (await ana.events("phase"))[-1]
    assert override.type == "override"
    assert "we talked about it" in json.loads(override.reason)["reason"]


async def test_without_a_reason_the_override_names_the_person(ana: Caller, world: World) -> None:
    run_id = await world.run()
    await world.attempt(run_id)
    await ana.write("approve_gate", run_id=run_id)
    assert "ana" in (await ana.events("phase"))[-1].reason


async def test_a_reason_of_odd_signs_stays_readable(ana: Caller, world: World) -> None:
    run_id = await world.run()
    await world.attempt(run_id)
    reason = 'line one\nline two\t"quoted" \\ \u202e \x07 \N{GRINNING FACE} --force'
    await ana.write("approve_gate", run_id=run_id, reason=reason)
    stored = json.loads((await ana.events("phase"))[-1].reason)
    assert '"quoted"' in stored["reason"]


async def test_a_gate_is_approved_once_per_key(ana: Caller, world: World) -> None:
    run_id = await world.run()
    await world.attempt(run_id)
    key = ana.key()
    arguments = {"run_id": run_id, "from_phase": "brainstorm", "to_phase": "brainstorm-reviewed"}
    for _ in range(2):
        outcome = await ana.write("approve_gate", key=key, **arguments)
        assert outcome.data["to_phase"] == "brainstorm-reviewed"
    assert await ana.phase(run_id) == "brainstorm-reviewed"
    assert (await ana.types()).count("override") == 1


async def test_a_run_that_has_moved_on_is_left_alone(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=CHAIN)
    await world.attempt(run_id)
    for name in ("approve_gate", "reject_gate", "defer_gate"):
        with pytest.raises(Conflict) as refused:
            await ana.write(name, run_id=run_id, from_phase="draft", to_phase="check")
        assert refused.value.now == "check"
    with pytest.raises(Conflict):
        await ana.write("approve_gate", run_id=run_id, from_phase="check", to_phase="elsewhere")
    assert await ana.phase(run_id) == "check"


@pytest.mark.parametrize(("name", "decision"), [("reject_gate", "rejected"), ("defer_gate", "deferred")])
async def test_a_gate_that_is_not_opened_keeps_the_run_and_the_decision(
    ana: Caller, world: World, name: str, decision: str
) -> None:
    run_id = await world.run()
    await world.attempt(run_id)
    key = ana.key()
    for _ in range(2):
        outcome = await ana.write(name, key=key, run_id=run_id, from_phase="brainstorm", reason="not yet")
        worded(outcome)
        assert (outcome.data["decision"], outcome.data["by"]) == (decision, "ana")
    assert await ana.phase(run_id) == "brainstorm"
    status = await ana.read("run_status", run_id=run_id)
    assert (status.data["decision"]["decision"], status.data["decision"]["reason"]) == (decision, "not yet")
    assert await world.noted(run_id) == [f"gate.{decision}"]


async def test_an_old_decision_says_nothing_about_a_new_phase(ana: Caller, world: World) -> None:
    run_id = await world.run()
    await world.attempt(run_id)
    await ana.write("reject_gate", run_id=run_id)
    await ana.write("approve_gate", run_id=run_id)
    status = await ana.read("run_status", run_id=run_id)
    assert status.data.get("decision", {}).get("decision") != "rejected"


async def test_a_failed_attempt_of_a_person_is_a_block_and_no_error(ana: Caller, world: World) -> None:
    run_id = await world.run()
    tried = await ana.write("advance_phase", run_id=run_id)
    assert (tried.data["advanced"], tried.data["event_type"]) == (False, "block")
    assert "artifact" in worded(tried)
    assert await ana.types() == ["block"]


async def test_the_proof_that_it_runs_is_overridden_by_nobody(ana: Caller, world: World) -> None:
    if world.name == "embedded":
        pytest.skip("the embedded kernel knows no such proof")
    from tests.demarch.law.command_line import CliWorld

    assert isinstance(world, CliWorld)
    metadata = '{"close_gate":{"requirements":["runtime-evidence/v1"]}}'
    run_id = await world.project.run(phases='["reflect","done"]', metadata=metadata)
    with pytest.raises(NotPossible):
        await ana.write("approve_gate", run_id=run_id, from_phase="reflect", to_phase="done", cause="block")
    assert await ana.phase(run_id) == "reflect"
    # It was not even tried: a try would come back as a new block.
    assert await ana.types() == []
