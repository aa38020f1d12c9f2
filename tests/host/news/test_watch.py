"""What no event tells: a phase that lasts, a budget used up. Each is told once, whoever notices it first."""

from collections.abc import Sequence

from demarch.embedded import EmbeddedKernel
from demarch.kernel import Run
from tests.host.decisions.faulty import FaultyKernel
from tests.host.decisions.office import ANA, CHAIN, Office, first_line

HOUR = 3600


async def look(office: Office) -> None:
    await office.watch.look()
    await office.show()


async def test_a_phase_that_lasts_two_hours_is_told_once(office: Office) -> None:
    await office.terminal.run("refactor auth", **CHAIN)
    await look(office)
    await office.clock.advance(2 * HOUR - 1)
    await look(office)
    assert await office.lines() == []
    await office.clock.advance(60)
    await look(office)
    await look(office)
    assert await office.lines() == ['⏰ "refactor auth" has been in review for 2 h.']


async def test_a_new_phase_may_grow_stale_again(office: Office) -> None:
    run = await office.terminal.run("refactor auth", phases=("one", "two", "three"))
    await office.clock.advance(3 * HOUR)
    await look(office)
    await office.terminal.advance(run)
    await look(office)
    await office.clock.advance(3 * HOUR)
    await look(office)
    assert [line for line in await office.lines() if line.startswith("⏰")] == [
        '⏰ "refactor auth" has been in one for 3 h.',
        '⏰ "refactor auth" has been in two for 3 h.',
    ]


async def test_a_run_that_is_over_is_never_stale(office: Office) -> None:
    run = await office.terminal.run("refactor auth", **CHAIN)
    await office.terminal.write("cancel_run", run_id=run)
    await office.feed()
    await office.clock.advance(5 * HOUR)
    await look(office)
    assert [line for line in await office.lines() if line.startswith("⏰")] == []
    assert await office.database.fetchval("SELECT count(*) FROM host.run_watch") == 0


async def test_one_run_that_cannot_be_told_does_not_hide_the_others(office: Office) -> None:
    for goal in ("first", "bad", "last"):
        await office.terminal.run(goal, **CHAIN)
    await office.clock.advance(3 * HOUR)
    await office.database.execute(
        "ALTER TABLE host.posts ADD CONSTRAINT not_bad CHECK (content->>'text' NOT LIKE '%\"bad\"%')"
    )
    await look(office)
    assert {line.split('"')[1] for line in await office.lines()} == {"first", "last"}
    await office.database.execute("ALTER TABLE host.posts DROP CONSTRAINT not_bad")
    await look(office)
    assert (await office.lines())[2:] == ['⏰ "bad" has been in review for 3 h.']


async def test_a_run_that_began_during_a_look_is_told_of_once(office: Office) -> None:
    """The feed tells its warning between the list of active runs and the end of the look."""
    started: list[str] = []

    class Late(FaultyKernel):
        async def runs(self, *, active: bool = True) -> Sequence[Run]:
            found = await super().runs(active=active)
            if not started:
                started.append(await office.terminal.run("late", token_budget=100, **CHAIN))
                await office.terminal.spend(started[0], 85)
                await office.feed()
            return found

    watch = office.parts.news.watch("", Late(EmbeddedKernel(office.database, office.clock)))
    await watch.look()
    await watch.look()
    assert await office.lines() == ['💰 "late" has used 85 of 100 tokens (85 %).']


async def test_two_phases_that_lasted_are_two_lines_of_a_digest(office: Office) -> None:
    await office.parts.news.quiet.digest("main", "weekly fri 09:00", ANA.address)
    await office.parts.news.quiet.mute("main", "3d stale", ANA.address)
    run = await office.terminal.run("refactor auth", phases=("one", "two", "three"), gates={})
    await office.clock.advance(3 * HOUR)
    await look(office)
    await office.terminal.advance(run)
    await look(office)
    await office.clock.advance(3 * HOUR)
    await look(office)
    told = (await office.parts.news.digests.now("main")).text.splitlines()
    assert [line for line in told if line.startswith("⏰")] == [
        '⏰ "refactor auth" has been in one for 3 h.',
        '⏰ "refactor auth" has been in two for 3 h.',
    ]


async def test_a_budget_no_event_told_of_becomes_its_card(office: Office) -> None:
    run = await office.terminal.run("refactor auth", token_budget=200_000, **CHAIN)
    await office.database.execute("UPDATE kernel.runs SET used = 170000 WHERE id = $1", run)
    await look(office)
    await look(office)
    assert await office.lines() == ['💰 "refactor auth" has used 170 k of 200 k tokens (85 %).']
    await office.database.execute("UPDATE kernel.runs SET used = 210000 WHERE id = $1", run)
    await look(office)
    await look(office)
    (card,) = await office.cards()
    assert first_line(card).startswith("💰 Budget reached")


async def test_what_an_event_told_the_watch_does_not_tell_again(office: Office) -> None:
    run = await office.terminal.run("refactor auth", token_budget=200_000, **CHAIN)
    await office.terminal.spend(run, 170_000)
    await office.feed()
    await look(office)
    await office.terminal.spend(run, 40_000)
    await office.feed()
    card = await office.card()
    await office.tap(card, "CANCEL")
    await look(office)
    assert len(await office.cards()) == 1
    assert len([line for line in await office.lines() if "170 k" in line]) == 1


async def test_a_budget_that_grew_is_told_anew(office: Office) -> None:
    run = await office.terminal.run("refactor auth", token_budget=100_000, **CHAIN)
    await office.terminal.spend(run, 85_000)
    await office.feed()
    await office.terminal.write("extend_budget", run_id=run, tokens=100_000)
    await office.terminal.spend(run, 85_000)
    await office.feed()
    await look(office)
    assert [line.split(" used ")[1] for line in await office.lines()] == [
        "85 k of 100 k tokens (85 %).",
        "170 k of 200 k tokens (85 %).",
    ]


async def test_a_restart_remembers_what_was_told(office: Office) -> None:
    await office.terminal.run("refactor auth", **CHAIN)
    await office.clock.advance(3 * HOUR)
    await look(office)
    reborn = await office.reborn()
    await reborn.watch.look()
    await reborn.show()
    assert len(await reborn.lines()) == 1
