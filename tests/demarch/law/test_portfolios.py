"""The law of portfolios: a run over several projects goes as far as all of its children have come."""

from demarch.kernel import Extension
from tests.demarch.law.worlds import Caller, World


async def test_a_portfolio_waits_for_its_children(ana: Caller, world: World) -> None:
    portfolio, children = await world.portfolio("one login everywhere", 2)
    await world.artifact(portfolio, "brainstorm")
    await world.attempt(portfolio)
    assert await ana.phase(portfolio) == "brainstorm"
    block = [event for event in await ana.events("phase") if event.run_id == portfolio][-1]
    assert "children_at_phase" in block.reason
    for child in children:
        await world.artifact(child, "brainstorm")
        await world.attempt(child)
        assert await ana.phase(child) == "brainstorm-reviewed"
    await world.attempt(portfolio)
    assert await ana.phase(portfolio) == "brainstorm-reviewed"


async def test_a_cancelled_portfolio_takes_its_children_along(ana: Caller, world: World) -> None:
    portfolio, children = await world.portfolio("one login everywhere", 2)
    await ana.write("cancel_run", run_id=portfolio)
    for run_id in (portfolio, *children):
        assert (await ana.kernel.run(run_id)).status == "cancelled"
    cancelled = [event.run_id for event in await ana.events("phase") if event.type == "cancel"]
    assert sorted(cancelled) == sorted((portfolio, *children))


async def test_a_portfolio_is_extended_by_dispatches(ana: Caller, world: World) -> None:
    portfolio, _ = await world.portfolio("one login everywhere", 2)
    assert (await ana.kernel.run(portfolio)).extension is Extension.DISPATCHES


async def test_a_child_does_not_wait_for_the_others(ana: Caller, world: World) -> None:
    _, children = await world.portfolio("one login everywhere", 2)
    await world.artifact(children[0], "brainstorm")
    await world.attempt(children[0])
    assert await ana.phase(children[0]) == "brainstorm-reviewed"
    assert await ana.phase(children[1]) == "brainstorm"
