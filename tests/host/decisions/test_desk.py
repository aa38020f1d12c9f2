"""The approval desk: one decision per question, by those who may, told to everybody."""

import asyncio
import re
from dataclasses import replace

import pytest

from host.decisions.approvals import State
from host.decisions.cards import OUT_OF_DATE
from host.people.registry import Role
from tests.host.decisions.faulty import Fault
from tests.host.decisions.office import (
    ANA,
    BEN,
    EVE,
    HOUR,
    MAIN,
    MIA,
    OTHER,
    Office,
    code_of,
    first_line,
    labels,
)


async def test_a_gate_that_blocks_becomes_a_card(office: Office) -> None:
    card = await office.gate()
    assert card.content.text == (
        '🚪 Your decision: polish "refactor auth"?\n'
        "One check is open: verdict is not clean (2 findings).\n"
        "Approve → the run goes from review to polish anyway.\n"
        "Reject → it stays in review; it asks again only after a new attempt.\n"
        "\n"
        "Asked 09:00 · defers itself at 10:00 · approvers: Ana, Ben\n"
        f"run {(await office.approval(code_of(card))).run} · code {code_of(card)}"
    )
    assert labels(card) == ["APPROVE", "REJECT", "DEFER"]


async def test_approve_lets_the_run_through_and_the_card_says_who_and_when(office: Office) -> None:
    card = await office.gate()
    await office.clock.advance(540)
    assert await office.tap(card, "APPROVE", ANA) == 'Approved: "refactor auth" is in polish.'
    after = await office.card()
    assert first_line(after) == '✅ Approved by Ana, 09:09: "refactor auth" is in polish.'
    assert labels(after) == []
    assert (await office.kernel.run((await office.approval(code_of(card))).run)).phase == "polish"


async def test_reject_keeps_the_run_where_it_is(office: Office) -> None:
    card = await office.gate()
    await office.tap(card, "REJECT", BEN)
    assert first_line(await office.card()) == '⛔ Rejected by Ben, 09:00: "refactor auth" stays in review.'
    await office.feed()
    assert len(await office.cards()) == 1


async def test_a_rejected_gate_asks_again_after_a_new_attempt(office: Office) -> None:
    card = await office.gate()
    await office.tap(card, "REJECT")
    await office.clock.advance(60)
    await office.terminal.advance((await office.approval(code_of(card))).run)
    await office.feed()
    again = await office.card()
    assert (again.id != card.id, labels(again)) == (True, ["APPROVE", "REJECT", "DEFER"])


async def test_defer_keeps_it_listed_and_approvals_asks_again(office: Office) -> None:
    card = await office.gate()
    await office.tap(card, "DEFER")
    assert first_line(await office.card()).startswith("⏸️ Deferred by Ana, 09:00:")
    assert await office.tap(card, "APPROVE", BEN) == "Ana deferred this at 09:00. /approvals asks it again."
    await office.parts.desk.relist(MAIN, ANA.address)
    asked = await office.card()
    assert asked.id != card.id
    assert await office.tap(asked, "APPROVE", BEN) == 'Approved: "refactor auth" is in polish.'
    assert [first_line(each)[:18] for each in await office.cards()] == ["✅ Approved by Ben,"[:18]] * 2


async def test_two_taps_at_once_execute_once(office: Office) -> None:
    card = await office.gate()
    office.kernel.hold = asyncio.Event()
    ana, ben = office.press(card, "APPROVE", ANA), office.press(card, "REJECT", BEN)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        first = tasks.create_task(office.run(ana))
        await office.kernel.arrived.wait()
        await office.run(ben)
        assert office.answered(ben) == "Ana approved this at 09:00."
        office.kernel.hold.set()
        await first
    assert office.answered(ana) == 'Approved: "refactor auth" is in polish.'
    assert len(office.kernel.executed) == 1


async def test_taps_that_race_for_the_row_execute_once(office: Office) -> None:
    card = await office.gate()
    taps = [office.press(card, label, person) for label in ("APPROVE", "REJECT") for person in (ANA, BEN)]
    async with asyncio.timeout(10):
        await office.run_all(taps)
    assert len(office.kernel.executed) == 1
    assert all(len(office.bridge.answers[tap.tap_id]) == 1 for tap in taps)


async def test_a_tap_is_answered_while_the_kernel_takes_its_time(office: Office) -> None:
    card = await office.gate()
    office.kernel.hold = asyncio.Event()
    tap = office.press(card, "APPROVE", ANA)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        work = tasks.create_task(office.run(tap))
        await office.kernel.arrived.wait()
        await office.clock.advance(1)
        while not office.bridge.answers:
            await office.clock.advance(0)
        assert office.answered(tap) == "Working…"
        await _eventually_working(office)
        office.kernel.hold.set()
        await work
    assert first_line(await office.card()).startswith("✅ Approved by Ana")
    assert len(office.bridge.answers[tap.tap_id]) == 1


async def test_a_slow_kernel_holds_up_nobody_behind_the_desk(office: Office) -> None:
    card = await office.gate()
    office.kernel.hold = asyncio.Event()
    tap = office.press(card, "APPROVE", ANA)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        loop = tasks.create_task(office.parts.desk.run_expiry())
        await office.clock.until_sleeping()
        taken = tasks.create_task(office.run(tap))
        await office.kernel.arrived.wait()
        await office.clock.advance(1)
        await taken
        assert office.answered(tap) == "Working…"
        assert await office.tap(card, "REJECT", BEN) == "Ana approved this at 09:00."
        office.kernel.hold.set()
        while not first_line(await office.card()).startswith("✅ Approved by Ana"):
            await office.clock.advance(0)
        loop.cancel()


async def _eventually_working(office: Office) -> None:
    while not first_line(await office.card()).startswith("⏳ Working: Ana approved this"):
        await office.clock.advance(0)
    assert labels(await office.card()) == []


@pytest.mark.parametrize("person", [MIA, EVE])
async def test_who_may_not_is_told_alone_and_audited(office: Office, person: object) -> None:
    card = await office.gate()
    tap = office.press(card, "APPROVE", person)  # type: ignore[arg-type]
    await office.run(tap)
    assert office.bridge.answers[tap.tap_id] == [
        ('Only approvers of "Engineering" decide this: Ana, Ben.', True)
    ]
    assert (await office.approval(code_of(card))).state is State.PENDING
    assert "approval.refused" in await office.audited()


async def test_nobody_listed_means_nobody_may(office: Office) -> None:
    card = await office.gate()
    for person in (ANA, BEN):
        await office.registry.set_role("main", person.address, None)
    assert await office.tap(card, "APPROVE", ANA) == (
        'Nobody may decide this yet: "Engineering" has no owner or approver.'
    )


async def test_who_may_is_asked_at_the_moment_of_the_decision(office: Office) -> None:
    card = await office.gate()
    await office.registry.set_role("main", BEN.address, Role.MEMBER)
    assert "decide this: Ana." in await office.tap(card, "APPROVE", BEN)
    await office.registry.set_role("main", MIA.address, Role.APPROVER)
    assert "Approved" in await office.tap(card, "APPROVE", MIA)


@pytest.mark.parametrize(
    "data", ["approve:AAAAA2", "approve", "", "drop:table", "approve:" + "A" * 60, "extend:{code}"]
)
async def test_a_tap_that_does_not_fit_its_card_decides_nothing(office: Office, data: str) -> None:
    card = await office.gate()
    answer = await office.tap(card, "", ANA, data=data.format(code=code_of(card)) or "x")
    assert answer == OUT_OF_DATE
    assert not office.kernel.executed


async def test_the_code_of_another_card_decides_nothing(office: Office) -> None:
    first, second = await office.gate("one"), await office.gate("two")
    assert await office.tap(first, "", ANA, data=f"approve:{code_of(second)}") == OUT_OF_DATE
    assert not office.kernel.executed


async def test_a_forwarded_card_decides_nothing(office: Office) -> None:
    card = await office.gate()
    tap = office.press(card, "APPROVE", ANA)
    elsewhere = replace(tap, address=OTHER)
    await office.run(elsewhere)
    assert office.answered(elsewhere) == OUT_OF_DATE
    assert not office.kernel.executed


async def test_the_phase_moved_meanwhile_and_nothing_is_done(office: Office) -> None:
    card = await office.gate()
    run = (await office.approval(code_of(card))).run
    await office.clock.advance(180)
    await office.terminal.write("approve_gate", run_id=run)
    await office.clock.advance(60)
    answer = await office.tap(card, "APPROVE", ANA)
    assert answer == "The run has moved on: it is in polish since 09:03. Nothing was done."
    assert first_line(await office.card()) == f"↪️ {answer}"
    assert labels(await office.card()) == []


async def test_a_step_that_had_to_be_taken_back_is_told_and_not_called_nothing(office: Office) -> None:
    card = await office.gate()
    office.kernel.plan.append(Fault.ASTRAY)
    answer = await office.tap(card, "APPROVE", ANA)
    assert answer == "The run had moved on; the step was taken back."
    assert first_line(await office.card()) == f"↪️ {answer}"
    assert labels(await office.card()) == []


async def test_a_kernel_that_does_not_answer_leaves_the_card_open(office: Office) -> None:
    card = await office.gate()
    office.kernel.plan.extend([Fault.SILENT] * 3)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        tap = office.press(card, "APPROVE", ANA)
        work = tasks.create_task(office.run(tap))
        while not work.done():
            await office.clock.advance(1)
    open_card = await office.card()
    said = open_card.content.text.splitlines()[1]
    assert re.fullmatch(
        r"Not done: the kernel did not answer \(tried 3 times until 09:0\d\)\. The kernel did not answer\."
        r" Tap again to retry\.",
        said,
    )
    assert labels(open_card) == ["APPROVE", "REJECT", "DEFER"]
    assert await office.tap(open_card, "APPROVE", BEN) == 'Approved: "refactor auth" is in polish.'


async def test_an_answer_that_was_lost_is_the_first_persons_decision(office: Office) -> None:
    card = await office.gate()
    office.kernel.plan.extend([Fault.LOST] * 3)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        work = tasks.create_task(office.tap(card, "REJECT", ANA))
        while not work.done():
            await office.clock.advance(1)
    answer = await office.tap(await office.card(), "APPROVE", BEN)
    assert re.fullmatch(r"Ana rejected this at 09:0\d\.", answer)
    assert len(office.kernel.executed) == 1
    shown = first_line(await office.card())
    assert re.fullmatch(r'⛔ Rejected by Ana, 09:0\d: "refactor auth" stays in review\.', shown)


async def test_what_nobody_can_say_is_left_to_a_person(office: Office) -> None:
    card = await office.gate()
    office.kernel.plan.append(Fault.UNSURE)
    answer = await office.tap(card, "APPROVE", ANA)
    assert answer.startswith("Nobody can say whether this was done")
    assert labels(await office.card()) == ["APPROVE", "REJECT", "DEFER"]


async def test_a_pause_whose_gate_is_closed_becomes_a_question_about_the_gate(office: Office) -> None:
    card = await office.gate(auto_advance=False)
    assert "This run asks before it moves on." in card.content.text
    answer = await office.tap(card, "APPROVE", ANA)
    assert answer == "Approved, but the gate itself did not let it through. Approving now overrides it."
    await office.feed()
    asked = await office.card()
    assert (asked.id, labels(asked)) == (card.id, ["APPROVE", "REJECT", "DEFER"])
    assert "verdict is not clean (2 findings)" in asked.content.text
    assert await office.tap(asked, "APPROVE", BEN) == 'Approved: "refactor auth" is in polish.'


async def test_resolved_from_the_terminal_the_card_closes_itself(office: Office) -> None:
    card = await office.gate()
    await office.clock.advance(60)
    await office.terminal.write("approve_gate", run_id=(await office.approval(code_of(card))).run)
    await office.feed()
    after = await office.card()
    assert first_line(after) == (
        "↪️ Resolved elsewhere by terminal at 09:01: the gate was overridden, the run is in polish."
    )
    assert labels(after) == []
    assert (await office.tap(card, "APPROVE", ANA)).startswith("Resolved elsewhere by terminal")


async def test_our_own_decision_is_not_reported_as_resolved_elsewhere(office: Office) -> None:
    card = await office.gate()
    await office.tap(card, "APPROVE", ANA)
    await office.feed()
    assert first_line(await office.card()).startswith("✅ Approved by Ana")


async def test_nobody_decides_and_it_defers_itself(office: Office) -> None:
    card = await office.gate()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(20):
        loop = tasks.create_task(office.parts.desk.run_expiry())
        await office.clock.until_sleeping()
        while (await office.approval(code_of(card))).state is State.PENDING:
            await office.clock.advance(31)
        loop.cancel()
    after = await office.card()
    assert first_line(after).startswith("⏸️ Deferred by itself at 10:0")
    assert any("in time, so it waits. /approvals asks it again." in line for line in await office.lines())
    assert (await office.tap(card, "APPROVE", ANA)).endswith("/approvals asks it again.")
    assert not office.kernel.executed


async def test_a_tap_after_the_time_is_too_late_even_before_the_loop_came_by(office: Office) -> None:
    card = await office.gate()
    await office.clock.advance(HOUR)
    assert "nobody decided in time" in await office.tap(card, "APPROVE", ANA)
    assert (await office.approval(code_of(card))).state is State.DEFERRED
    assert not office.kernel.executed


@pytest.mark.parametrize("after_the_deed", [False, True])
async def test_a_crash_while_it_is_carried_out_loses_and_doubles_nothing(
    office: Office, after_the_deed: bool
) -> None:
    card = await office.gate()
    held = asyncio.Event()
    if after_the_deed:
        office.kernel.hold_after = held
    else:
        office.kernel.hold = held
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        work = tasks.create_task(office.run(office.press(card, "APPROVE", ANA)))
        await office.kernel.arrived.wait()
        work.cancel()
    office.kernel.hold = office.kernel.hold_after = None
    reborn = await office.reborn()
    await reborn.parts.desk.recover()
    assert first_line(await reborn.card()) == '✅ Approved by Ana, 09:00: "refactor auth" is in polish.'
    assert len(office.kernel.executed) == 1
    assert (await reborn.audit.verify()).ok


async def test_a_kernel_that_hangs_keeps_nobody_from_starting_and_is_gone_on_with_later(
    office: Office,
) -> None:
    card = await office.gate()
    held = office.kernel.hold = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        work = tasks.create_task(office.run(office.press(card, "APPROVE", ANA)))
        await office.kernel.arrived.wait()
        work.cancel()
    reborn = await office.reborn()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(20):
        recovering = tasks.create_task(reborn.parts.desk.recover())
        await office.clock.until_sleeping()
        await office.clock.advance(10)
        await recovering
        assert (await reborn.approval(code_of(card))).state is State.EXECUTING
        assert "Ana approved this" in await reborn.tap(card, "REJECT", BEN)
        held.set()
        loop = tasks.create_task(reborn.parts.desk.run_expiry())
        while (await reborn.approval(code_of(card))).state is State.EXECUTING:
            await office.clock.advance(5)  # until the lease runs out
        loop.cancel()
    assert first_line(await reborn.card()) == '✅ Approved by Ana, 09:00: "refactor auth" is in polish.'
    assert len(office.kernel.executed) == 1


async def test_a_try_that_outlasts_its_lease_is_not_taken_from_itself(office: Office) -> None:
    card = await office.gate()
    held = office.kernel.hold = asyncio.Event()
    tap = office.press(card, "APPROVE", ANA)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        tasks.create_task(office.run(tap))
        await office.kernel.arrived.wait()
        await office.clock.advance(61)
        assert await office.parts.desk._expiry.look() > 1
        held.set()
    assert office.bridge.answers[tap.tap_id][0][0] == "Working…"
    assert len(office.kernel.executed) == 1
    assert first_line(await office.card()) == '✅ Approved by Ana, 09:00: "refactor auth" is in polish.'


async def test_recovery_does_not_guess(office: Office) -> None:
    card = await office.gate()
    office.kernel.hold = asyncio.Event()
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        work = tasks.create_task(office.run(office.press(card, "APPROVE", ANA)))
        await office.kernel.arrived.wait()
        work.cancel()
    office.kernel.hold = None
    office.kernel.blind = True
    reborn = await office.reborn()
    await reborn.parts.desk.recover()
    assert "A person must look first." in (await reborn.card()).content.text
    assert not office.kernel.executed


async def test_cards_of_a_relist_are_rows_of_their_own_newest_first(office: Office) -> None:
    await office.gate("one")
    await office.clock.advance(1)
    await office.gate("two")
    await office.parts.desk.relist(MAIN, ANA.address)
    await office.show()
    relisted = (await office.cards())[2:]
    assert ["two" in first_line(relisted[0]), "one" in first_line(relisted[1])] == [True, True]
    await office.tap(relisted[1], "APPROVE", ANA)
    assert [first_line(card).startswith("✅") for card in await office.cards()] == [True, False, False, True]


async def test_nothing_to_relist(office: Office) -> None:
    await office.parts.desk.relist(MAIN, ANA.address)
    assert await office.lines() == ["Nothing waits for a decision here."]


async def test_a_tap_before_we_noted_the_message_waits_for_it(office: Office) -> None:
    run = await office.terminal.run("refactor auth", phases=("review", "polish", "done"))
    await office.terminal.block(run, "look at it")
    while await office.consumer.step():
        pass
    post = await office.outbox.next_due(MAIN)
    assert post is not None
    tap = office.press(replace(post, refs=("77",)), "APPROVE", ANA)
    async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        work = tasks.create_task(office.parts.desk.tap(tap, office.bridge))
        await office.clock.until_sleeping(2)
        await office.outbox.shown(post, ["77"], ["digest"], complete=True)
        while not work.done():
            await office.clock.advance(0.1)
    assert len(office.bridge.answers[tap.tap_id]) == 1
    assert first_line(await office.card()).startswith("✅ Approved by Ana")


async def test_every_step_of_a_decision_is_on_record(office: Office) -> None:
    card = await office.gate()
    await office.tap(card, "APPROVE", EVE)
    await office.tap(card, "APPROVE", ANA)
    entries = [entry for entry in await office.audit.tail(100) if entry.action.startswith("approval.")]
    assert [entry.action for entry in entries] == [
        "approval.asked",
        "approval.refused",
        "approval.decided",
        "approval.done",
    ]
    decided = entries[2]
    assert (decided.actor, decided.detail["chat"], decided.detail["verb"]) == (ANA.address, MAIN, "approve")
    assert (decided.detail["from"], decided.detail["to"]) == ("review", "polish")
    assert decided.detail["event"]["source"] == "phase"


async def test_of_two_who_said_the_same_the_one_whose_word_went_through_is_named(office: Office) -> None:
    card = await office.gate()
    for person, fault in ((ANA, Fault.SILENT), (BEN, Fault.LOST)):
        office.kernel.plan.extend([fault] * 3)
        async with asyncio.TaskGroup() as tasks, asyncio.timeout(10):
            work = tasks.create_task(office.tap(await office.card(), "REJECT", person))
            while not work.done():
                await office.clock.advance(1)
    answer = await office.tap(await office.card(), "REJECT", ANA)
    assert answer.startswith("Ben rejected this at 09:0")
    assert first_line(await office.card()).startswith("⛔ Rejected by Ben")
    assert card.id == (await office.card()).id
