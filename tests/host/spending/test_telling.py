"""What people hear of money: a warning once a day, one card, and an extension exactly once."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest

from container.broker.port import BudgetSpent, Usage
from demarch.errors import KernelUnavailable
from host.decisions.approvals import Kind, State
from host.people.profiles import Profile
from host.spending.account import LaneAccount
from host.spending.money import CENT, DOLLAR
from tests.clock import START
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
from tests.host.spending.counter import CLAUDE, ask, turn


@pytest.fixture
async def bank(office: Office) -> AsyncIterator[Office]:
    """The office with a limit of a dollar a day and everything about money running."""
    for folder in ("main", "design"):
        await office.registry.set_profile(folder, Profile(spend_limit=DOLLAR))
    await office.parts.recover()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(office.parts.spending.run())
        try:
            yield office
        finally:
            running.cancel()


def account(bank: Office, lane: str = "main") -> LaneAccount:
    running = turn(bank.new_id, lane)
    return bank.parts.spending.account(lane, current_turn=lambda: running, runtime=lambda: CLAUDE)


def spend(bank: Office, dollars: float) -> None:
    """So much at once, whatever was set aside for it."""
    its = account(bank)
    its.settle(its.reserve(ask(0, 10)).id, Usage(output=-(-int(dollars * 1_000_000) // 15)))


async def tell(bank: Office) -> None:
    await bank.parts.spending.drain()
    await bank.parts.spend_telling.tell()
    await bank.show()


async def stop(bank: Office) -> None:
    """A request that the limit does not let through, and what follows from it."""
    with pytest.raises(BudgetSpent):
        account(bank).reserve(ask(30_000))
    await tell(bank)


async def test_a_group_hears_once_a_day_that_most_is_spent(bank: Office) -> None:
    spend(bank, 0.79)
    await tell(bank)
    assert await bank.lines() == []
    spend(bank, 0.02)
    await tell(bank)
    spend(bank, 0.02)
    await tell(bank)
    assert await bank.lines() == ['💰 "Engineering" has spent $0.81 of today\'s $1.00 on models (81 %).']
    assert await bank.lines(OTHER) == []
    again = await bank.reborn()
    await again.parts.recover()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(again.parts.spending.run())
        spend(again, 0.02)
        await tell(again)
        running.cancel()
    assert len(await again.lines()) == 1


async def test_a_reached_limit_puts_one_card_with_a_picture_however_many_requests_it_stops(
    bank: Office,
) -> None:
    spend(bank, 0.9)
    await bank.clock.advance(600)
    for _ in range(3):
        await stop(bank)
    [card] = await bank.cards()
    assert first_line(card) == '💰 Spend limit reached: "Engineering" used $0.90 of $1.00 today'
    assert "The next request to claude-sonnet-4-6 may cost" in card.content.text
    assert "Extend → $0.50 more today (50 %, about 5 min at this pace)" in card.content.text
    assert "approvers: Ana, Ben" in card.content.text
    assert labels(card) == ["EXTEND", "CANCEL"]
    assert card.content.picture is not None
    assert await bank.cards(OTHER) == []


async def test_two_hands_extend_once_and_requests_go_through_again(bank: Office) -> None:
    spend(bank, 1.0)
    await stop(bank)
    card = await bank.card()
    taps = [bank.press(card, "EXTEND", person) for person in (ANA, BEN)]
    await bank.run_all(taps)
    said = sorted(bank.answered(tap) for tap in taps)
    assert [words.partition(" ")[0] for words in said] in (["Ana", "Extended:"], ["Ben", "Extended:"])
    book = bank.parts.spending.today("main")
    assert book.extended == 500_000
    account(bank).reserve(ask())
    done = await bank.card()
    assert labels(done) == []
    assert '"Engineering" may spend $0.50 more today.' in first_line(done)
    assert "What was stopped can be asked again." in done.content.text


async def test_an_extension_is_enough_for_what_was_stopped_when_the_limit_was_lowered(bank: Office) -> None:
    spend(bank, 0.95)
    await bank.registry.set_profile("main", Profile(spend_limit=DOLLAR // 5))
    await stop(bank)
    card = await bank.card()
    assert "so that it fits" in card.content.text
    assert "50 %" not in card.content.text
    assert (await bank.tap(card, "EXTEND")).startswith("Extended:")
    assert bank.parts.spending.today("main").extended % CENT == 0
    account(bank).reserve(ask(30_000))


async def test_who_may_not_decide_extends_nothing(bank: Office) -> None:
    spend(bank, 1.0)
    await stop(bank)
    for person in (MIA, EVE):
        assert "Only approvers" in await bank.tap(await bank.card(), "EXTEND", person)
    assert bank.parts.spending.today("main").extended == 0


async def test_an_extension_that_is_used_up_asks_again_and_a_cancelled_one_does_not(bank: Office) -> None:
    spend(bank, 1.0)
    await stop(bank)
    first = await bank.card()
    await bank.tap(first, "EXTEND")
    spend(bank, 0.5)
    await stop(bank)
    second = await bank.card()
    assert code_of(second) != code_of(first)
    assert first_line(second).endswith("used $1.50 of $1.50 today")
    answer = await bank.tap(second, "CANCEL")
    assert 'The spend limit of "Engineering" stays as it is today.' in answer
    await stop(bank)
    again = await bank.reborn()
    await again.parts.recover()
    with pytest.raises(BudgetSpent):
        account(again).reserve(ask())
    await again.parts.spend_telling.tell()
    assert len(await again.cards()) == 2
    assert (await bank.audited()).count("approval.done") == 2


async def test_a_card_nobody_decides_expires_and_the_next_stop_asks_anew(bank: Office) -> None:
    spend(bank, 1.0)
    await stop(bank)
    card = await bank.card()
    await bank.clock.advance(HOUR + 1)
    await bank.parts.desk._expiry.look()
    await bank.show()
    assert (await bank.approval(code_of(card))).state is State.DROPPED
    assert (await bank.lines())[-1].startswith("Nobody decided about the spend limit in time, so it stays.")
    await stop(bank)
    assert len(await bank.cards()) == 2


async def test_a_card_is_void_after_midnight(bank: Office) -> None:
    await bank.clock.advance(14.5 * HOUR)
    spend(bank, 1.0)
    await stop(bank)
    card = await bank.card()
    midnight = START.replace(hour=0) + timedelta(days=1)
    assert (await bank.approval(code_of(card))).expires_at == midnight
    await bank.clock.advance(0.6 * HOUR)
    await bank.tap(card, "EXTEND")
    assert bank.parts.spending.today("main").extended == 0
    assert (await bank.approval(code_of(card))).state is State.DROPPED


async def test_a_crash_after_the_extension_was_stored_neither_loses_nor_doubles_it(bank: Office) -> None:
    """The decision was claimed and the grant committed; the card never learnt of it."""
    spend(bank, 1.0)
    await stop(bank)
    card = await bank.card()
    approval = await bank.approval(code_of(card))
    await bank.database.execute(
        "UPDATE host.approvals"
        " SET state = 'executing', verb = 'extend', decided_by = $2, decided_name = 'Ana', decided_at = $3,"
        " holder = 'install-1', lease_until = $3, attempt = 1 WHERE id = $1",
        approval.id,
        ANA.address,
        bank.clock.now(),
    )
    await bank.database.execute(
        "INSERT INTO host.votes (approval, attempt, round, person, name, verb, voted_at)"
        " VALUES ($1, 1, $2, $3, 'Ana', 'extend', $4)",
        approval.id,
        approval.round,
        ANA.address,
        bank.clock.now(),
    )
    await bank.parts.spending.extend(
        approval.id,
        key=approval.key(1),
        folder="main",
        day=bank.parts.spending.today("main").day,
        amount=500_000,
        person=ANA.address,
    )
    again = await bank.reborn()
    await again.parts.recover()
    assert again.parts.spending.today("main").extended == 500_000
    ended = await again.approval(code_of(card))
    assert (ended.state, ended.decided_name) == (State.DONE, "Ana")
    assert ended.kind is Kind.SPEND


async def test_what_cannot_be_told_is_told_later_and_holds_up_nobody(bank: Office) -> None:
    spend(bank, 1.0)
    await bank.parts.spending.drain()
    await bank.database.execute("ALTER TABLE host.spend_days RENAME TO gone")
    with pytest.raises(BudgetSpent):
        account(bank).reserve(ask())
    await bank.parts.spend_telling.tell()
    await bank.show()
    assert await bank.cards() == []
    await bank.database.execute("ALTER TABLE host.gone RENAME TO spend_days")
    await tell(bank)
    assert len(await bank.cards()) == 1
    assert len(await bank.lines()) == 1


async def test_a_stop_in_a_topic_is_asked_there_as_well(bank: Office) -> None:
    spend(bank, 1.0)
    topic = f"{MAIN}/42"
    running = turn(bank.new_id, "main/42")
    there = replace(running, address=topic)
    its = bank.parts.spending.account("main/42", current_turn=lambda: there, runtime=lambda: CLAUDE)
    with pytest.raises(BudgetSpent):
        its.reserve(ask())
    await tell(bank)
    assert len(await bank.cards(topic)) == len(await bank.cards(MAIN)) == 1


async def test_a_kernel_that_is_down_does_not_keep_money_from_being_extended(bank: Office) -> None:
    bank.kernel.down = True
    with pytest.raises(KernelUnavailable):
        await bank.kernel.runs(active=True)
    spend(bank, 1.0)
    await stop(bank)
    assert "may spend $0.50 more" in await bank.tap(await bank.card(), "EXTEND")


async def test_the_loop_tells_by_itself(bank: Office) -> None:
    async with asyncio.TaskGroup() as tasks:
        telling = tasks.create_task(bank.parts.spend_telling.run())
        spend(bank, 0.85)
        async with asyncio.timeout(5):
            while not await bank.lines():
                await asyncio.wait({telling}, timeout=0.01)
        telling.cancel()
