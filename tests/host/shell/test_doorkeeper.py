"""The page's door: a link works once and not for ever, and nothing that opens it is stored."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from host.page.doorkeeper import LINK_AGE, Doors
from host.record.audit import Audit
from storage.database import Database
from tests.clock import HandClock

AGE = 3600.0


def counting() -> Callable[[], str]:
    numbers = iter(range(1000))
    return lambda: f"secret-{next(numbers)}"


@pytest.fixture
async def doors(database: Database, clock: HandClock, tmp_path: Path) -> Doors:
    audit = await Audit.open(database, tmp_path, clock)
    return Doors(db=database, audit=audit, clock=clock, session_age=AGE, token=counting())


async def test_a_link_is_traded_for_a_cookie_once(doors: Doors) -> None:
    token = await doors.link_token()
    cookie = await doors.redeem(token)
    assert cookie is not None
    assert cookie.max_age == AGE
    visitor = await doors.who(cookie.value)
    assert visitor is not None
    assert visitor.person == "web:owner"
    assert await doors.redeem(token) is None


async def test_of_two_who_come_at_once_one_gets_in(doors: Doors) -> None:
    token = await doors.link_token()
    async with asyncio.TaskGroup() as tasks:
        tries = [tasks.create_task(doors.redeem(token)) for _ in range(8)]
    assert sum(task.result() is not None for task in tries) == 1


@pytest.mark.parametrize("token", ["", "never given", "\ud800", "x\x00y"])
async def test_an_unknown_token_opens_nothing(doors: Doors, token: str) -> None:
    assert await doors.redeem(token) is None
    assert await doors.who(token) is None


async def test_an_old_link_opens_nothing(doors: Doors, clock: HandClock) -> None:
    token = await doors.link_token()
    await clock.advance(LINK_AGE.total_seconds())
    assert await doors.redeem(token) is None


async def test_a_cookie_ends_with_its_age(doors: Doors, clock: HandClock) -> None:
    cookie = await doors.redeem(await doors.link_token())
    assert cookie is not None
    await clock.advance(timedelta(seconds=AGE).total_seconds())
    assert await doors.who(cookie.value) is None


async def test_neither_token_nor_cookie_is_stored(doors: Doors, database: Database) -> None:
    await doors.redeem(await doors.link_token())
    rows = await database.fetch(
        "SELECT l::text AS row FROM host.web_links l UNION ALL SELECT s::text FROM host.web_sessions s"
    )
    assert len(rows) == 2
    assert not any("secret-" in row["row"] or b"secret-".hex() in row["row"] for row in rows)
