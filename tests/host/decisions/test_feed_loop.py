"""The feed's loop: woken by the kernel, patient with what is down, stopped for good by nothing."""

import asyncio
from datetime import UTC

from bridges.splitting import shorten, units
from host.news.feed import CHANNEL
from host.people.registry import Role
from host.phrases import listed, one_line, sentence
from host.times import at_moment, moment
from storage.wakeups import Wakeups
from tests.host.decisions.office import CHAIN, EVE, Office, at, first_line


async def has_posts(office: Office, wakeups: Wakeups, count: int) -> None:
    """Wait until so many cards were put, told by the trigger this test sets on the posts."""
    news = wakeups.subscribe("test_posts")
    while await office.database.fetchval("SELECT count(*) FROM host.posts") < count:
        await news.wait(office.clock, 3600)
    news.close()


async def announce_posts(office: Office) -> None:
    await office.database.execute(
        "CREATE FUNCTION host.test_posts() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_notify('test_posts', ''); RETURN NULL; END $$"
    )
    await office.database.execute(
        "CREATE TRIGGER test_posts AFTER INSERT ON host.posts EXECUTE FUNCTION host.test_posts()"
    )


async def test_an_event_wakes_the_feed(office: Office, database_url: str) -> None:
    await announce_posts(office)
    async with asyncio.timeout(20), Wakeups.open(database_url) as wakeups, asyncio.TaskGroup() as tasks:
        loop = tasks.create_task(office.consumer.run(wakeups.subscribe(CHANNEL)))
        await office.terminal.block(await office.terminal.run("refactor auth", **CHAIN), "look")
        await has_posts(office, wakeups, 1)
        loop.cancel()
    assert first_line(await office.card()).startswith("🚪 Your decision")


async def test_one_event_that_cannot_be_told_is_passed_by_after_three_tries(office: Office) -> None:
    bad = await office.terminal.run("bad", **CHAIN)
    good = await office.terminal.run("good", **CHAIN)
    await office.database.execute(
        "ALTER TABLE host.approvals ADD CONSTRAINT not_bad CHECK (subject->>'goal' <> 'bad')"
    )
    await office.terminal.block(bad, "look")
    await office.terminal.block(good, "look")
    for _ in range(4):
        await office.consumer._drain()
    await office.show()
    assert ['"good"' in first_line(card) for card in await office.cards()] == [True]


async def test_what_comes_before_an_event_that_cannot_be_told_is_told(office: Office) -> None:
    await office.database.execute(
        "ALTER TABLE host.approvals ADD CONSTRAINT not_bad CHECK (subject->>'goal' <> 'bad')"
    )
    for goal in ("first", "second", "bad", "last"):
        await office.terminal.block(await office.terminal.run(goal, **CHAIN), "look")
    for _ in range(5):
        await office.consumer._drain()
    await office.show()
    told = [first_line(card).split('"')[1] for card in await office.cards()]
    assert told == ["first", "second", "last"]


async def test_a_kernel_that_is_down_is_waited_for(office: Office) -> None:
    run = await office.terminal.run("refactor auth", **CHAIN)
    await office.terminal.block(run, "look")
    office.kernel.down = True
    for _ in range(5):
        await office.consumer._drain()
    assert await office.cards() == []
    office.kernel.down = False
    await office.consumer._drain()
    await office.show()
    assert len(await office.cards()) == 1


async def test_what_comes_before_a_picture_does_not_wait_for_it(office: Office) -> None:
    burning = await office.terminal.run("burning", token_budget=100, **CHAIN)
    await office.terminal.block(await office.terminal.run("first", **CHAIN), "look")
    await office.terminal.spend(burning, 100)
    await office.terminal.block(await office.terminal.run("last", **CHAIN), "look")
    assert await office.consumer.step()
    await office.show()
    assert ['"first"' in first_line(card) for card in await office.cards()] == [True]
    await office.feed()
    assert [first_line(card)[0] for card in await office.cards()] == ["🚪", "💰", "🚪"]


async def test_changes_of_roles_are_on_record_with_who_made_them(office: Office) -> None:
    await office.parts.roles.set_role("main", EVE.address, Role.VIEWER, actor="terminal:root")
    await office.parts.roles.set_role("main", EVE.address, None, actor="terminal:root")
    await office.parts.roles.remove_group("design", actor="terminal:root")
    entries = await office.audit.tail(3)
    assert [(entry.actor, entry.action) for entry in entries] == [
        ("terminal:root", "role.set"),
        ("terminal:root", "role.set"),
        ("terminal:root", "group.removed"),
    ]
    assert entries[1].detail == {"group": "main", "person": EVE.address, "role": None, "before": "viewer"}


def test_times_are_said_as_people_do() -> None:
    now = at(14, 0)
    assert moment(at(9, 5), now, UTC) == "09:05"
    assert at_moment(at(9, 5), now, UTC) == "at 09:05"
    assert at_moment(at(9, 5).replace(day=4), now, UTC) == "yesterday 09:05"
    assert moment(at(9, 5).replace(day=6), now, UTC) == "tomorrow 09:05"
    assert moment(at(9, 5).replace(month=3), now, UTC) == "5 Mar 09:05"
    assert moment(at(9, 5).replace(year=2025), now, UTC) == "5 Jan 2025 09:05"


def test_foreign_words_stay_on_their_line_and_in_their_bounds() -> None:
    assert one_line(" a\n\tb\x00c\u202ed ", 80) == "a b cd"
    assert units(shorten("\N{PARTY POPPER}" * 50, 20)) <= 20
    assert (sentence("so it is"), sentence("is it?")) == ("so it is.", "is it?")
    assert listed(["a", "b", "c"], 2) == "a, b and 1 more"
