"""The law of how runs move: chains of their own, skipped phases, the way back, the end."""

from tests.demarch.law.conftest import Unlike
from tests.demarch.law.worlds import Caller, World

CHAIN = ["draft", "check", "polish", "ship"]


async def test_a_run_goes_through_its_own_chain_to_its_own_end(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=CHAIN)
    run = await ana.kernel.run(run_id)
    assert (run.phase, list(run.phases)) == ("draft", CHAIN)
    for phase in CHAIN[1:]:
        assert (await ana.kernel.run(run_id)).status == "active"
        await world.attempt(run_id)
        assert await ana.phase(run_id) == phase
    assert (await ana.kernel.run(run_id)).status == "completed"
    assert [event.to_state for event in await ana.events("phase")] == CHAIN[1:]
    assert await ana.kernel.runs() == []


async def test_a_person_can_bring_a_run_to_its_end(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=["draft", "ship"])
    done = await ana.write("advance_phase", run_id=run_id)
    assert done.data["completed"] is True
    assert (await ana.kernel.run(run_id)).status == "completed"


async def test_a_skipped_phase_is_walked_past(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=CHAIN)
    await world.skip(run_id, "check")
    assert await ana.phase(run_id) == "draft"
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "polish"
    skip, advance = await ana.events("phase")
    assert (skip.type, skip.from_state, skip.to_state) == ("skip", "draft", "check")
    assert (advance.type, advance.from_state, advance.to_state) == ("advance", "draft", "polish")


async def test_a_person_lets_a_run_through_to_the_phase_behind_a_skipped_one(
    ana: Caller, world: World, unlike: Unlike
) -> None:
    for name in ("fake", "real"):
        unlike(name, "`ic gate check` does not look past a skipped phase as `ic run advance` does")
    run_id = await world.run(phases=CHAIN)
    await world.skip(run_id, "check")
    status = await ana.read("run_status", run_id=run_id)
    assert status.data["gate"]["to_phase"] == "polish"
    moved = await ana.write("advance_phase", run_id=run_id, from_phase="draft")
    assert (moved.data["advanced"], moved.data["to_phase"]) == (True, "polish")


async def test_an_approval_of_a_run_before_a_skipped_phase_is_said_as_it_came_out(
    ana: Caller, world: World
) -> None:
    run_id = await world.run(phases=CHAIN)
    await world.skip(run_id, "check")
    moved = await ana.write("approve_gate", run_id=run_id, from_phase="draft")
    assert moved.data["to_phase"] == await ana.phase(run_id)


async def test_a_run_that_went_back_stands_there(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=CHAIN)
    for _ in range(2):
        await world.attempt(run_id)
    await world.roll_back(run_id, "draft")
    assert await ana.phase(run_id) == "draft"
    back = (await ana.events("phase"))[-1]
    assert (back.type, back.from_state, back.to_state) == ("rollback", "polish", "draft")


async def test_a_completed_run_that_went_back_is_active_again(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=["draft", "ship"])
    await world.attempt(run_id)
    await world.roll_back(run_id, "draft")
    run = await ana.kernel.run(run_id)
    assert (run.status, run.phase) == ("active", "draft")


async def test_what_a_phase_made_that_was_taken_back_counts_no_more(ana: Caller, world: World) -> None:
    rule = {"check": "artifact_exists", "phase": "check"}
    gates: dict[str, list[dict[str, str]]] = {"draft→check": [], "check→polish": [rule], "polish→ship": []}
    run_id = await world.run(phases=CHAIN, gates=gates)
    await world.attempt(run_id)
    await world.artifact(run_id, "check")
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "polish"
    await world.roll_back(run_id, "draft")
    for _ in range(2):
        await world.attempt(run_id)
    assert await ana.phase(run_id) == "check"
    assert (await ana.types())[-1] == "block"
