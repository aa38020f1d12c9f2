"""The law of token budgets: counted, told at two thresholds, enforced where that was wished, extended."""

import pytest

from demarch.errors import NotPossible
from demarch.kernel import Extension
from tests.demarch.law.worlds import Caller, World, worded

CHAIN = ["draft", "check", "ship"]


async def test_what_a_run_used_is_counted(ana: Caller, world: World) -> None:
    run_id = await world.run(token_budget=1000)
    await world.spend(run_id, 300)
    await world.spend(run_id, 200)
    run = await ana.kernel.run(run_id)
    assert (run.used, run.budget) == (500, 1000)
    status = await ana.read("run_status", run_id=run_id)
    assert (status.data["budget"]["used"], status.data["budget"]["budget"]) == (500, 1000)
    assert await ana.types() == []


async def test_each_threshold_is_told_once(ana: Caller, world: World) -> None:
    run_id = await world.run(token_budget=1000)
    for tokens, told in (
        (790, []),
        (20, ["budget.warning"]),
        (100, ["budget.warning"]),
        (90, ["budget.warning", "budget.exceeded"]),
        (500, ["budget.warning", "budget.exceeded"]),
    ):
        await world.spend(run_id, tokens)
        assert await ana.types() == told
    status = await ana.read("run_status", run_id=run_id)
    assert status.data["budget"]["exceeded"] is True
    worded(status)


async def test_whoever_passes_both_at_once_is_told_of_both(ana: Caller, world: World) -> None:
    run_id = await world.run(token_budget=1000)
    await world.spend(run_id, 2000)
    assert await ana.types() == ["budget.warning", "budget.exceeded"]


async def test_an_enforced_budget_keeps_the_run(ana: Caller, world: World) -> None:
    run_id = await world.run(phases=CHAIN, token_budget=1000, enforce=True)
    await world.attempt(run_id)
    await world.spend(run_id, 1000)
    await world.attempt(run_id)
    assert await ana.phase(run_id) == "check"
    block = (await ana.events("phase"))[-1]
    assert block.type == "block"
    assert "budget_not_exceeded" in block.reason


async def test_more_tokens_are_to_be_had_one_way_or_the_other(ana: Caller, world: World) -> None:
    run_id = await world.run("refactor auth", token_budget=1000)
    await world.attempt(run_id)
    key = ana.key()
    for _ in range(2):
        extended = await ana.write("extend_budget", key=key, run_id=run_id, percent=50)
        worded(extended)
    before = await ana.kernel.run(run_id)
    if before.extension is Extension.TOKENS:
        assert before.budget == 1500
        assert len(await ana.kernel.runs()) == 1
        return
    # The kernel gives no run more than it got: another one takes its place.
    after = await ana.kernel.run(extended.data["id"])
    assert (before.extension, before.budget) == (Extension.FOLLOW_UP, 1000)
    assert after.id != run_id
    assert after.budget is not None
    assert after.budget > 1000
    assert "refactor auth" in after.goal
    assert len(await ana.kernel.runs(active=False)) == 2


async def test_a_run_without_a_budget_has_none_to_extend(ana: Caller, world: World) -> None:
    run_id = await world.run()
    with pytest.raises(NotPossible):
        await ana.write("extend_budget", run_id=run_id)
    run = await ana.kernel.run(run_id)
    assert run.budget is None
