"""What the log of a real agency becomes in its chats, through the command line: each event is told once."""

import asyncio
from pathlib import Path

import pytest

from host.decisions.approvals import State
from host.news.feed import CHANNEL
from storage.database import Database
from storage.ids import NewId
from storage.wakeups import Wakeups
from tests.clock import HandClock
from tests.host.decisions.office import code_of, first_line, labels
from tests.host.decisions.test_feed_loop import announce_posts, has_posts
from tests.host.decisions.test_toolbox import box_of
from tests.host.news.agency import CHAIN, Agency, found

#: a run whose last gate asks for proof that nobody may override
PROOF = '{"close_gate":{"requirements":["runtime-evidence/v1"]}}'


@pytest.fixture
async def agency(database: Database, clock: HandClock, new_id: NewId, tmp_path: Path) -> Agency:
    return await found(database, clock, new_id, tmp_path)


async def test_a_gate_that_blocks_is_a_card_and_its_approval_moves_the_run(agency: Agency) -> None:
    run = await agency.blocked()
    await agency.office.feed()
    card = await agency.office.card()
    assert '"refactor auth"' in first_line(card)
    assert labels(card) == ["APPROVE", "REJECT", "DEFER"]
    assert (await agency.office.approval(code_of(card))).project == agency.key
    await agency.office.tap(card, "APPROVE")
    await agency.office.feed()
    assert (await agency.kernel.run(run)).phase == "polish"
    assert [first_line(each) for each in await agency.office.cards()] == [
        '✅ Approved by Ana, 09:00: "refactor auth" is in polish.'
    ]


async def test_a_pause_is_asked_about_and_advanced(agency: Agency) -> None:
    run = await agency.project.run("careful", phases='["a","b","c"]')
    await agency.project.ic("run", "set", run, "--auto-advance=false")
    await agency.project.advance(run)
    await agency.office.feed()
    card = await agency.office.card()
    assert "This run asks before it moves on." in card.content.text
    await agency.office.tap(card, "APPROVE")
    await agency.office.feed()
    assert (await agency.kernel.run(run)).phase == "b"
    assert len(await agency.office.cards()) == 1


async def test_a_refusal_s_own_block_is_no_second_card(agency: Agency) -> None:
    """Runtime evidence cannot be overridden: `ic` refuses and logs one more block, which bears no mark."""
    run = await agency.blocked(phases='["review","done"]', gates='{"review→done":[]}', metadata=PROOF)
    await agency.office.feed()
    card = await agency.office.card()
    await agency.office.tap(card, "APPROVE")
    await agency.project.ic("gate", "override", run, "--justified", "--reason=the same", code=1)
    blocks = agency.project.sql("SELECT count(*) FROM phase_events WHERE event_type = 'block'")[0][0]
    assert blocks == 2
    await agency.office.feed()
    assert len(await agency.office.cards()) == 1
    assert (await agency.office.approval(code_of(card))).state is State.CLOSED
    await agency.pass_time(60)
    await agency.project.advance(run)
    await agency.office.feed()
    assert len(await agency.office.cards()) == 2, "a later block is a new question"


async def test_an_approval_that_ends_at_the_next_gate_asks_on_the_same_card(agency: Agency) -> None:
    run = await agency.project.run("careful", **CHAIN)
    await agency.project.ic("run", "set", run, "--auto-advance=false")
    await agency.project.advance(run)
    await agency.office.feed()
    card = await agency.office.card()
    await agency.office.tap(card, "APPROVE")
    await agency.office.feed()
    (after,) = await agency.office.cards()
    assert "Approving now overrides it." in after.content.text
    await agency.office.tap(after, "APPROVE")
    await agency.office.feed()
    assert (await agency.kernel.run(run)).phase == "polish"
    assert len(await agency.office.cards()) == 1


async def test_what_was_done_in_a_terminal_closes_the_card(agency: Agency) -> None:
    run = await agency.blocked()
    await agency.office.feed()
    await agency.pass_time(60)
    await agency.project.ic("gate", "override", run, "--justified", "--reason=seen it")
    await agency.office.feed()
    assert first_line(await agency.office.card()) == (
        "↪️ Resolved elsewhere at 09:01: the gate was overridden, the run is in polish."
    )


async def test_an_approval_whose_answer_was_lost_is_credited_to_who_gave_it(agency: Agency) -> None:
    await agency.blocked()
    await agency.office.feed()
    card = await agency.office.card()
    agency.project.plant("ic gate override", "die-after", times=3)
    await agency.office.tap(card, "APPROVE")
    agency.project.heal()
    await agency.office.feed()
    assert (
        first_line(await agency.office.card()) == '✅ Approved by Ana, 09:00: "refactor auth" is in polish.'
    )
    assert len(agency.project.sql("SELECT 1 FROM phase_events WHERE event_type = 'override'")) == 1


async def test_a_run_is_done_at_the_end_of_its_own_chain(agency: Agency) -> None:
    run = await agency.project.run("short", phases='["one","two"]')
    await agency.project.advance(run)
    await agency.office.feed()
    assert first_line(await agency.office.card()).startswith('🏁 Done: "short"')


async def test_a_cancelled_run_and_a_spent_budget_are_told(agency: Agency) -> None:
    spender = await agency.project.run("spender", token_budget=1000)
    await agency.project.spend(spender, 1000)
    await agency.project.ic("run", "budget", spender, code=None)
    await agency.office.feed()
    assert first_line(await agency.office.card()).startswith('💰 Budget reached: "spender"')
    await agency.project.ic("run", "cancel", spender)
    await agency.office.feed()
    assert first_line(await agency.office.card()).startswith("↪️ Closed: the run was stopped.")
    assert any('"spender" was stopped' in line for line in await agency.office.lines())


async def test_a_run_that_another_one_continues_is_not_told_to_be_stopped(agency: Agency) -> None:
    run = await agency.project.run("expensive", token_budget=1000, **CHAIN)
    await agency.project.spend(run, 1200)
    await agency.project.ic("run", "budget", run, code=None)
    await agency.office.feed()
    assert await agency.office.lines() == [], "the card says it, no warning does"
    await agency.office.tap(await agency.office.card(), "EXTEND")
    await agency.office.feed()
    assert (await agency.kernel.run(run)).status == "cancelled"
    assert not [line for line in await agency.office.lines() if "stopped" in line]
    other = await agency.project.run("another", **CHAIN)
    await agency.project.ic("run", "cancel", other)
    await agency.office.feed()
    assert [line for line in await agency.office.lines() if "stopped" in line] == [
        '🛑 "another" was stopped in review; its work stays.'
    ]


async def test_reviewers_who_agree_are_a_line(agency: Agency) -> None:
    run = await agency.project.run("refactor auth", **CHAIN)
    payload = '{"finding_id":"SEC-3","agents":{"a":"P0","b":"P2"},"resolution":"accepted",'
    payload += '"chosen_severity":"P1","impact":"decision_changed"}'
    await agency.project.ic(
        "events",
        "record",
        "--source=review",
        "--type=disagreement_resolved",
        f"--run={run}",
        f"--payload={payload}",
    )
    await agency.office.feed()
    assert await agency.office.lines() == [
        '🔎 The reviewers of "refactor auth" agree now: accepted (finding SEC-3).'
    ]


async def test_a_restart_tells_nothing_again_and_misses_nothing(agency: Agency) -> None:
    await agency.blocked("one")
    await agency.office.feed()
    await agency.blocked("two")
    reborn = await agency.reborn()
    await reborn.office.feed()
    again = await reborn.reborn()
    await again.office.feed()
    assert [first_line(card).split('"')[1] for card in await again.office.cards()] == ["one", "two"]


async def test_a_restored_kernel_tells_nobody_twice_and_loses_nothing_new(
    agency: Agency, tmp_path: Path
) -> None:
    await agency.blocked("before")
    await agency.office.feed()
    agency.project.save(tmp_path / "backup.db")
    await agency.pass_time(60)
    await agency.blocked("lost by the restore")
    await agency.office.feed()
    agency.project.restore(tmp_path / "backup.db")
    await agency.office.feed()
    assert len(await agency.office.cards()) == 2
    await agency.pass_time(60)
    await agency.blocked("after")
    await agency.office.feed()
    told = [first_line(card).split('"')[1] for card in await agency.office.cards()]
    assert told == ["before", "lost by the restore", "after"]


async def test_a_kernel_that_fails_for_a_while_delays_the_news_only(agency: Agency) -> None:
    await agency.blocked()
    for kind in ("garbage", "die", "flood"):
        agency.project.plant("ic events tail", kind, times=3)
        await agency.office.consumer._drain()
        agency.project.heal()
    agency.project.plant("ic run status", "garbage", times=1)
    await agency.office.consumer._drain()
    assert await agency.office.cards() == []
    agency.project.heal()
    await agency.office.feed()
    assert len(await agency.office.cards()) == 1


async def test_a_run_that_cannot_be_read_for_ever_silences_no_other(agency: Agency) -> None:
    broken = await agency.blocked("broken")
    agency.project.sql("UPDATE runs SET goal = ? WHERE id = ?", "x" * 9_000_000, broken)
    await agency.office.consumer._drain()
    await agency.blocked("whole")
    await agency.office.consumer._drain()
    assert await agency.office.cards() == []
    await agency.pass_time(601)
    await agency.office.consumer._drain()
    await agency.office.feed()
    assert [first_line(card).split('"')[1] for card in await agency.office.cards()] == ["whole"]


async def test_a_follower_s_project_wakes_those_who_watch_the_page(agency: Agency, database_url: str) -> None:
    async with asyncio.timeout(20), Wakeups.open(database_url) as wakeups:
        watcher = wakeups.subscribe(CHANNEL)
        await watcher.wait(agency.office.clock, 3600)
        await agency.blocked()
        await agency.office.feed()
        assert await watcher.wait(agency.office.clock, 3600) == [""]
        watcher.close()


async def test_the_follower_wakes_the_reader(agency: Agency, database_url: str) -> None:
    await announce_posts(agency.office)
    async with asyncio.timeout(30), Wakeups.open(database_url) as wakeups, asyncio.TaskGroup() as tasks:
        following = tasks.create_task(agency.kernel.follower.run())
        reading = tasks.create_task(agency.office.consumer.run(agency.kernel.follower))
        await agency.blocked()
        await has_posts(agency.office, wakeups, 1)
        following.cancel()
        reading.cancel()
    assert first_line(await agency.office.card()).startswith("🚪 Your decision")


async def test_a_discovery_worth_it_is_asked_about_once_until_somebody_decides(agency: Agency) -> None:
    good = await agency.project.find("better cache", score=0.6)
    await agency.project.find("noise", score=0.2)
    await agency.office.feed()
    await agency.project.ic("discovery", "score", good, "--score=0.9")
    await agency.office.feed()
    (card,) = await agency.office.cards()
    assert "better cache" in card.content.text
    assert labels(card)[:3] == ["PROMOTE", "DISMISS", "LATER"]
    await agency.project.ic("discovery", "dismiss", good)
    await agency.office.feed()
    assert labels(await agency.office.card()) == []
    assert len(await agency.office.cards()) == 1


async def test_what_happens_within_the_second_of_a_look_is_told_by_the_next(agency: Agency) -> None:
    """The kernel's clock tells whole seconds: an event later in that second seems to be earlier."""
    run = await agency.project.run("careful", phases='["a","b","c"]')
    await agency.pass_time(10.3)
    box, _ = await box_of(agency.office)
    await box.call("demarch_what_changed", {})
    await agency.pass_time(0.4)
    await agency.project.advance(run)
    await agency.pass_time(60)
    found = await box.call("demarch_what_changed", {})
    assert [told["what"] for told in found.data["runs"]] == [["went a → b"]]
