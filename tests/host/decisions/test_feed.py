"""The consumer of kernel events: what becomes a card, what a line, and that each is told exactly once."""

import pytest

from host.decisions.approvals import Kind, State
from tests.host.decisions.office import (
    ANA,
    BEN,
    CHAIN,
    MAIN,
    OTHER,
    Office,
    buttons,
    code_of,
    first_line,
    labels,
)


async def spent(office: Office, tokens: int, budget: int = 200_000) -> str:
    run = await office.terminal.run("refactor auth", token_budget=budget, **CHAIN)
    await office.clock.advance(3600)
    await office.terminal.spend(run, tokens // 2)
    await office.clock.advance(3600)
    await office.terminal.spend(run, tokens - tokens // 2)
    await office.feed()
    return run


async def test_a_first_start_does_not_tell_history(office: Office) -> None:
    await office.database.execute("DELETE FROM host.feed_marks")
    await office.terminal.run("old", **CHAIN)
    await office.terminal.block(await office.terminal.run("older", **CHAIN), "look")
    await office.feed()
    assert await office.posts() == []


async def test_a_restart_goes_on_where_it_was(office: Office) -> None:
    run = await office.terminal.run("refactor auth", **CHAIN)
    await office.terminal.block(run, "look")
    reborn = await office.reborn()
    await reborn.feed()
    assert len(await reborn.cards()) == 1
    again = await reborn.reborn()
    await again.feed()
    assert len(await again.cards()) == 1


async def test_a_gate_blocked_again_and_again_is_one_card_with_the_newest_reason(office: Office) -> None:
    card = await office.gate()
    run = (await office.approval(code_of(card))).run
    await office.terminal.verdict(run, "needs-changes", findings=5, reviewer="other")
    await office.terminal.advance(run)
    await office.feed()
    assert len(await office.cards()) == 1
    assert "7 findings" in (await office.card()).content.text


async def test_what_was_resolved_before_we_read_of_it_makes_no_card(office: Office) -> None:
    run = await office.terminal.run("refactor auth", **CHAIN)
    await office.terminal.block(run, "look")
    await office.terminal.write("approve_gate", run_id=run)
    await office.feed()
    assert await office.cards() == []


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("reject", "the gate was turned down, the run stays in review."),
        ("cancel", "the run was stopped."),
        ("advance", "the run went on to polish."),
    ],
)
async def test_every_resolution_elsewhere_closes_the_card(office: Office, how: str, words: str) -> None:
    card = await office.gate()
    run = (await office.approval(code_of(card))).run
    await office.clock.advance(60)
    if how == "reject":
        await office.terminal.write("reject_gate", run_id=run)
    elif how == "cancel":
        await office.terminal.write("cancel_run", run_id=run)
    else:
        await office.terminal.verdict(run, "clean", reviewer="flux")
        await office.terminal.advance(run)
    await office.feed()
    assert first_line(await office.card()) == f"↪️ Resolved elsewhere by terminal at 09:01: {words}"
    assert labels(await office.card()) == []


async def test_a_deferred_gate_resolved_elsewhere_closes_too(office: Office) -> None:
    card = await office.gate()
    await office.tap(card, "DEFER")
    await office.terminal.write("approve_gate", run_id=(await office.approval(code_of(card))).run)
    await office.feed()
    assert (await office.approval(code_of(card))).state is State.CLOSED
    await office.parts.desk.relist(MAIN, ANA.address)
    assert (await office.lines())[-1] == "Nothing waits for a decision here."


async def test_a_budget_reached_is_a_card_with_a_picture(office: Office) -> None:
    await spent(office, 200_000)
    card = await office.card()
    assert card.content.text.splitlines()[:2] == [
        '💰 Budget reached: "refactor auth" used 200 k of 200 k tokens',
        "Extend → 100 k more (50 %, about 1 h at this pace).  Cancel → the run stops; its work stays.",
    ]
    assert labels(card) == ["EXTEND", "CANCEL"]
    assert card.content.picture is not None
    assert card.content.picture.startswith(b"\x89PNG")


async def test_extend_grants_what_the_card_says(office: Office) -> None:
    run = await spent(office, 200_000)
    card = await office.card()
    assert await office.tap(card, "EXTEND", BEN) == 'Extended: "refactor auth" may use 100 k tokens more.'
    assert (await office.kernel.run(run)).budget == 300_000
    after = await office.card()
    assert first_line(after) == '✅ Extended by Ben, 11:00: "refactor auth" may use 100 k tokens more.'
    assert after.content.picture == card.content.picture
    await office.terminal.spend(run, 100_000)
    await office.feed()
    assert len(await office.cards()) == 2


async def test_cancel_stops_the_run(office: Office) -> None:
    run = await spent(office, 200_000)
    assert (
        await office.tap(await office.card(), "CANCEL")
        == 'Cancelled: "refactor auth" is stopped; its work stays.'
    )
    assert (await office.kernel.run(run)).status == "cancelled"
    await office.feed()
    assert first_line(await office.card()).startswith("🛑 Cancelled by Ana")
    assert (await office.lines())[-1] == '🛑 "refactor auth" was stopped by Ana in review; its work stays.'


async def test_a_budget_nearly_reached_is_a_quiet_line(office: Office) -> None:
    await spent(office, 164_000)
    assert await office.cards() == []
    assert await office.lines() == ['💰 "refactor auth" has used 164 k of 200 k tokens (82 %).']


async def finish(office: Office) -> str:
    run = await office.terminal.run("refactor auth", token_budget=200_000, phases=("review", "done"))
    await office.clock.advance(3 * 3600 + 12 * 60)
    await office.terminal.advance(run)
    await office.feed()
    return run


async def test_a_finished_run_is_a_card(office: Office) -> None:
    await finish(office)
    card = await office.card()
    assert first_line(card) == '🏁 Done: "refactor auth" in 3 h 12 min, 0 tokens'
    assert labels(card) == ["VIEW RESULTS", "START NEXT"]


async def test_view_results_shows_them_and_keeps_the_card(office: Office) -> None:
    await finish(office)
    card = await office.card()
    await office.tap(card, "VIEW RESULTS", BEN)
    assert labels(await office.card()) == ["VIEW RESULTS", "START NEXT"]


async def test_start_next_lists_ready_work_and_ends_the_card(office: Office) -> None:
    await office.terminal.issue("mend the door")
    await finish(office)
    card = await office.card()
    await office.tap(card, "START NEXT", BEN)
    assert any("mend the door" in line for line in await office.lines())
    after = await office.card()
    assert first_line(after) == first_line(card)
    assert labels(after) == []
    assert "asked for the next work" in await office.tap(card, "START NEXT", ANA)


async def test_a_finished_run_closes_its_other_cards(office: Office) -> None:
    run = await spent(office, 200_000)
    await office.terminal.verdict(run, "clean")
    await office.terminal.advance(run)
    await office.terminal.advance(run)
    await office.feed()
    assert [first_line(card)[0] for card in await office.cards()] == ["↪", "🏁"]


async def test_phases_are_one_quiet_line_that_follows_the_run(office: Office) -> None:
    run = await office.terminal.run("refactor auth", phases=("a", "b", "c", "d", "e"))
    for _ in range(3):
        await office.terminal.advance(run)
        await office.clock.advance(10)
        await office.feed()
    assert await office.lines() == ['📋 "refactor auth" is in d  ●●●○○']
    await office.clock.advance(60)
    await office.terminal.rollback(run, "b")
    await office.feed()
    assert (await office.lines())[-1] == '📋 "refactor auth" is in b  ●○○○○'
    assert len(await office.lines()) == 2
    posts = await office.posts()
    assert all(post.content.silent and not buttons(post) for post in posts)


async def test_cards_go_to_every_chat_of_the_main_group_and_to_no_other(office: Office) -> None:
    await office.registry.add_address("tg:1001", "main")
    card = await office.gate()
    mine = await office.card("tg:1001")
    assert code_of(mine) == code_of(card)
    assert await office.posts(OTHER) == []
    await office.tap(mine, "APPROVE")
    assert first_line(await office.card(MAIN)).startswith("✅ Approved by Ana")
    assert labels(await office.card("tg:1001")) == []


async def test_an_own_attempt_that_went_through_unseen_is_not_reported_as_elsewhere(office: Office) -> None:
    card = await office.gate()
    approval = await office.approval(code_of(card))
    async with office.database.transaction() as conn:
        await conn.execute(
            "UPDATE host.approvals SET error = 'Not done: no answer.', verb = 'approve' WHERE id = $1",
            approval.id,
        )
        await conn.execute(
            "INSERT INTO host.votes (approval, attempt, round, person, name, verb, voted_at)"
            " VALUES ($1, 1, 0, $2, 'Ben', 'approve', $3)",
            approval.id,
            BEN.address,
            office.clock.now(),
        )
    from demarch.calls import parse

    call = parse("approve_gate", {"run_id": approval.run, "from_phase": "review", "to_phase": "polish"})
    await office.kernel.write(call, actor=BEN.address, key=f"{approval.id}/1")
    await office.feed()
    assert first_line(await office.card()) == '✅ Approved by Ben, 09:00: "refactor auth" is in polish.'


async def test_many_runs_at_once_are_all_told_in_order(office: Office) -> None:
    runs = [await office.terminal.run(f"run {number}", **CHAIN) for number in range(12)]
    for run in runs:
        await office.terminal.block(run, "look")
    await office.feed()
    cards = await office.cards()
    assert [f'"run {number}"' in first_line(card) for number, card in enumerate(cards)] == [True] * 12
    kinds = await office.database.fetch("SELECT kind FROM host.approvals")
    assert {row["kind"] for row in kinds} == {Kind.GATE}


async def test_the_marks_move_only_with_the_posts(office: Office) -> None:
    run = await office.terminal.run("refactor auth", **CHAIN)
    await office.terminal.block(run, "look")
    before = await office.database.fetch("SELECT * FROM host.feed_marks ORDER BY source")
    await office.database.execute("ALTER TABLE host.posts ADD CONSTRAINT full_up CHECK (false) NOT VALID")
    with pytest.raises(Exception, match="full_up"):
        await office.consumer.step()
    assert await office.database.fetch("SELECT * FROM host.feed_marks ORDER BY source") == before
    assert await office.database.fetchval("SELECT count(*) FROM host.approvals") == 0
    await office.database.execute("ALTER TABLE host.posts DROP CONSTRAINT full_up")
    await office.feed()
    assert len(await office.cards()) == 1
