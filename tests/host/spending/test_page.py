"""/spend: one screen and its picture."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import pytest

from container.broker.port import Usage
from host.people.profiles import Profile
from host.spending.money import DOLLAR
from host.spending.reports import Reports
from tests.clock import START
from tests.host.decisions.office import Office
from tests.host.spending.counter import CLAUDE, approval_row, ask

TODAY = START.date()


@pytest.fixture
async def bank(office: Office) -> AsyncIterator[Office]:
    await office.parts.recover()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(office.parts.spending.run())
        try:
            yield office
        finally:
            running.cancel()


def use(bank: Office, usage: Usage, *, lane: str = "main", model: str = "claude-sonnet-4-6") -> None:
    account = bank.parts.spending.account(lane, current_turn=lambda: None, runtime=lambda: CLAUDE)
    account.settle(account.reserve(ask(model=model)).id, usage)


async def shown(bank: Office, folder: str = "main") -> list[str]:
    await bank.parts.spending.drain()
    return (await bank.parts.spend_page.content(folder)).text.split("\n")


async def test_before_anything_is_spent_the_limit_is_said_and_nothing_drawn(bank: Office) -> None:
    page = await bank.parts.spend_page.content("main")
    assert page.text.split("\n") == [
        "Spent today: $0.00 of $10.00",
        "░░░░░░░░░░ 0 %",
        "$10.00 is left; it counts anew at midnight.",
    ]
    assert page.picture is None
    assert page.silent


async def test_one_screen_says_what_was_spent_on_what_and_what_is_left(bank: Office) -> None:
    use(bank, Usage(input=1000, cache_read=1_000_000, output=20_000))
    await bank.clock.advance(timedelta(days=2).total_seconds())
    use(bank, Usage(output=100_000), lane="main/42")
    use(bank, Usage(output=10_000), model="claude-haiku-4-5")
    account = bank.parts.spending.account("main", current_turn=lambda: None, runtime=lambda: CLAUDE)
    account.reserve(ask())
    await bank.parts.spending.extend(
        (await _card(bank)),
        key="k",
        folder="main",
        day=TODAY + timedelta(days=2),
        amount=DOLLAR,
        person="tg:1",
    )
    assert await shown(bank) == [
        "Spent today: $1.55 of $11.00",
        "▓░░░░░░░░░ 14 %",
        "The limit is $1.00 above the usual, for today.",
        "$0.12 more is set aside for one request under way.",
        "$9.33 is left; it counts anew at midnight.",
        "",
        "Last 7 days: $2.15",
        "Wed 7 Jan: $1.55",
        "Mon 5 Jan: $0.60",
        "",
        "By model, last 7 days",
        "claude-sonnet-4-6: $2.23, 1 M tokens in, 120 k out",
        "claude-haiku-4-5: $0.05, 0 tokens in, 10 k out",
        "",
        "By conversation, last 7 days",
        "main/42 with claude: $1.50",
        "main with claude: $0.78",
    ]


async def _card(bank: Office) -> UUID:
    card = bank.new_id()
    await approval_row(bank.database, card, bank.clock)
    return card


async def test_a_picture_shows_the_days_and_today(bank: Office) -> None:
    use(bank, Usage(output=100_000))
    await bank.clock.advance(3600)
    use(bank, Usage(output=200_000))
    await bank.parts.spending.drain()
    picture = (await bank.parts.spend_page.content("main")).picture
    assert picture is not None
    assert picture[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(picture[16:20]), int.from_bytes(picture[20:24])) == (800, 400)


async def test_the_main_group_sees_the_others_day_and_they_do_not_see_its(bank: Office) -> None:
    use(bank, Usage(output=100_000), lane="design")
    assert (await shown(bank))[-2:] == ["Other groups today", '"Design": $1.50 of $10.00']
    assert not any("Other groups" in line for line in await shown(bank, "design"))
    assert bank.parts.spend_page.line("main") == "$0.00 of $10.00 here, $1.50 in all groups"
    assert bank.parts.spend_page.line("design") == "$1.50 of $10.00"


async def test_status_says_what_is_spent_today(bank: Office) -> None:
    assert "Spent today" not in (await bank.parts.status.content("main")).text
    use(bank, Usage(output=100_000))
    assert "\n\nSpent today\n$1.50 of $10.00" in (await bank.parts.status.content("main")).text


async def test_a_group_that_may_spend_nothing_reads_so(bank: Office) -> None:
    await bank.registry.set_profile("main", Profile(spend_limit=0))
    assert (await shown(bank))[0] == "Nothing may be spent on models here."


async def test_a_report_of_the_database_adds_up_over_days_models_and_conversations(bank: Office) -> None:
    use(bank, Usage(input=10, output=1000))
    use(bank, Usage(input=20, output=2000), lane="design", model="claude-haiku-4-5")
    await bank.parts.spending.drain()
    reports = Reports(bank.database)
    for rows in (
        await reports.by_day(TODAY),
        await reports.by_model(TODAY),
        await reports.by_session(TODAY),
    ):
        assert sum(row.cost for row in rows) == 15_030 + 10_020
        assert (sum(row.input for row in rows), sum(row.output for row in rows)) == (30, 3000)
        assert {row.folder for row in rows} == {"main", "design"}
    assert await reports.by_day(TODAY + timedelta(days=1)) == []
    [only] = await reports.by_day(TODAY, "design")
    assert (only.what, only.calls, only.cost) == ("2026-01-05", 1, 10_020)
