"""Token budgets: two thresholds, told once each."""

import pytest

from demarch.errors import Conflict, NotPossible
from storage.database import Database
from tests.clock import HandClock
from tests.demarch.driving import Driver


async def test_each_threshold_is_told_the_first_time_only(ana: Driver) -> None:
    run_id = await ana.run(token_budget=1000)
    for tokens in (700, 99, 1, 50, 150, 500):
        await ana.spend(run_id, tokens)
    assert await ana.types() == ["budget.warning", "budget.exceeded"]
    warning, exceeded = await ana.events()
    assert warning.reason == "800 of 1000 tokens used (80 %)"
    assert exceeded.reason == "1000 of 1000 tokens used (100 %)"
    assert (warning.from_state, warning.to_state) == ("", "")


async def test_passing_both_at_once_tells_both(ana: Driver) -> None:
    run_id = await ana.run(token_budget=1000)
    await ana.spend(run_id, 1000)
    await ana.spend(run_id, 1)
    assert await ana.types() == ["budget.warning", "budget.exceeded"]


async def test_more_tokens_arm_both_thresholds_again(ana: Driver) -> None:
    run_id = await ana.run(token_budget=1000)
    await ana.spend(run_id, 1000)
    outcome = await ana.write("extend_budget", run_id=run_id)
    assert outcome.text == (f"“refactor auth” got 500 more tokens: 1.5 k in all, 500 left. (run {run_id})")
    assert outcome.data["budget"] == 1500
    await ana.spend(run_id, 199)
    await ana.spend(run_id, 1)
    await ana.spend(run_id, 300)
    crossed = ["budget.warning", "budget.exceeded"]
    assert await ana.types() == [*crossed, "set", *crossed]


@pytest.mark.parametrize(("given", "budget"), [({"tokens": 7}, 1007), ({"percent": 20}, 1200), ({}, 1500)])
async def test_how_much_more_can_be_said_in_tokens_or_percent(
    ana: Driver, given: dict[str, int], budget: int
) -> None:
    run_id = await ana.run(token_budget=1000)
    assert (await ana.write("extend_budget", run_id=run_id, **given)).data["budget"] == budget


async def test_a_run_without_a_budget_cannot_be_extended(ana: Driver) -> None:
    run_id = await ana.run()
    await ana.spend(run_id, 10**9)
    with pytest.raises(NotPossible, match="no token budget"):
        await ana.write("extend_budget", run_id=run_id)
    assert await ana.types() == []
    assert "No token budget; 1000 M tokens used" in (await ana.read("run_status")).text


async def test_an_enforced_budget_closes_the_gates(ana: Driver) -> None:
    run_id = await ana.run(phases=("a", "b", "c"), token_budget=100, enforce=True)
    await ana.advance(run_id)
    await ana.spend(run_id, 100)
    blocked = await ana.advance(run_id)
    assert "the token budget is used up" in blocked.text
    await ana.write("extend_budget", run_id=run_id)
    assert (await ana.advance(run_id)).data["advanced"] is True


async def test_what_a_cancelled_run_still_spends_is_counted_but_not_told(ana: Driver) -> None:
    run_id = await ana.run(token_budget=100)
    await ana.write("cancel_run", run_id=run_id)
    await ana.spend(run_id, 200)
    assert (await ana.kernel.run(run_id)).used == 200
    assert await ana.types() == ["cancel"]
    with pytest.raises(Conflict):
        await ana.write("extend_budget", run_id=run_id)


async def test_the_spending_curve_is_thinned_and_ends_with_the_last_point(
    ana: Driver, clock: HandClock, database: Database
) -> None:
    run_id = await ana.run(token_budget=10_000)
    await ana.spend(run_id, 5)
    assert [total for _, total in (await ana.kernel.run(run_id)).spent] == [5]
    for _ in range(349):
        await clock.advance(1)
        await ana.spend(run_id, 5)
    run = await ana.kernel.run(run_id)
    assert (run.budget, run.used) == (10_000, 1750)
    assert 100 <= len(run.spent) <= 130
    assert list(run.spent) == sorted(run.spent)
    assert run.spent[-1] == (clock.now(), 1750)
