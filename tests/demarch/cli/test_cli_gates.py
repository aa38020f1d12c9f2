"""What people decide about gates, beside other hands that move the same run."""

import asyncio
import json

import pytest

from demarch.calls import parse
from demarch.cli.events import event_of
from demarch.cli.marks import unmarked
from demarch.errors import (
    Conflict,
    NotPossible,
)
from demarch.notices import reason_words
from storage.clock import SystemClock
from tests.demarch.cli.hands import ANA, Hand, announced, events, kept, kinds
from tests.demarch.cli.scenes import METADATA
from tests.servers.kernels import faults
from tests.servers.kernels.project import Project


async def test_a_blocked_gate_is_overridden_in_the_words_and_with_the_name_of_a_person(
    agency: Project, ana: Hand
) -> None:
    run = await agency.run()
    await agency.advance(run)
    outcome = await ana(
        "approve_gate", run_id=run, from_phase="brainstorm", to_phase="brainstorm-reviewed", cause="block",
        reason="Approved by\nAna \u202e(tg:1)\x07",
    )  # fmt: skip
    assert outcome.text == (
        "“refactor auth” went on although its gate was closed: from brainstorm to brainstorm-reviewed. "
        f"(run {run})"
    )
    assert outcome.data["event_type"] == "override"
    assert outcome.data["reason"] == "Approved by Ana (tg:1)"
    last = (await events(agency, run))[-1]
    stored = json.loads(last["reason"])
    assert unmarked(stored["reason"]) == ("Approved by Ana (tg:1)", ana.key)
    assert stored["override_category"] == "justified"
    assert kept(agency, run) | {"at": 0} == {
        "decision": "approved", "run_id": run, "from_phase": "brainstorm", "to_phase": "brainstorm-reviewed",
        "reason": "Approved by Ana (tg:1)", "by": ANA, "at": 0, "key": ana.key,
    }  # fmt: skip
    assert announced(agency) == ["gate.approved"]


async def test_a_paused_run_is_let_go_on_and_its_gate_still_counts(agency: Project, ana: Hand) -> None:
    run = await agency.run()
    await agency.ic("run", "set", run, "--auto-advance=false")
    await agency.advance(run)
    stayed = await ana("approve_gate", run_id=run, from_phase="brainstorm", cause="pause")
    assert stayed.data["advanced"] is False
    assert stayed.data["event_type"] == "block"
    assert "has to wait: no artifact for brainstorm" in stayed.text
    assert stayed.data["evidence"]["conditions"][0]["check"] == "artifact_exists"
    assert announced(agency) == []  # nothing was let through
    await agency.artifact(run, "brainstorm")
    went = await ana("approve_gate", run_id=run, from_phase="brainstorm", cause="pause")
    assert went.data["advanced"] is True
    assert went.text == f"“refactor auth” went on: from brainstorm to brainstorm-reviewed. (run {run})"
    assert await kinds(agency, run) == ["set", "pause", "block", "advance"]


async def test_without_a_cause_the_run_itself_says_what_it_waits_for(agency: Project, ana: Hand) -> None:
    run = await agency.run()
    await agency.artifact(run, "brainstorm")
    await agency.ic("run", "set", run, "--auto-advance=false")
    await agency.advance(run)
    assert (await ana("approve_gate", run_id=run)).data["event_type"] == "advance"
    assert (await ana("approve_gate", run_id=run)).data["event_type"] == "override"


async def test_a_run_that_moved_between_the_card_and_the_approval_is_left_alone(
    agency: Project, ana: Hand
) -> None:
    run = await agency.run()
    await agency.artifact(run, "brainstorm")
    await agency.advance(run)
    moved = await ana.refused(
        "approve_gate", Conflict, run_id=run, from_phase="brainstorm", to_phase="brainstorm-reviewed"
    )
    assert isinstance(moved, Conflict)
    assert moved.now == "brainstorm-reviewed"
    assert "has moved on: it has been in brainstorm-reviewed for" in str(moved)
    wrong = await ana.refused(
        "reject_gate", Conflict, run_id=run, from_phase="brainstorm-reviewed", to_phase="done"
    )
    assert "leads from brainstorm-reviewed to strategized now, not to done" in str(wrong)
    await agency.ic("run", "cancel", run)
    over = await ana.refused("approve_gate", Conflict, run_id=run)
    assert isinstance(over, Conflict)
    assert over.now == "cancelled"
    assert await kinds(agency, run) == ["advance", "cancel"]


async def test_a_run_that_moves_in_the_instant_of_the_approval_is_set_back_to_where_it_had_moved(
    agency: Project, ana: Hand
) -> None:
    run = await agency.run()
    await agency.artifact(run, "brainstorm")
    agency.plant("ic gate override", faults.SLOW, seconds=1)

    async def somebody_else() -> None:
        async with asyncio.timeout(20):
            while not agency.calls("gate override"):  # noqa: ASYNC110 - other processes give no sign
                await asyncio.sleep(0.01)
        await agency.advance(run)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(somebody_else())
        way = {"run_id": run, "from_phase": "brainstorm"}
        refusing = tasks.create_task(ana.refused("approve_gate", Conflict, **way))
    strayed = refusing.result()
    assert isinstance(strayed, Conflict)
    assert not strayed.untouched
    assert "the step beyond it was taken back at once" in str(strayed)
    assert (await agency.ic("run", "status", run)).json["phase"] == "brainstorm-reviewed"
    assert await kinds(agency, run) == ["advance", "override", "rollback"]
    back = (await events(agency, run))[-1]
    assert unmarked(back["reason"])[1] == ana.key


async def test_two_who_approve_the_same_gate_pass_it_once(agency: Project, ana: Hand) -> None:
    run = await agency.run()
    ways = {"run_id": run, "from_phase": "brainstorm"}

    async def decide(key: str) -> bool:
        try:
            await ana.writes.write(parse("approve_gate", ways), actor=ANA, key=key)
        except Conflict:
            return False
        return True

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        decided = [tasks.create_task(decide(f"{number}/1")) for number in range(3)]
    assert sorted(task.result() for task in decided) == [False, False, True]
    assert await kinds(agency, run) == ["override"]


async def test_evidence_that_nobody_may_override_is_not_even_tried(agency: Project, ana: Hand) -> None:
    run = await agency.run(phases='["review","done"]', metadata=json.dumps(METADATA))
    await agency.advance(run)
    before = await kinds(agency, run)
    refused = await ana.refused("approve_gate", NotPossible, run_id=run, from_phase="review", cause="block")
    assert "wants evidence that its work runs; nobody can override that" in str(refused)
    # A refusal of the kernel would have been logged as one more block, and come back as a new card.
    assert await kinds(agency, run) == before


@pytest.mark.parametrize(("operation", "decision"), [("reject_gate", "rejected"), ("defer_gate", "deferred")])
async def test_a_gate_that_is_turned_down_or_put_off_is_on_record_and_the_run_stays(
    operation: str, decision: str, agency: Project, ana: Hand
) -> None:
    run = await agency.run()
    outcome = await ana(operation, run_id=run, from_phase="brainstorm", reason="not before Monday")
    assert outcome.text.startswith(f"{decision.capitalize()}: “refactor auth” stays in brainstorm")
    assert outcome.data["decision"] == decision
    assert "key" not in outcome.data
    assert kept(agency, run)["reason"] == "not before Monday"
    assert announced(agency) == [f"gate.{decision}"]
    assert await kinds(agency, run) == []


async def test_a_reason_that_looks_like_a_secret_does_not_stop_a_decision(agency: Project, ana: Hand) -> None:
    run = await agency.run()
    await ana("reject_gate", run_id=run, reason="password: hunter2hunter2 is in the diff")
    written = kept(agency, run)
    assert written["decision"] == "rejected"
    assert "hunter2" not in json.dumps(written)


async def test_an_advance_that_a_person_confirmed_names_the_person(agency: Project, ana: Hand) -> None:
    run = await agency.run()
    await agency.ic("run", "set", run, "--auto-advance=false")
    await agency.artifact(run, "brainstorm")
    outcome = await ana("advance_phase", run_id=run, from_phase="brainstorm")
    assert outcome.data["reason"] == "confirmed by tg:1"
    assert outcome.data["event_type"] == "advance"


async def test_the_last_gate_completes_the_run(agency: Project, ana: Hand) -> None:
    run = await agency.run(phases='["review","done"]')
    outcome = await ana("approve_gate", run_id=run, from_phase="review")
    assert outcome.data["completed"] is True
    assert outcome.text.startswith("“refactor auth” is complete after")


async def test_the_log_shows_the_words_of_a_person_and_whose_write_it_was(agency: Project, ana: Hand) -> None:
    run = await agency.run()
    await ana("approve_gate", run_id=run, from_phase="brainstorm", reason="Approved by Ana (tg:1)")
    lines = (await agency.ic("events", "tail", "--all")).lines
    line = next(line for line in lines if line["type"] == "override")
    event = event_of(line, SystemClock().now())
    assert event is not None
    assert event.envelope["key"] == ana.key
    assert reason_words(event) == "Approved by Ana (tg:1)"
