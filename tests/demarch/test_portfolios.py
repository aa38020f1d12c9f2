"""Portfolios: what holds for a run and the runs of its projects together."""

from collections.abc import Sequence

import pytest

from demarch.embedded import EmbeddedKernel, portfolios, runs
from demarch.embedded.ledger import Change
from demarch.embedded.runs import NewRun, Settings
from demarch.errors import Conflict, InvalidCall, NotPossible
from demarch.kernel import Extension, Outcome
from tests.demarch.driving import DONE, Driver

CHAIN = ("draft", "check", "ship")


async def portfolio(
    ana: Driver, projects: Sequence[str] = ("api", "web"), **new: object
) -> tuple[str, list[str]]:
    async def work(change: Change) -> Outcome:
        about = {"goal": "one login everywhere", "phases": CHAIN} | new
        row, children = await portfolios.create(change, NewRun(**about), projects)  # type: ignore[arg-type]
        return Outcome(text="", data={"id": row["id"], "children": [child["id"] for child in children]})

    data = (await ana.change(work)).data
    return str(data["id"]), list(data["children"])


async def agent(ana: Driver, run_id: str) -> None:
    async def work(change: Change) -> Outcome:
        row = await runs.lock_active(change, run_id)
        await portfolios.make_room(change, row)
        await runs.add_agent(change, row, "codex", "worker")
        return DONE

    await ana.change(work)


async def settings(ana: Driver, run_id: str, **given: int) -> None:
    async def work(change: Change) -> Outcome:
        await runs.set_(change, run_id, Settings(**given))  # type: ignore[arg-type]
        return DONE

    await ana.change(work)


async def test_a_portfolio_goes_as_far_as_its_children(ana: Driver) -> None:
    run_id, (api, web) = await portfolio(ana)
    held = await ana.advance(run_id)
    assert "child runs have not reached check" in held.text
    await ana.advance(api)
    assert (await ana.advance(run_id)).data["advanced"] is False
    await ana.advance(web)
    assert (await ana.advance(run_id)).data["to_phase"] == "check"
    await ana.advance(api)
    await ana.advance(web)
    assert (await ana.advance(run_id)).data["completed"] is True


async def test_a_cancelled_child_is_waited_for_no_longer(ana: Driver) -> None:
    run_id, (api, web) = await portfolio(ana)
    await ana.advance(api)
    await ana.write("cancel_run", run_id=web)
    assert (await ana.advance(run_id)).data["advanced"] is True
    assert (await ana.kernel.run(run_id)).status == "active"


async def test_a_person_lets_a_portfolio_on_before_its_children(ana: Driver) -> None:
    run_id, _ = await portfolio(ana)
    await ana.advance(run_id)
    outcome = await ana.write("approve_gate", run_id=run_id, reason="they will follow")
    assert outcome.data["to_phase"] == "check"


async def test_cancelling_takes_the_active_children_along(ana: Driver) -> None:
    run_id, (api, web) = await portfolio(ana)
    for _ in range(2):
        await ana.advance(api)
    outcome = await ana.write("cancel_run", run_id=run_id, reason="no need")
    assert outcome.data["children"] == 1
    assert "and 1 run of its projects with it" in outcome.text
    assert [(await ana.kernel.run(each)).status for each in (run_id, api, web)] == [
        "cancelled", "completed", "cancelled",
    ]  # fmt: skip
    cancelled = {event.run_id: event.reason for event in await ana.events() if event.type == "cancel"}
    assert cancelled == {run_id: "no need", web: "portfolio cancelled"}


async def test_the_status_shows_the_children_and_a_child_is_nobodys_current_run(ana: Driver) -> None:
    run_id, (api, web) = await portfolio(ana)
    await ana.advance(api)
    status = await ana.read("run_status")
    assert status.data["id"] == run_id
    assert status.data["others"] == []
    assert {child["id"]: (child["project_dir"], child["phase"]) for child in status.data["children"]} == {
        api: ("api", "check"), web: ("web", "draft"),
    }  # fmt: skip
    assert "api ●○○ check" in status.text.replace("●●", "●")
    child = await ana.read("run_status", run_id=web)
    assert child.data["parent_run_id"] == run_id


async def test_only_so_many_agents_work_in_a_portfolio_at_once(ana: Driver) -> None:
    run_id, (api, web) = await portfolio(ana, max_dispatches=2)
    await agent(ana, api)
    await agent(ana, web)
    with pytest.raises(Conflict, match="2 agents of 2 at work"):
        await agent(ana, web)
    extended = await ana.write("extend_budget", run_id=run_id)
    assert extended.data == {"run_id": run_id, "extension": "dispatches", "max_dispatches": 3}
    assert "may start 3 agents" in extended.text
    await agent(ana, web)
    with pytest.raises(Conflict):
        await agent(ana, api)
    await settings(ana, run_id, max_dispatches=0)
    await agent(ana, api)
    with pytest.raises(NotPossible, match="no limit"):
        await ana.write("extend_budget", run_id=run_id)


async def test_what_is_extended_is_tokens_where_the_portfolio_counts_them(
    ana: Driver, kernel: EmbeddedKernel
) -> None:
    run_id, _ = await portfolio(ana, token_budget=1000, max_dispatches=2)
    assert (await kernel.run(run_id)).extension is Extension.TOKENS
    assert (await ana.write("extend_budget", run_id=run_id)).data["budget"] == 1500
    other, _ = await portfolio(ana, max_dispatches=2)
    assert (await kernel.run(other)).extension is Extension.DISPATCHES
    with pytest.raises(NotPossible, match="counts agents"):
        await ana.write("extend_budget", run_id=other, tokens=10)


@pytest.mark.parametrize("projects", [["api"], ["api", "api"], ["api", " "], [str(n) for n in range(51)]])
async def test_a_portfolio_spans_several_different_projects(ana: Driver, projects: list[str]) -> None:
    with pytest.raises(InvalidCall, match="different projects"):
        await portfolio(ana, projects)
    assert list(await ana.kernel.runs(active=False)) == []


async def test_only_a_portfolio_has_a_limit_of_agents(ana: Driver) -> None:
    with pytest.raises(InvalidCall):
        await ana.run(max_dispatches=2)
    run_id = await ana.run()
    with pytest.raises(InvalidCall):
        await settings(ana, run_id, max_dispatches=2)
    with pytest.raises(InvalidCall):
        await portfolio(ana, project="somewhere")
