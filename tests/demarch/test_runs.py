"""Runs: started, moved through gates, decided about, and told."""

import asyncio

import pytest

from demarch.errors import Conflict, DemarchError, InvalidCall, NotFound
from demarch.gates import Tier
from demarch.phases import DEFAULT_PHASES
from tests.clock import HandClock
from tests.demarch.driving import Driver


async def test_without_a_run_it_is_said_plainly(ana: Driver) -> None:
    for name in ("run_status", "sprint_phase", "spec_lookup"):
        outcome = await ana.read(name)
        assert (outcome.text, outcome.data) == ("No run is active.", {"found": False})
    with pytest.raises(NotFound, match="There is no run r1"):
        await ana.read("run_status", run_id="r1")


async def test_a_started_run_is_the_current_one(ana: Driver, clock: HandClock) -> None:
    await ana.run("older")
    await clock.advance(60)
    outcome = await ana.write("start_run", title="refactor auth", tokenBudget=200_000, project="shop")
    run_id = outcome.data["id"]
    told = "“refactor auth” has started. It is in brainstorm and has 200 k tokens."
    assert outcome.text == f"{told} (run {run_id})"
    assert len(run_id) == 8
    await clock.advance(720)
    status = await ana.read("run_status")
    assert status.text.splitlines() == [
        "refactor auth",
        "○○○○○○○○○ brainstorm (1 of 9), 12 min ago",
        "Budget ░░░░░░░░░░ 0 % of 200 k tokens",
        "Next brainstorm-reviewed: no artifact for brainstorm",
        "",
        "Also active: older (brainstorm)",
        f"run {run_id}",
    ]
    assert status.data["phases"] == list(DEFAULT_PHASES)
    assert status.data["budget"]["budget"] == 200_000
    assert status.data["created_at"] == int(clock.now().timestamp()) - 720
    assert (await ana.read("sprint_phase")).data["phase"] == "brainstorm"


async def test_a_hard_gate_blocks_and_an_artifact_opens_it(ana: Driver) -> None:
    run_id = await ana.run()
    blocked = await ana.write("advance_phase", run_id=run_id, from_phase="brainstorm")
    assert blocked.data["advanced"] is False
    assert blocked.data["event_type"] == "block"
    assert "stays in brainstorm" in blocked.text
    assert "no artifact for brainstorm" in blocked.text
    assert "Waits at a closed gate for a person" in (await ana.read("run_status")).text
    await ana.artifact(run_id)
    moved = await ana.write("advance_phase", run_id=run_id)
    assert moved.data["to_phase"] == "brainstorm-reviewed"
    assert await ana.types() == ["block", "advance"]


async def test_soft_and_absent_gates_let_a_run_through_and_keep_what_failed(ana: Driver) -> None:
    run_id = await ana.run()
    soft = await ana.advance(run_id, Tier.SOFT)
    assert (soft.data["advanced"], soft.data["gate_result"], soft.data["gate_tier"]) == (True, "fail", "soft")
    none = await ana.advance(run_id, Tier.NONE)
    assert (none.data["advanced"], none.data["gate_result"]) == (True, "none")
    first, second = await ana.events()
    assert "no artifact for brainstorm" in first.reason
    assert second.reason == ""


async def test_a_run_that_must_not_advance_by_itself_pauses_until_a_person_lets_it_go_on(ana: Driver) -> None:
    run_id = await ana.run(phases=("plan", "build", "ship"), auto_advance=False)
    assert "Paused: it asks before every phase" in (await ana.read("run_status", run_id=run_id)).text
    paused = await ana.advance(run_id)
    assert "Paused:" not in (await ana.read("run_status", run_id=run_id)).text, "it says that it waits"
    assert (paused.data["event_type"], paused.data["advanced"]) == ("pause", False)
    moved = await ana.write("approve_gate", gate_id=f"{run_id}:plan:build", cause="pause", reason="Ana: go")
    assert moved.data["event_type"] == "advance"
    await ana.advance(run_id)
    moved = await ana.write("approve_gate", run_id=run_id)  # the kernel knows what stopped it
    assert moved.data["event_type"] == "advance"
    assert moved.data["completed"] is True


async def test_an_approved_pause_still_meets_its_gate(ana: Driver) -> None:
    run_id = await ana.run(auto_advance=False)
    await ana.advance(run_id)
    outcome = await ana.write("approve_gate", run_id=run_id, cause="pause")
    assert (outcome.data["advanced"], outcome.data["event_type"]) == (False, "block")
    assert await ana.types() == ["pause", "block"]


async def test_an_override_moves_exactly_one_phase_and_keeps_the_reason(ana: Driver) -> None:
    run_id = await ana.run()
    await ana.advance(run_id)
    outcome = await ana.write("approve_gate", run_id=run_id, reason="Ana via Telegram: good\nenough")
    assert (outcome.data["from_phase"], outcome.data["to_phase"]) == ("brainstorm", "brainstorm-reviewed")
    event = (await ana.events())[-1]
    assert event.type == "override"
    assert event.reason == '{"override_category": "uncategorized", "reason": "Ana via Telegram: good enough"}'
    assert event.envelope["actor"] == "ana"


@pytest.mark.parametrize("name", ["approve_gate", "reject_gate", "defer_gate", "advance_phase"])
async def test_a_decision_about_a_phase_that_is_over_is_refused_and_explained(
    ana: Driver, clock: HandClock, name: str
) -> None:
    run_id = await ana.run()
    await ana.artifact(run_id)
    await ana.advance(run_id)
    await clock.advance(300)
    with pytest.raises(
        Conflict, match="has moved on: it has been in brainstorm-reviewed for 5 min"
    ) as refusal:
        await ana.write(name, run_id=run_id, from_phase="brainstorm")
    assert refusal.value.now == "brainstorm-reviewed"
    assert await ana.types() == ["advance"]


async def test_a_gate_that_leads_elsewhere_now_is_refused(ana: Driver) -> None:
    run_id = await ana.run(phases=("a", "b", "c"))
    await ana.skip(run_id, "b")
    with pytest.raises(Conflict, match="leads from a to c now, not to b"):
        await ana.write("approve_gate", gate_id=f"{run_id}:a:b")


async def test_two_people_at_one_gate_move_it_once(ana: Driver) -> None:
    run_id = await ana.run()

    async def approve() -> str:
        try:
            outcome = await ana.write("approve_gate", run_id=run_id, from_phase="brainstorm")
        except Conflict as refusal:
            return refusal.now
        return str(outcome.data["to_phase"])

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        approvals = [tasks.create_task(approve()) for _ in range(5)]
    assert [task.result() for task in approvals] == ["brainstorm-reviewed"] * 5
    assert await ana.types() == ["override"]


async def test_a_rejected_gate_is_on_record_and_asks_again_only_after_a_new_attempt(
    ana: Driver, clock: HandClock
) -> None:
    run_id = await ana.run()
    await ana.advance(run_id)
    outcome = await ana.write("reject_gate", run_id=run_id, from_phase="brainstorm", reason="not yet")
    kept = "stays in brainstorm and does not go to brainstorm-reviewed"
    assert outcome.text == f"Rejected: “refactor auth” {kept}. (run {run_id})"
    await clock.advance(300)
    status = await ana.read("run_status")
    assert "The gate was rejected by ana 5 min ago: not yet" in status.text
    assert "waiting" not in status.data
    await ana.advance(run_id)
    assert await ana.types() == ["block", "gate.rejected", "block"]


async def test_a_deferred_gate_still_waits(ana: Driver) -> None:
    run_id = await ana.run()
    await ana.advance(run_id)
    await ana.write("defer_gate", run_id=run_id)
    status = await ana.read("run_status")
    assert status.data["waiting"] == "block"
    assert status.data["decision"]["decision"] == "deferred"
    event = (await ana.events())[-1]
    assert (event.source, event.type, event.to_state) == (
        "interspect",
        "gate.deferred",
        "brainstorm-reviewed",
    )


async def test_a_held_gate_stays_closed_until_somebody_overrides_it(ana: Driver) -> None:
    run_id = await ana.run(phases=("a", "b", "c"))
    outcome = await ana.block(run_id, "security has to look")
    assert "security has to look" in outcome.text
    for tier in Tier:
        assert (await ana.advance(run_id, tier)).data["advanced"] is False
    assert (await ana.write("approve_gate", run_id=run_id)).data["to_phase"] == "b"
    assert (await ana.advance(run_id)).data["completed"] is True


async def test_the_last_phase_of_the_own_chain_ends_a_run(ana: Driver, clock: HandClock) -> None:
    run_id = await ana.run(phases=("draft", "published"))
    await clock.advance(3600)
    outcome = await ana.advance(run_id)
    assert outcome.text == f"“refactor auth” is complete after 1 h, 0 tokens. (run {run_id})"
    assert (await ana.kernel.run(run_id)).status == "completed"
    assert list(await ana.kernel.runs()) == []
    for name in ("approve_gate", "reject_gate", "advance_phase", "cancel_run", "extend_budget"):
        with pytest.raises(Conflict, match="completed"):
            await ana.write(name, run_id=run_id)


async def test_a_rollback_reopens_a_run_and_forgets_what_the_later_phases_made(ana: Driver) -> None:
    run_id = await ana.run(phases=("brainstorm", "brainstorm-reviewed", "strategized"))
    await ana.artifact(run_id)
    await ana.advance(run_id)
    await ana.artifact(run_id)
    await ana.advance(run_id)
    assert (await ana.kernel.run(run_id)).status == "completed"
    await ana.rollback(run_id, "brainstorm")
    assert (await ana.advance(run_id)).data["advanced"] is True
    assert (await ana.advance(run_id)).data["advanced"] is False
    for phase in ("strategized", "nonsense"):
        with pytest.raises(InvalidCall):
            await ana.rollback(run_id, phase)


async def test_a_skipped_phase_is_walked_past(ana: Driver) -> None:
    run_id = await ana.run(phases=("a", "b", "c", "d"))
    await ana.skip(run_id, "b")
    assert (await ana.kernel.run(run_id)).phase == "a"
    assert (await ana.advance(run_id)).data["to_phase"] == "c"
    for phase in ("a", "c", "d", "z"):
        with pytest.raises(DemarchError):
            await ana.skip(run_id, phase)


async def test_a_cancelled_run_stays_where_it_was(ana: Driver) -> None:
    run_id = await ana.run()
    outcome = await ana.write("cancel_run", runId=run_id, reason="no longer needed")
    assert outcome.text == f"Cancelled: “refactor auth” was in brainstorm; its work stays. (run {run_id})"
    with pytest.raises(Conflict, match="is cancelled") as refusal:
        await ana.write("cancel_run", run_id=run_id)
    assert refusal.value.now == "cancelled"
    with pytest.raises(Conflict):
        await ana.rollback(run_id, "brainstorm")
    event = (await ana.events())[-1]
    assert (event.type, event.reason) == ("cancel", "no longer needed")


async def test_events_are_told_in_sentences(ana: Driver, clock: HandClock) -> None:
    assert (await ana.read("run_events")).text == "Nothing happened."
    run_id = await ana.run()
    await ana.advance(run_id)
    await clock.advance(3 * 3600)
    await ana.write("approve_gate", run_id=run_id, reason="fine")
    outcome = await ana.read("run_events")
    held, moved = outcome.text.splitlines()
    way = "from brainstorm to brainstorm-reviewed"
    assert held == f"3 h ago, by ana: run {run_id} was held at the gate {way}: no artifact for brainstorm"
    assert moved == f"just now, by ana: run {run_id} went {way} although its gate was closed: fine"
    assert [event["type"] for event in outcome.data["events"]] == ["block", "override"]
    assert outcome.data["events"][0]["timestamp"] == "2026-01-05T09:00:00Z"
    assert len((await ana.read("run_events", since="2h")).data["events"]) == 1
    assert len((await ana.read("run_events", limit=1, runId=run_id)).data["events"]) == 1
    assert (await ana.read("run_events", runId="other")).data["events"] == []
