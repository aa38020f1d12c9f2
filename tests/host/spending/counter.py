"""A spending with its writer running and accounts of containers, for the tests beside this file."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from typing import Any
from uuid import UUID

from container.agent import ModelApi, Runtime
from container.broker.port import ModelRequest
from host.conversation.turns import Turn
from host.meter import Meter, SilentMeter
from host.people.profiles import Profile
from host.people.registry import Registry
from host.spending.account import LaneAccount
from host.spending.events import SpendRules, Stopped, Warned
from host.spending.money import DOLLAR
from host.spending.spending import Spending
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock

MAIN = "tg:-100"
CLAUDE = Runtime(
    name="claude",
    image="claude",
    command=("claude",),
    api=ModelApi.ANTHROPIC,
    models=("claude-sonnet-4-6", "claude-haiku-4-5"),
)


def ask(
    input_tokens: int = 1000, output_tokens: int = 8000, model: str = "claude-sonnet-4-6"
) -> ModelRequest:
    """By default: at most 0.00375 dollars of prompt and 0.12 of answer."""
    return ModelRequest(
        api=ModelApi.ANTHROPIC, model=model, input_tokens=input_tokens, output_tokens=output_tokens
    )


def turn(new_id: NewId, lane: str = "main") -> Turn:
    folder = lane.partition("#")[0].partition("/")[0]
    values: dict[str, Any] = {"attempt": 1, "tainted": False, "private": False, "asked_by": ()}
    return Turn(id=new_id(), lane=lane, folder=folder, address=MAIN, **values)


@dataclass(slots=True, kw_only=True)
class Counter:
    """One life of a host, as far as money goes."""

    database: Database
    clock: HandClock
    new_id: NewId
    registry: Registry
    spending: Spending
    events: list[Warned | Stopped] = field(default_factory=list)

    def account(self, lane: str = "main", turn: Turn | None = None) -> LaneAccount:
        return self.spending.account(lane, current_turn=lambda: turn, runtime=lambda: CLAUDE)

    async def allow(self, amount: int | None, folder: str = "main") -> None:
        await self.registry.set_profile(folder, Profile(spend_limit=amount))

    async def rows(self) -> list[dict[str, Any]]:
        found = await self.database.fetch("SELECT * FROM host.model_calls ORDER BY made_at, id")
        return [dict(row) for row in found]

    async def total(self, folder: str = "main") -> int:
        """What the database says was spent by the group on all days."""
        cost: int = await self.database.fetchval(
            "SELECT coalesce(sum(cost), 0)::bigint FROM host.model_calls WHERE folder = $1", folder
        )
        return cost


@asynccontextmanager
async def opened(
    database: Database,
    clock: HandClock,
    new_id: NewId,
    *,
    rules: SpendRules | None = None,
    zone: tzinfo = UTC,
    meter: Meter | None = None,
) -> AsyncIterator[Counter]:
    """Open it until leave, which is as abrupt as a crash for whatever is not stored."""
    registry = Registry(database, clock, runtime="claude")
    await registry.load()
    if registry.group("main") is None:
        await registry.add_group(MAIN, "main", title="Engineering", main=True)
        await registry.add_group("tg:-200", "design", title="Design")
    spending = Spending(
        database=database,
        clock=clock,
        zone=zone,
        new_id=new_id,
        registry=registry,
        meter=meter or SilentMeter(),
        rules=rules or SpendRules(daily=DOLLAR),
    )
    counter = Counter(database=database, clock=clock, new_id=new_id, registry=registry, spending=spending)
    spending.on_event(counter.events.append)
    await spending.load()
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(spending.run())
        try:
            yield counter
        finally:
            writing.cancel()


async def approval_row(database: Database, approval: UUID, clock: HandClock) -> None:
    """An approval that a grant may name."""
    await database.execute(
        "INSERT INTO host.approvals"
        " (id, code, kind, folder, project, address, run, subject, dedupe, state, created_at)"
        " VALUES ($1, $2, 'spend', 'main', '', 'tg:-100', '', '{}', $2, 'executing', $3)",
        approval,
        str(approval)[-6:],
        clock.now(),
    )
