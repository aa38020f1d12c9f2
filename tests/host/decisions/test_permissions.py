"""What an agent's own program asks: a card, an answer, and no for everything else."""

import asyncio

import pytest

from container.agent import Permission, PermissionRequest
from host.decisions.approvals import State
from tests.host.decisions.office import BEN, HOUR, Office, code_of, first_line, labels

ASKED = PermissionRequest(title="run a shell command", kind="execute", detail="rm -rf build")


async def asked(office: Office, tasks: asyncio.TaskGroup) -> asyncio.Task[Permission]:
    turn = await office.turn()
    task = tasks.create_task(office.parts.permissions.permit(turn, ASKED))
    while not await office.outbox.due_addresses():
        await asyncio.wait({task}, timeout=0.001)
    return task


@pytest.mark.parametrize(("label", "answer"), [("APPROVE", Permission.ALLOW), ("REJECT", Permission.REJECT)])
async def test_a_person_answers(office: Office, label: str, answer: Permission) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = await asked(office, tasks)
        card = await office.card()
        assert first_line(card) == "🙋 The agent's program asks: run a shell command?"
        assert labels(card) == ["APPROVE", "REJECT", "DETAILS"]
        await office.tap(card, label, BEN)
        assert await task is answer
    assert await office.ears.told() == []


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


async def test_after_a_restart_nobody_waits_for_it(office: Office) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        task = await asked(office, tasks)
        card = await office.card()
        reborn = await office.reborn()
        await reborn.parts.recover()
        assert first_line(await reborn.card()) == "↪️ The agent that asked is gone; nothing was done."
        assert "is gone" in await reborn.tap(card, "APPROVE", BEN)
        task.cancel()
