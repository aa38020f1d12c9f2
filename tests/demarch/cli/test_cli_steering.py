"""Runs are started, paused, stopped and continued."""

import json

from demarch.errors import (
    Conflict,
    InvalidCall,
    NotFound,
    NotPossible,
)
from tests.demarch.cli.hands import Hand, announced
from tests.servers.kernels.project import Project


async def test_a_run_carries_the_write_that_started_it(agency: Project, ana: Hand) -> None:
    outcome = await ana(
        "start_run", title="Rotate tokens", description="all of them", token_budget=50_000, complexity=4
    )
    run = outcome.data["id"]
    data = (await agency.ic("run", "status", run)).json
    assert (data["scope_id"], data["token_budget"], data["complexity"]) == (ana.key, 50_000, 4)
    assert data["project_dir"] == str(agency.folder)
    assert (
        outcome.text == f"“Rotate tokens” has started. It is in brainstorm and has 50 k tokens. (run {run})"
    )
    assert outcome.data["description"] == "all of them"


async def test_a_run_for_another_project_is_not_started_here(agency: Project, ana: Hand) -> None:
    await ana.refused("start_run", InvalidCall, title="x", project="/somewhere/else")
    await ana("start_run", title="x", project=agency.folder.name)


async def test_pausing_resuming_and_stopping_a_run(agency: Project, ana: Hand) -> None:
    run = await agency.run()
    paused = await ana("pause_run", run_id=run)
    assert paused.data["auto_advance"] is False
    assert paused.text.startswith("Paused: “refactor auth” stays in brainstorm")
    assert (await ana("resume_run", run_id=run)).data["auto_advance"] is True
    stopped = await ana("cancel_run", run_id=run, reason="too dear")
    assert stopped.data == {"id": run, "status": "cancelled", "phase": "brainstorm"}
    assert announced(agency) == ["run.paused", "run.resumed", "run.cancelled"]
    for operation in ("cancel_run", "pause_run", "extend_budget"):
        over = await ana.refused(operation, Conflict, run_id=run)
        assert "is cancelled (just now)" in str(over)


async def test_what_names_nothing_that_exists_is_not_found(ana: Hand) -> None:
    for operation in (
        "approve_gate",
        "reject_gate",
        "advance_phase",
        "cancel_run",
        "pause_run",
        "extend_budget",
    ):
        await ana.refused(operation, NotFound, run_id="zzzzzzzz")
    for operation in ("promote_discovery", "dismiss_discovery"):
        await ana.refused(operation, NotFound, discovery_id="zzzzzzzzzzzz")
    await ana.refused("update_issue", NotFound, id="iv-none", title="x")
    await ana.refused("close_issue", NotFound, id="iv-none")


async def test_a_run_without_room_in_its_budget_is_continued_by_a_larger_one(
    agency: Project, ana: Hand
) -> None:
    old = await agency.run(token_budget=1000, budget_warn_pct=70, complexity=5)
    await agency.artifact(old, "brainstorm")
    await agency.advance(old)
    outcome = await ana("extend_budget", run_id=old, percent=50)
    new = outcome.data["id"]
    assert dict(outcome.data) | {"id": ""} == {
        "run_id": old, "extension": "follow-up", "id": "", "continues": old, "budget": 1500, "more": 500,
    }  # fmt: skip
    data = (await agency.ic("run", "status", new)).json
    assert data["goal"] == f"refactor auth (continues run {old})"
    assert (data["token_budget"], data["budget_warn_pct"], data["complexity"]) == (1500, 70, 5)
    assert data["phase"] == "brainstorm-reviewed"
    assert data["phases"][0] == "brainstorm-reviewed"
    assert (await agency.ic("run", "status", old)).json["status"] == "cancelled"
    assert "takes the place of the old run, which was stopped" in outcome.text
    again = await ana("extend_budget", run_id=new, tokens=500)
    goal = (await agency.ic("run", "status", again.data["id"])).json["goal"]
    assert goal == f"refactor auth (continues run {new})"


async def test_the_rules_of_a_run_go_on_in_the_one_that_continues_it(agency: Project, ana: Hand) -> None:
    rules = {
        "plan→build": [{"check": "artifact_exists", "phase": "plan"}],
        "build→ship": [{"check": "verdict_exists"}],
    }
    old = await agency.run(
        token_budget=1000, phases='["plan","build","ship"]', gates=json.dumps(rules, ensure_ascii=False)
    )
    await agency.artifact(old, "plan")
    await agency.advance(old)
    new = (await ana("extend_budget", run_id=old)).data["id"]
    data = (await agency.ic("run", "status", new)).json
    assert data["phases"] == ["build", "ship"]
    assert list(data["gate_rules"]) == ["build→ship"]


async def test_a_portfolio_may_start_more_agents(agency: Project, ana: Hand) -> None:
    made = await agency.ic("run", "create", "--goal=both", "--projects=/srv/a,/srv/b", "--max-dispatches=4")
    outcome = await ana("extend_budget", run_id=made.json["id"])
    assert outcome.data["max_dispatches"] == 6
    assert outcome.text.startswith("“both” may start 6 agents in all now.")
    assert (await agency.ic("run", "status", made.json["id"])).json["max_dispatches"] == 6


async def test_nothing_to_extend_is_said(agency: Project, ana: Hand) -> None:
    refused = await ana.refused("extend_budget", NotPossible, run_id=await agency.run())
    assert "has no token budget" in str(refused)
    made = await agency.ic("run", "create", "--goal=both", "--projects=/srv/a,/srv/b")
    assert "no limit" in str(await ana.refused("extend_budget", NotPossible, run_id=made.json["id"]))
