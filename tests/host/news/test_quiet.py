"""What a group wants to hear: muted topics, its digest, the kinds of news it takes."""

import asyncio

import pytest

from demarch.notices import NoticeKind
from host.news.topics import Manner
from host.news.wishes import Wishes
from host.people.profiles import Profile
from tests.host.decisions.office import ANA, CHAIN, MAIN, OTHER, Office, first_line, labels

PLAIN = {"phases": ("one", "two", "three", "four"), "gates": {}}


async def mute(office: Office, argument: str) -> str:
    return (await office.parts.news.quiet.mute("main", argument, ANA.address)).text


async def digest(office: Office, argument: str) -> str:
    return (await office.parts.news.quiet.digest("main", argument, ANA.address)).text


async def waits_or_is_done(office: Office, task: asyncio.Task[str]) -> None:
    """Until it waits for a lock of somebody else's, or needs none."""
    waiting = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
    while not task.done() and not await office.database.fetchval(waiting):
        pass


async def moved(office: Office, goal: str = "refactor auth", times: int = 1) -> str:
    run = await office.terminal.run(goal, **PLAIN)
    for _ in range(times):
        await office.terminal.advance(run)
    await office.feed()
    return run


async def test_a_muted_topic_is_not_told_and_the_others_are(office: Office) -> None:
    assert await mute(office, "2h phase") == "News of the topic phase is quiet until 11:00."
    run = await moved(office)
    await office.terminal.write("cancel_run", run_id=run)
    await office.feed()
    assert [line.split(" ", 1)[0] for line in await office.lines()] == ["🛑"]


async def test_a_mute_says_what_it_does_not_hide(office: Office) -> None:
    cards = "What waits for a decision still comes, without a sound."
    found = "What was found waits, and is asked about afterwards."
    assert (await mute(office, "2h gate")).endswith(f"until 11:00. {cards}")
    assert (await mute(office, "2h discovery")).endswith(f"until 11:00. {found}")
    assert (await mute(office, "2h")).endswith(f"until 11:00. {cards} {found}")


async def test_a_mute_ends_by_itself(office: Office) -> None:
    await mute(office, "2h")
    await office.clock.advance(2 * 3600)
    await moved(office)
    assert await office.lines() == ['📋 "refactor auth" is in two  ●○○○']


async def test_a_gate_that_is_muted_comes_without_a_sound(office: Office) -> None:
    await mute(office, "3d")
    card = await office.gate()
    assert labels(card) == ["APPROVE", "REJECT", "DEFER"]
    assert card.content.silent


async def test_what_is_muted_is_listed_and_taken_back(office: Office) -> None:
    quiet = office.parts.news.quiet
    assert (await mute(office, "")).startswith("Nothing is muted here.")
    await mute(office, "30m reviews")
    assert await mute(office, "") == ("News of the topic review is quiet until 09:30.\n/unmute ends it.")
    assert (await quiet.unmute("main", "phase", ANA.address)).text == "That is not muted here."
    assert (await quiet.unmute("main", "", ANA.address)).text == "You hear of everything again."
    assert (await mute(office, "")).startswith("Nothing is muted here.")


@pytest.mark.parametrize(
    "argument", ["phase", "2 phase", "2h gate phase", "2h nonsense", "31d", "0h", "2h 3h x"]
)
async def test_what_cannot_be_muted_is_explained(office: Office, argument: str) -> None:
    assert (await mute(office, argument)).startswith("Write how long")
    assert (await mute(office, "")).startswith("Nothing is muted here.")


async def test_a_digest_collects_phases_and_tells_them_once_at_its_time(office: Office) -> None:
    assert await digest(office, "daily 18:00") == (
        "A digest comes every day at 18:00, first 18:00. Phases and reviews are told there from now on; "
        "what waits for a decision still comes at once."
    )
    await moved(office, times=2)
    await office.clock.advance(60)
    await moved(office, "write docs")
    assert await office.lines() == []
    assert await office.parts.news.digests.send_due() is False
    await office.clock.advance(9 * 3600 - 60)
    assert await office.parts.news.digests.send_due() is True
    assert await office.parts.news.digests.send_due() is False
    (said,) = await office.lines()
    assert said.splitlines()[:3] == [
        "📰 Since 09:00",
        '📋 "refactor auth" is in three  ●●○○ (2 moves)',
        '📋 "write docs" is in two  ●○○○',
    ]
    assert "Running" in said
    assert "Waiting" in said


async def test_a_digest_missed_while_nobody_ran_comes_once(office: Office) -> None:
    await digest(office, "daily 18:00")
    await office.clock.advance(5 * 24 * 3600)
    reborn = await office.reborn()
    while await reborn.parts.news.digests.send_due():
        pass
    assert len(await reborn.lines()) == 1
    assert (await digest(reborn, "")).startswith("A digest comes every day at 18:00, next 18:00.")


async def test_a_digest_that_ends_tells_what_it_held(office: Office) -> None:
    await digest(office, "weekly fri 09:00")
    await moved(office)
    assert await digest(office, "off") == "No digest any more: what happens is told at once again."
    assert await digest(office, "off") == "There is no digest here."
    await moved(office, "write docs")
    assert await office.lines() == [
        '📰 Not told yet\n📋 "refactor auth" is in two  ●○○○',
        '📋 "write docs" is in two  ●○○○',
    ]


async def test_a_line_that_comes_while_a_digest_ends_is_told(office: Office) -> None:
    await digest(office, "daily 18:00")
    routing, wishes = office.parts.news.telling.routing, Wishes(office.database)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        async with office.database.transaction() as conn:
            _, manner = await routing.way(conn, "", "run", NoticeKind.PHASE_CHANGED)
            ending = tasks.create_task(digest(office, "off"))
            await waits_or_is_done(office, ending)
            await wishes.keep(conn, "main", "slot", "a line", office.clock.now())
        await ending
    assert manner is Manner.KEEP
    assert await office.lines() == ["📰 Not told yet\na line"]


async def test_a_digest_that_cannot_be_told_does_not_keep_back_the_others(office: Office) -> None:
    await digest(office, "daily 17:00")
    await office.parts.news.quiet.digest("design", "daily 18:00", ANA.address)
    await office.clock.advance(9 * 3600)
    await office.database.execute(
        "ALTER TABLE host.posts ADD CONSTRAINT not_main CHECK (folder <> 'main') NOT VALID"
    )
    assert await office.parts.news.digests.send_due() is True
    assert await office.parts.news.digests.send_due() is False
    assert len(await office.lines(OTHER)) == 1
    await office.database.execute("ALTER TABLE host.posts DROP CONSTRAINT not_main")
    assert await office.parts.news.digests.send_due() is True
    assert len(await office.lines()) == 1


async def test_a_digest_with_many_lines_shows_the_newest(office: Office) -> None:
    await digest(office, "daily 18:00")
    for number in range(33):
        await moved(office, f"goal {number}")
        await office.clock.advance(1)
    said = (await digest(office, "now")).splitlines()
    assert said[1] == "3 earlier lines left out."
    assert [line.split('"')[1] for line in said[2:32]] == [f"goal {number}" for number in range(3, 33)]


async def test_what_everything_is_muted_hides_is_explained(office: Office) -> None:
    await mute(office, "2h")
    said = await office.parts.news.quiet.unmute("main", "phase", ANA.address)
    assert said.text == "All news is quiet here, whatever it is about; /unmute ends that."


async def test_a_digest_asked_for_now_leaves_the_lines_for_the_one_that_is_due(office: Office) -> None:
    await digest(office, "daily 18:00")
    await moved(office)
    assert "is in two" in await digest(office, "now")
    await office.clock.advance(9 * 3600)
    await office.parts.news.digests.send_due()
    assert "is in two" in (await office.lines())[-1]


async def test_a_gate_comes_at_once_in_spite_of_a_digest(office: Office) -> None:
    await digest(office, "daily 18:00")
    card = await office.gate()
    assert first_line(card).startswith("🚪")
    assert not card.content.silent


async def test_a_group_takes_only_the_topics_chosen_for_it(office: Office) -> None:
    await office.registry.set_profile("main", Profile(events=("done",)))
    run = await moved(office)
    await office.terminal.write("cancel_run", run_id=run)
    await office.feed()
    assert [line.split(" ", 1)[0] for line in await office.lines()] == ["🛑"]


async def test_news_of_a_run_goes_to_the_group_that_started_it(office: Office) -> None:
    run = await office.terminal.run("refactor auth", **CHAIN)
    async with office.database.transaction() as conn:
        await office.parts.news.telling.routing.settle(conn, "", run, "design")
    await office.terminal.block(run, "look")
    await office.feed()
    await office.show()
    assert await office.cards(MAIN) == []
    assert len(await office.cards(OTHER)) == 1


async def test_a_question_its_group_does_not_take_is_put_to_the_main_group(office: Office) -> None:
    await office.registry.set_profile("design", Profile(events=("phase",)))
    run = await office.terminal.run("refactor auth", **CHAIN)
    async with office.database.transaction() as conn:
        await office.parts.news.telling.routing.settle(conn, "", run, "design")
    await office.terminal.block(run, "look")
    await office.feed()
    await office.show()
    assert len(await office.cards(MAIN)) == 1
    assert await office.cards(OTHER) == []


async def test_a_main_group_that_muted_it_gets_such_a_question_without_a_sound(office: Office) -> None:
    await office.registry.set_profile("design", Profile(events=("phase",)))
    await mute(office, "2h gate")
    run = await office.terminal.run("refactor auth", **CHAIN)
    async with office.database.transaction() as conn:
        await office.parts.news.telling.routing.settle(conn, "", run, "design")
    await office.terminal.block(run, "look")
    await office.feed()
    assert (await office.card()).content.silent


async def test_a_run_an_agent_asked_for_belongs_to_the_group_it_was_asked_in(office: Office) -> None:
    await office.database.execute("INSERT INTO host.run_homes VALUES ('', 'gone', 'nobody')")
    run = await office.terminal.run("orphan", **CHAIN)
    await office.database.execute("INSERT INTO host.run_homes VALUES ('', $1, 'nobody')", run)
    await office.terminal.block(run, "look")
    await office.feed()
    assert len(await office.cards(MAIN)) == 1
