"""Setting aside, settling, limits, days, crashes, an absent database."""

import asyncio
import signal
import sys
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container.broker.port import (
    BudgetSpent,
    NotAllowed,
    Trouble,
    TroubleKind,
    Unrecorded,
    Usage,
)
from demarch.errors import NotPossible
from host.metrics import Metrics
from host.people.profiles import Profile
from host.spending.account import folder_of
from host.spending.books import LEAST_ANSWER, Book, decide
from host.spending.events import SpendRules, Stopped, Warned
from host.spending.money import DOLLAR
from host.spending.prices import Prices
from host.spending.writer import MOST
from storage.database import Database
from storage.ids import NewId
from tests.clock import START, HandClock
from tests.conftest import ROOT
from tests.host.spending.counter import CLAUDE, Counter, approval_row, ask, opened, turn

TODAY = date(2026, 1, 5)


async def test_a_request_is_set_aside_stored_and_settled(counter: Counter) -> None:
    running = turn(counter.new_id)
    account = counter.account(turn=running)
    reservation = account.reserve(ask())
    book = counter.spending.today("main")
    assert (book.spent, book.reserved, book.open) == (0, 3750 + 120_000, 1)
    await account.recorded(reservation.id)
    [row] = await counter.rows()
    assert (row["state"], row["reserved"], row["cost"]) == ("reserved", 123_750, 0)
    assert (row["folder"], row["lane"], row["turn"], row["runtime"]) == ("main", "main", running.id, "claude")
    assert (row["api"], row["model"], row["day"]) == ("anthropic", "claude-sonnet-4-6", TODAY)
    account.settle(
        reservation.id, Usage(input=100, cache_read=200, cache_write=300, cache_write_hour=50, output=400)
    )
    await counter.spending.drain()
    [row] = await counter.rows()
    cost = 300 + 60 + 1125 + 300 + 6000
    assert (row["state"], row["cost"]) == ("settled", cost)
    assert [row[f"{kind}_tokens"] for kind in ("input", "cache_read", "cache_write", "output")] == [
        100,
        200,
        350,
        400,
    ]
    assert (book.spent, book.reserved, book.open) == (cost, 0, 0)


async def test_what_nobody_knows_counts_fully_and_what_never_left_counts_nothing(counter: Counter) -> None:
    account = counter.account()
    unknown, unsent = account.reserve(ask()), account.reserve(ask())
    account.settle(unknown.id, None)
    account.settle(unsent.id, Usage())
    account.settle(unsent.id, None)  # a second word on it changes nothing
    await counter.spending.drain()
    assert sorted((row["state"], row["cost"]) for row in await counter.rows()) == [
        ("assumed", 123_750),
        ("settled", 0),
    ]
    assert counter.spending.today("main").spent == 123_750


async def test_parallel_requests_cannot_overshoot_the_limit(counter: Counter) -> None:
    """The dearest each may become is set aside before the next one is asked for."""
    accounts = [counter.account("main"), counter.account("main/42"), counter.account("main#1")]
    made, refusals = [], set()
    for number in range(300):
        try:
            made.append((number % 3, accounts[number % 3].reserve(ask(output_tokens=32_000))))
        except BudgetSpent as refused:
            refusals.add(str(refused).partition(" (")[0])
    assert refusals == {"The rest of today's spend limit is set aside for requests under way"}
    assert len(made) >= 4, "one request does not take all there is"
    assert counter.events == [], "it is not reached while requests may yet cost less"
    for which, reservation in made:
        worst = Usage(cache_write=1000, output=reservation.output_tokens)
        accounts[which].settle(reservation.id, worst)
    book = counter.spending.today("main")
    assert DOLLAR * 9 // 10 < book.spent <= DOLLAR
    await counter.spending.drain()
    assert await counter.total() == book.spent
    with pytest.raises(BudgetSpent, match="limit of this group is reached"):
        accounts[0].reserve(ask())


async def test_groups_do_not_share_a_limit(counter: Counter) -> None:
    await counter.allow(130_000)
    counter.account().reserve(ask(output_tokens=4096))
    with pytest.raises(BudgetSpent):
        counter.account().reserve(ask())
    counter.account("design").reserve(ask())


async def test_near_the_limit_an_answer_is_bounded_and_below_the_least_not_asked_for(
    counter: Counter,
) -> None:
    await counter.allow(200_000)
    first = counter.account().reserve(ask(output_tokens=32_000))
    assert first.output_tokens == (100_000 - 3750) // 15
    assert counter.account().reserve(ask(output_tokens=500)).output_tokens == 500
    second = counter.account().reserve(ask(output_tokens=32_000))
    assert second.output_tokens == LEAST_ANSWER
    with pytest.raises(BudgetSpent):
        counter.account().reserve(ask())


@given(
    limit=st.integers(1, 20 * DOLLAR),
    spent=st.integers(0, 20 * DOLLAR),
    reserved=st.integers(0, 20 * DOLLAR),
    prompt=st.integers(0, 400_000),
    answer=st.integers(0, 200_000),
    model=st.sampled_from(["claude-opus-4-6", "claude-haiku-5-5", "claude-sonnet-4-5", "unheard-of"]),
)
def test_no_decision_goes_above_what_is_left(
    limit: int, spent: int, reserved: int, prompt: int, answer: int, model: str
) -> None:
    request = ask(prompt, answer, model)
    book = Book(folder="main", day=TODAY, spent=spent, reserved=reserved)
    try:
        decision = decide(book, limit, Prices().tariff(request.api, model), request)
    except BudgetSpent:
        return
    assert spent + reserved + decision.amount <= limit
    assert min(answer, LEAST_ANSWER) <= decision.output_tokens <= answer


async def test_a_group_that_may_spend_nothing_is_told_so_without_a_card(counter: Counter) -> None:
    await counter.allow(0)
    with pytest.raises(BudgetSpent, match="may not spend anything"):
        counter.account().reserve(ask())
    assert counter.events == []


async def test_a_changed_limit_counts_at_once(counter: Counter) -> None:
    account = counter.account()
    account.settle(account.reserve(ask()).id, None)
    await counter.allow(124_000)
    with pytest.raises(BudgetSpent):
        account.reserve(ask())
    await counter.allow(None)
    account.reserve(ask())


async def test_a_reached_limit_tells_which_turn_was_stopped_and_what_it_needs(counter: Counter) -> None:
    running = turn(counter.new_id)
    await counter.allow(100_000)
    with pytest.raises(
        BudgetSpent, match=r"\$0\.00 of \$0\.10 are spent, and the next request may cost \$0\.25"
    ):
        counter.account(turn=running).reserve(ask(50_000))
    [stopped] = counter.events
    assert stopped == Stopped(
        folder="main",
        day=TODAY,
        address=running.address,
        lane="main",
        model="claude-sonnet-4-6",
        needs=187_500 + LEAST_ANSWER * 15,
    )


async def test_the_warning_comes_once_a_day(counter: Counter) -> None:
    account = counter.account()
    for output in (50_000, 3_000, 500, 500):
        account.settle(account.reserve(ask(output_tokens=output)).id, Usage(output=output))
    assert counter.events == [Warned(folder="main", day=TODAY)]
    await counter.clock.advance(24 * 3600)
    account.settle(account.reserve(ask(output_tokens=60_000)).id, Usage(output=60_000))
    assert counter.events[1:] == [Warned(folder="main", day=TODAY + timedelta(days=1))]


async def test_a_day_ends_at_midnight_where_people_are(
    database: Database, clock: HandClock, new_id: NewId
) -> None:
    """The clock says 09:00 in Greenwich; in Auckland it is 22:00."""
    async with opened(database, clock, new_id, zone=ZoneInfo("Pacific/Auckland")) as counter:
        account = counter.account()
        account.settle(account.reserve(ask()).id, None)
        long = account.reserve(ask())
        await clock.advance(2 * 3600 + 1)
        assert counter.spending.today("main").day == date(2026, 1, 6)
        assert counter.spending.today("main").spent == 0
        account.settle(long.id, None)
        assert counter.spending.today("main").spent == 0, "it counts on the day it was made"
        await counter.spending.drain()
        assert [row["day"] for row in await counter.rows()] == [TODAY, TODAY]


async def test_a_clock_that_is_set_back_opens_no_day_anew(database: Database, new_id: NewId) -> None:
    clock = HandClock(START + timedelta(hours=16))
    async with opened(database, clock, new_id) as counter:
        account = counter.account()
        account.settle(account.reserve(ask()).id, None)
        clock._now = START
        assert counter.spending.today("main").spent == 123_750


async def test_after_a_crash_what_was_under_way_counts_fully(
    database: Database, clock: HandClock, new_id: NewId
) -> None:
    async with opened(database, clock, new_id) as counter:
        account = counter.account()
        account.settle(account.reserve(ask()).id, Usage(output=1000))
        under_way = account.reserve(ask())
        await account.recorded(under_way.id)
        await counter.spending.drain()
    async with opened(database, clock, new_id) as again:
        assert again.spending.today("main").spent == 15_000 + 123_750
        assert sorted(row["state"] for row in await again.rows()) == ["assumed", "settled"]
        assert await again.total() == 15_000 + 123_750


async def test_a_host_killed_with_a_request_under_way_counts_it(
    database: Database, database_url: str, clock: HandClock, new_id: NewId
) -> None:
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.host.spending.children", database_url, cwd=ROOT
    )
    async with asyncio.timeout(30):
        assert await child.wait() == -signal.SIGKILL
    assert sorted(row["state"] for row in await database.fetch("SELECT state FROM host.model_calls")) == [
        "reserved",
        "settled",
    ]
    async with opened(database, clock, new_id) as again:
        assert again.spending.today("main").spent == 15_000 + 123_750
        assert await again.total() == 15_000 + 123_750


async def test_yesterday_does_not_count_after_a_restart(
    database: Database, clock: HandClock, new_id: NewId
) -> None:
    async with opened(database, clock, new_id) as counter:
        account = counter.account()
        account.settle(account.reserve(ask()).id, None)
        await counter.spending.drain()
    await clock.advance(24 * 3600)
    async with opened(database, clock, new_id) as again:
        assert again.spending.today("main").spent == 0


async def test_an_extension_counts_once_per_card_and_survives_a_restart(
    database: Database, clock: HandClock, new_id: NewId
) -> None:
    card = new_id()
    async with opened(database, clock, new_id) as counter:
        await approval_row(database, card, clock)
        spending = counter.spending
        assert await spending.granted(card) is None
        for attempt in (1, 2):
            await spending.extend(
                card, key=f"{card}/{attempt}", folder="main", day=TODAY, amount=500_000, person="tg:1"
            )
        assert await spending.granted(card) == f"{card}/1"
        assert spending.today("main").extended == 500_000
        account = counter.account()
        while spending.today("main").spent < 1_400_000:
            account.settle(account.reserve(ask()).id, None)
        with pytest.raises(BudgetSpent, match=r"of \$1\.50 are spent"):
            account.reserve(ask(40_000))
        spent = spending.today("main").spent
        assert spent > DOLLAR
        await spending.drain()
    async with opened(database, clock, new_id) as again:
        book = again.spending.today("main")
        assert (book.extended, book.spent) == (500_000, spent)
        await clock.advance(24 * 3600)
        assert again.spending.today("main").extended == 0
        with pytest.raises(NotPossible, match="day is over"):
            await again.spending.extend(new_id(), key="k", folder="main", day=TODAY, amount=1, person="tg:1")


async def test_without_the_database_nothing_new_is_let_through_and_nothing_is_forgotten(
    database: Database, clock: HandClock, new_id: NewId
) -> None:
    async with opened(database, clock, new_id) as counter:
        account = counter.account()
        before = account.reserve(ask())
        await account.recorded(before.id)
        await database.execute("ALTER TABLE host.model_calls RENAME TO gone")
        late = account.reserve(ask())
        await clock.until_sleeping()
        with pytest.raises(Unrecorded, match="does not take down"):
            account.reserve(ask())
        account.settle(before.id, Usage(output=10))
        account.settle(late.id, Usage(output=20))
        await database.execute("ALTER TABLE host.gone RENAME TO model_calls")
        await clock.advance(1)
        async with asyncio.timeout(5):
            await counter.spending.drain()
        await account.recorded(late.id)
        assert [row["output_tokens"] for row in await counter.rows()] == [10, 20]
        account.reserve(ask())


async def test_a_writer_that_does_not_keep_up_bounds_what_waits(
    database: Database, clock: HandClock, new_id: NewId
) -> None:
    async with opened(database, clock, new_id, rules=SpendRules(daily=10**12)) as counter:
        account = counter.account()
        reservations = [account.reserve(ask(output_tokens=1)) for _ in range(MOST)]
        with pytest.raises(Unrecorded):
            account.reserve(ask())
        for each in reservations:
            account.settle(each.id, Usage(output=1))
        async with asyncio.timeout(30):
            await counter.spending.drain()
        account.reserve(ask())
        assert len(await counter.rows()) >= MOST


async def test_an_account_is_granted_what_its_group_may(counter: Counter) -> None:
    account = counter.account()
    assert account.grant().models == frozenset(CLAUDE.models)
    assert not account.grant().provider_tools
    await counter.registry.set_profile("main", Profile(models=("claude-opus-4-6",), provider_tools=True))
    assert account.grant().models == {"claude-opus-4-6"}
    assert account.grant().provider_tools
    helped = counter.spending.account(
        "main", current_turn=lambda: None, runtime=lambda: CLAUDE, models=("claude-haiku-4-5",)
    )
    assert helped.grant().models == {"claude-opus-4-6", "claude-haiku-4-5"}
    await counter.registry.remove_group("design")
    for refused in (counter.account("design").grant, lambda: counter.account("design").reserve(ask())):
        with pytest.raises(NotAllowed, match="no longer registered"):
            refused()


async def test_trouble_belongs_to_the_turn_it_happened_in(counter: Counter) -> None:
    first, second = turn(counter.new_id), turn(counter.new_id)
    trouble = Trouble(kind=TroubleKind.OVERLOADED, sentence="Too busy.")
    account = counter.account(turn=first)
    assert counter.spending.trouble(first) is None
    account.trouble(trouble)
    assert counter.spending.trouble(first) == trouble
    assert counter.spending.trouble(second) is None
    account.trouble(None)
    assert counter.spending.trouble(first) is None


async def test_what_is_asked_beside_the_answer_does_not_hide_its_trouble(counter: Counter) -> None:
    running = turn(counter.new_id)
    account = counter.account(turn=running)
    account.trouble(Trouble(kind=TroubleKind.CREDENTIAL, sentence="No key."), "claude-opus-4-6")
    account.trouble(None, "claude-haiku-4-5")
    assert counter.spending.trouble(running) is not None
    account.trouble(None, "claude-opus-4-6")
    assert counter.spending.trouble(running) is None


async def test_foreign_numbers_and_names_do_no_harm(counter: Counter) -> None:
    account = counter.account()
    reservation = account.reserve(ask(model="mod\x00el\ud800" + "x" * 1000, output_tokens=10))
    account.settle(reservation.id, Usage(input=-5, output=10**30))
    async with asyncio.timeout(5):
        await counter.spending.drain()
    [row] = await counter.rows()
    assert (row["input_tokens"], row["output_tokens"]) == (0, 10**12)


async def test_money_and_tokens_are_counted_for_prometheus(
    database: Database, clock: HandClock, new_id: NewId
) -> None:
    metrics = Metrics()
    async with opened(database, clock, new_id, meter=metrics) as counter:
        account = counter.account()
        account.settle(account.reserve(ask()).id, Usage(input=1000, output=2000))
    text = metrics.text().decode()
    assert 'intercom_model_cost_usd_total{api="anthropic",model="claude-sonnet-4-6"} 0.033' in text
    assert (
        'intercom_model_tokens_total{api="anthropic",kind="output",model="claude-sonnet-4-6"} 2000.0' in text
    )


@pytest.mark.parametrize(
    ("lane", "folder"), [("main", "main"), ("main/42", "main"), ("main#1", "main"), ("main/42#7", "main")]
)
def test_the_group_of_a_lane(lane: str, folder: str) -> None:
    assert folder_of(lane) == folder
