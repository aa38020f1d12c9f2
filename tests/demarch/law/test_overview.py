"""The law of what people ask as a whole: what changed, is it ready for me, who decided and why."""

import asyncio
from datetime import UTC, datetime

import pytest

from demarch.errors import NotFound
from tests.demarch.law.worlds import Caller, World, worded

CHAIN = ("review", "polish", "done")
GATES: dict[str, list[dict[str, str]]] = {
    "review→polish": [{"check": "artifact_exists", "phase": "review"}],
    "polish→done": [],
}


async def _blocked(world: World, goal: str = "refactor auth") -> str:
    run = await world.run(goal, phases=CHAIN, gates=GATES)
    await world.attempt(run)
    return run


async def test_what_changed_tells_runs_issues_and_discoveries(ana: Caller, world: World) -> None:
    run = await _blocked(world)
    first, second = await ana.issue("first"), await ana.issue("second")
    await ana.write("close_issue", id=first, reason="done")
    found = [
        str((await ana.write("register_finding", title=title, score=0.6)).data["id"])
        for title in ("good one", "bad one")
    ]
    await ana.write("promote_discovery", discovery_id=found[0])
    await ana.write("dismiss_discovery", discovery_id=found[1])
    told = await ana.read("what_changed", since="1h")
    [about] = told.data["runs"]
    assert (about["id"], about["goal"], about["phase"]) == (run, "refactor auth", "review")
    assert "waits for a person: review → polish" in about["what"]
    assert [issue["id"] for issue in told.data["issues"]["closed"]] == [first]
    opened = [issue["id"] for issue in told.data["issues"]["opened"]]
    assert second in opened
    assert [each["title"] for each in told.data["discoveries"]["promoted"]] == ["good one"]
    assert [each["title"] for each in told.data["discoveries"]["dismissed"]] == ["bad one"]
    assert {each["id"] for each in told.data["discoveries"]["found"]} == set(found)
    assert "Run “refactor auth” was started" in told.text
    assert f"1 issue closed: “first” ({first})." in told.text
    worded(told)


async def test_what_was_before_is_no_change(ana: Caller, world: World) -> None:
    await _blocked(world)
    await ana.issue("old")
    await asyncio.sleep(2.1)  # times of the kernels are whole seconds
    told = await ana.read("what_changed", since="1m")
    assert told.data["runs"]
    since = told.data["until"]
    nothing = await ana.read("what_changed", since=datetime.fromtimestamp(since, UTC).isoformat())
    assert nothing.text.startswith("Nothing has changed since ")
    assert nothing.data["runs"] == []
    assert nothing.data["issues"] == {"opened": [], "closed": [], "changed": []}


async def test_a_path_is_told_as_one(ana: Caller, world: World) -> None:
    run = await world.run(phases=CHAIN, gates={step: [] for step in GATES})
    await world.attempt(run)
    await world.attempt(run)
    told = await ana.read("what_changed", since="1h")
    assert "went review → polish → done" in told.data["runs"][0]["what"]
    assert "now completed." in told.text


async def test_a_run_that_waits_for_a_decision_is_ready(ana: Caller, world: World) -> None:
    run = await world.run(phases=CHAIN, gates=GATES)
    not_yet = await ana.read("readiness", run_id=run)
    assert (not_yet.data["ready"], not_yet.data["stage"]) == (False, "working")
    assert not_yet.text.startswith("Not yet: “refactor auth” is in review")
    assert "Still open: no artifact for review." in not_yet.text
    await world.attempt(run)
    waits = await ana.read("readiness")
    assert (waits.data["ready"], waits.data["stage"]) == (True, "decide")
    assert waits.text.startswith("Yes: “refactor auth” waits for your decision, review → polish.")
    worded(waits)


async def test_a_run_that_is_done_can_be_looked_at_and_a_cancelled_one_not(ana: Caller, world: World) -> None:
    run = await world.run(phases=CHAIN, gates={step: [] for step in GATES})
    assert (await ana.read("readiness", run_id=run)).data["stage"] == "moves-on"
    await world.artifact(run, "review", "docs/plan.md")
    await world.attempt(run)
    await world.attempt(run)
    done = await ana.read("readiness", run_id=run)
    assert (done.data["ready"], done.data["stage"]) == (True, "look")
    assert "docs/plan.md" in done.text
    other = await world.run("dropped", phases=CHAIN, gates=GATES)
    await ana.write("cancel_run", run_id=other, reason="not needed")
    over = await ana.read("readiness", run_id=other)
    assert (over.data["ready"], over.data["stage"]) == (False, "over")


async def test_readiness_without_a_run_says_so(ana: Caller) -> None:
    assert (await ana.read("readiness")).data == {"found": False}
    with pytest.raises(NotFound):
        await ana.read("readiness", run_id="nonexist")


async def test_decisions_say_who_and_why(ana: Caller, world: World) -> None:
    run = await _blocked(world)
    await ana.write("reject_gate", run_id=run, from_phase="review", to_phase="polish", reason="too early")
    await world.attempt(run)
    await ana.write("approve_gate", run_id=run, from_phase="review", to_phase="polish", reason="looks good")
    await ana.write("pause_run", run_id=run, reason="until Monday")
    await ana.write("cancel_run", run_id=run, reason="other plans")
    told = await ana.read("decisions", run_id=run)
    whats = [item["what"] for item in told.data["decisions"]]
    assert "let “refactor auth” go from review to polish although its gate was closed" in whats
    assert "cancelled “refactor auth”" in whats
    whys = " ".join(item["why"] for item in told.data["decisions"])
    assert "looks good" in whys
    assert "other plans" in whys
    assert "made “refactor auth” ask before every further phase" in whats
    assert "until Monday" in whys
    moved = next(item for item in told.data["decisions"] if item["type"] == "override")
    assert "ana" in f"{moved['by']} {moved['why']}"
    assert moved["key"]
    assert len(whats) == len(set(whats))
    worded(told)


async def test_a_gate_that_was_turned_down_is_a_decision(ana: Caller, world: World) -> None:
    run = await _blocked(world)
    await ana.write("reject_gate", run_id=run, from_phase="review", to_phase="polish", reason="too early")
    [item] = (await ana.read("decisions")).data["decisions"]
    assert item["what"] == "turned “refactor auth” down at the gate from review to polish"
    assert "too early" in item["why"]
    assert "ana" in item["by"]


async def test_what_nobody_decided_is_no_decision(ana: Caller, world: World) -> None:
    run = await world.run(phases=CHAIN, gates={step: [] for step in GATES})
    await world.attempt(run)
    told = await ana.read("decisions")
    assert told.data["decisions"] == []
    assert told.text == "Nobody has decided anything that is on record here."
