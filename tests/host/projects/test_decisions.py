"""Decisions where ids collide: each card, intent and look belongs to the project it came from."""

from demarch.calls import parse
from host.decisions.approvals import State
from tests.host.decisions.office import ANA, CHAIN, EVE, MAIN, OTHER, buttons, code_of, first_line
from tests.host.projects.conftest import WEB, Branch


async def both_blocked(branch: Branch) -> str:
    run = await branch.twins("the api", "the page", **CHAIN)
    await branch.office.terminal.block(run, "look")
    await branch.terminal.block(run, "look")
    await branch.feed()
    return run


async def test_the_same_id_in_two_projects_is_two_cards_in_two_chats(branch: Branch) -> None:
    await both_blocked(branch)
    await branch.office.show()
    assert [first_line(card) for card in await branch.office.cards(MAIN)] == [
        '🚪 Your decision: polish "the api"?'
    ]
    assert [first_line(card) for card in await branch.office.cards(OTHER)] == [
        '🚪 Your decision: polish "the page"?'
    ]


async def test_a_decision_reaches_the_kernel_of_its_own_project_only(branch: Branch) -> None:
    run = await both_blocked(branch)
    await branch.office.tap(await branch.office.card(OTHER), "APPROVE", EVE)
    assert (await branch.kernel.run(run)).phase == "polish"
    assert (await branch.office.kernel.run(run)).phase == "review"
    await branch.feed()
    assert buttons(await branch.office.card(MAIN))  # the other one is open as before


async def test_what_is_resolved_in_one_project_closes_nothing_in_the_other(branch: Branch) -> None:
    run = await both_blocked(branch)
    await branch.terminal.write("approve_gate", run_id=run)
    await branch.feed()
    assert first_line(await branch.office.card(OTHER)).startswith("↪️ Resolved elsewhere")
    assert first_line(await branch.office.card(MAIN)).startswith("🚪 Your decision")


async def test_a_decision_cut_off_is_looked_up_in_its_own_project(branch: Branch) -> None:
    run = await both_blocked(branch)
    card = await branch.office.card(OTHER)
    approval = await branch.office.approval(code_of(card))
    async with branch.office.database.transaction() as conn:
        await conn.execute(
            "UPDATE host.approvals SET state = 'executing', verb = 'approve', decided_by = $2,"
            " decided_name = 'Eve', decided_at = $3, holder = 'install-1', attempt = 1 WHERE id = $1",
            approval.id,
            EVE.address,
            branch.office.clock.now(),
        )
        await conn.execute(
            "INSERT INTO host.votes VALUES ($1, 1, 0, $2, 'Eve', 'approve', $3)",
            approval.id,
            EVE.address,
            branch.office.clock.now(),
        )
    approve = parse("approve_gate", {"run_id": run})
    await branch.kernel.write(approve, actor=EVE.address, key=approval.key(1))  # nobody saw that it did
    await branch.office.parts.desk.recover()
    await branch.office.show()
    assert (await branch.office.approval(code_of(card))).state is State.DONE
    assert (await branch.kernel.run(run)).phase == "polish"
    assert (await branch.office.kernel.run(run)).phase == "review"


async def test_a_card_stays_with_its_project_when_the_group_is_given_another(branch: Branch) -> None:
    run = await both_blocked(branch)
    await branch.office.registry.set_project("design", "")
    await branch.office.tap(await branch.office.card(OTHER), "APPROVE", EVE)
    assert (await branch.kernel.run(run)).phase == "polish"
    assert (await branch.office.kernel.run(run)).phase == "review"


async def test_a_card_of_a_project_that_is_not_allowed_any_more_says_so(branch: Branch) -> None:
    await both_blocked(branch)
    await branch.office.database.execute(
        "UPDATE host.approvals SET project = '/srv/gone' WHERE project = $1", WEB
    )
    answer = await branch.office.tap(await branch.office.card(OTHER), "APPROVE", EVE)
    assert answer == "Not done: The project /srv/gone is not one of those allowed here."
    assert (await branch.office.kernel.run((await branch.office.kernel.runs())[0].id)).phase == "review"


async def test_an_agent_s_write_goes_into_the_project_of_its_group(branch: Branch) -> None:
    await branch.office.database.execute("UPDATE host.groups SET writes = true WHERE folder = 'design'")
    await branch.office.registry.load()
    turn = await branch.office.turn(folder="design", address=OTHER)
    box = branch.office.parts.toolbox_for("design", lambda: turn)
    made = await box.call("demarch_create_issue", {"title": "mend the page"})
    assert not made.failed
    assert "mend the page" in (await branch.terminal.read("next_work")).text
    assert "mend the page" not in (await branch.office.terminal.read("next_work")).text
    assert await branch.office.database.fetchval("SELECT project FROM host.intents") == WEB


async def test_a_write_cut_off_is_asked_of_the_project_it_was_for(branch: Branch) -> None:
    """Also when the group works on another project by then."""
    await branch.office.database.execute("UPDATE host.groups SET writes = true WHERE folder = 'design'")
    await branch.office.registry.load()
    turn = await branch.office.turn(folder="design", address=OTHER)
    box = branch.office.parts.toolbox_for("design", lambda: turn)
    assert not (await box.call("demarch_create_issue", {"title": "mend the page"})).failed
    await branch.office.database.execute(
        "UPDATE host.intents SET state = 'recorded', result = NULL, ended_at = NULL"
    )
    await branch.office.registry.set_project("design", "")
    lines = await branch.office.parts.written.had_written(turn.id)
    assert len(lines) == 1
    assert "mend the page" in lines[0]


async def test_what_an_agent_asks_is_decided_in_its_project(branch: Branch) -> None:
    run = await branch.twins("the api", "the page")
    turn = await branch.office.turn()
    await branch.office.registry.set_project("main", WEB)
    box = branch.office.parts.toolbox_for("main", lambda: turn)
    assert (await box.call("demarch_cancel_run", {"run_id": run})).data["status"] == "pending"
    card = await branch.office.card()
    assert 'stop "the page" for good' in first_line(card)
    await branch.office.tap(card, "APPROVE", ANA)
    assert (await branch.kernel.run(run)).status == "cancelled"
    assert (await branch.office.kernel.run(run)).status == "active"


async def test_a_card_names_its_project_where_there_are_several(branch: Branch) -> None:
    run = await both_blocked(branch)
    card = await branch.office.card(OTHER)
    assert card.content.text.endswith(f"run {run} · project web · code {code_of(card)}")
    await branch.office.tap(card, "REJECT", EVE)
    assert f"run {run} · project web · code " in (await branch.office.card(OTHER)).content.text
