"""What an agent's own program asks: policy, else a card, an answer, and no for everything else."""

import asyncio

import pytest

from container.agent import Permission, PermissionRequest
from host.decisions.approvals import State
from tests.host.decisions.office import ANA, BEN, HOUR, MIA, Office, code_of, first_line, labels

ASKED = PermissionRequest(
    title="Fetch a page", kind="fetch", detail="url: https://example.com/?q=1\nprompt: what is there"
)
SHELL = PermissionRequest(title="Run a command", kind="execute", detail="rm -rf build")


async def asked(
    office: Office, tasks: asyncio.TaskGroup, request: PermissionRequest = ASKED, *, tainted: bool = False
) -> asyncio.Task[Permission]:
    turn = await office.turn(tainted=tainted)
    task = tasks.create_task(office.parts.permissions.permit(turn, request))
    while not await office.outbox.due_addresses():
        await asyncio.wait({task}, timeout=0.001)
    return task


async def test_what_stays_in_the_container_needs_no_card(office: Office) -> None:
    turn = await office.turn()
    assert await office.parts.permissions.permit(turn, SHELL) is Permission.ALLOW
    ours = PermissionRequest(title="demarch_start_run", tool="demarch_start_run")
    assert await office.parts.permissions.permit(turn, ours) is Permission.ALLOW
    assert await office.outbox.due_addresses() == []


@pytest.mark.parametrize(("label", "answer"), [("APPROVE", Permission.ALLOW), ("REJECT", Permission.REJECT)])
async def test_a_person_answers(office: Office, label: str, answer: Permission) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = await asked(office, tasks)
        card = await office.card()
        assert first_line(card) == "🙋 The agent's program asks: Fetch a page?"
        assert "\n│ url: https://example.com/?q=1\n│ prompt: what is there\n" in card.content.text
        assert labels(card) == ["APPROVE", "REJECT", "DETAILS"]
        await office.tap(card, label, BEN)
        assert await task is answer
    assert "by Ben, 09:00: Fetch a page: the agent" in first_line(await office.card())
    assert await office.ears.told() == []
    assert [each for each in await office.audited() if each.startswith("approval.")] == [
        "approval.asked",
        "approval.decided",
        "approval.done" if answer is Permission.ALLOW else "approval.dropped",
    ]


async def test_somebody_without_the_right_does_not_answer(office: Office) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = await asked(office, tasks)
        card = await office.card()
        assert "Only approvers" in await office.tap(card, "APPROVE", MIA)
        assert not task.done()
        await office.tap(card, "REJECT", ANA)
        assert await task is Permission.REJECT


async def test_a_yes_is_for_once(office: Office) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        first = await asked(office, tasks)
        await office.tap(await office.card(), "APPROVE", BEN)
        assert await first is Permission.ALLOW
        again = await asked(office, tasks)
        assert not again.done()
        await office.tap(await office.card(), "REJECT", BEN)
        assert await again is Permission.REJECT


async def test_two_who_ask_the_same_at_once_share_a_card(office: Office) -> None:
    turn = await office.turn()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        both = [tasks.create_task(office.parts.permissions.permit(turn, ASKED)) for _ in range(2)]
        while not await office.outbox.due_addresses():
            await asyncio.wait(both, timeout=0.001)
        await office.tap(await office.card(), "APPROVE", BEN)
        assert [await task for task in both] == [Permission.ALLOW, Permission.ALLOW]
    assert len(await office.cards()) == 1


async def test_a_conversation_with_strangers_in_it_is_marked(office: Office) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = await asked(office, tasks, tainted=True)
        card = await office.card()
        assert "Careful: words of somebody without a role here" in card.content.text
        await office.tap(card, "REJECT", BEN)
        await task


async def test_what_cannot_be_shown_whole_is_refused_and_told(office: Office) -> None:
    turn = await office.turn()
    long = PermissionRequest(title="Fetch much", kind="fetch", detail="x" * 5000)
    assert await office.parts.permissions.permit(turn, long) is Permission.REJECT
    (said,) = await office.lines()
    assert said.startswith('The agent\'s program asked for "Fetch much", which is too long to be shown')
    assert await office.cards() == []
    assert (await office.audited())[-1] == "permission.refused"


async def test_a_request_with_letters_no_database_takes_is_asked_all_the_same(office: Office) -> None:
    odd = PermissionRequest(title="a\x00b", kind="fetch", detail="c\x00d\ud800")
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = await asked(office, tasks, odd)
        card = await office.card()
        assert "c\\u{0}d\\u{d800}" in card.content.text
        await office.tap(card, "REJECT", BEN)
        assert await task is Permission.REJECT


async def test_nobody_answers_and_it_is_a_no(office: Office) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = await asked(office, tasks)
        card = await office.card()
        await office.clock.advance(HOUR)
        await office.tap(card, "APPROVE", BEN)
        assert await task is Permission.REJECT


async def test_an_agent_that_is_gone_asks_nothing(office: Office) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = await asked(office, tasks)
        card = await office.card()
        task.cancel()
    assert (await office.approval(code_of(card))).state is State.CLOSED
    line = first_line(await office.card())
    assert line == "↪️ Fetch a page: the agent waits for it no longer; nothing was done."


async def test_after_a_restart_nobody_waits_for_it(office: Office) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = await asked(office, tasks)
        card = await office.card()
        reborn = await office.reborn()
        await reborn.parts.recover()
        line = first_line(await reborn.card())
        assert line == "↪️ Fetch a page: the agent waits for it no longer; nothing was done."
        assert "waits for it no longer" in await reborn.tap(card, "APPROVE", BEN)
        task.cancel()
