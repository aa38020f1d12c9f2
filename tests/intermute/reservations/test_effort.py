"""Patterns made to be hard to compare cost those who send them, and nobody else."""

import asyncio
from collections.abc import Sequence

import pytest

from intermute.errors import Conflict, Unavailable
from intermute.globs.pattern import Pattern
from intermute.reservations.claim import Wanted
from intermute.reservations.effort import Effort, TooCostly
from intermute.reservations.reservations import Granted, Reservations, Waiting
from storage.database import Database
from tests.clock import HandClock

BOMBS = 400


def bomb(number: int) -> str:
    return "*a" * 110 + f"{number}" + "*c" * 110 + f"{number}"


async def hold(database: Database, clock: HandClock, project: str, patterns: Sequence[str]) -> None:
    """Each of another agent, exclusive, for an hour."""
    await database.execute(
        "INSERT INTO intermute.projects (name, created_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        project,
        clock.now(),
    )
    await database.execute(
        "INSERT INTO intermute.reservations (id, project, agent, pattern, anchor, exclusive, token,"
        " created_at, expires_at) SELECT $1 || place, $1, 'bomber' || place, pattern, '', true, -place, $3,"
        " $3::timestamptz + '1 hour' FROM unnest($2::text[]) WITH ORDINALITY AS given (pattern, place)",
        project,
        list(patterns),
        clock.now(),
    )


async def test_plain_paths_cost_nothing_and_wildcards_do() -> None:
    spent = Effort(0.0)
    assert await spent.meet(Pattern("src/a.py"), Pattern("src/*.py"))
    assert not await spent.meet(Pattern("src/a.py"), Pattern("lib/b.py"))
    with pytest.raises(TooCostly) as refused:
        await spent.meet(Pattern("src/*.py"), Pattern("src/a*"))
    assert refused.value.code == "patterns_too_costly"


async def test_what_was_spent_is_not_there_for_the_next_comparison() -> None:
    effort, one, other = Effort(0.001), Pattern(bomb(1)), Pattern(bomb(2))
    async with asyncio.timeout(20):
        await effort.meet(one, other)
        with pytest.raises(TooCostly):
            await effort.meet(one, other)


async def test_who_asks_for_too_much_is_refused(
    database: Database, clock: HandClock, reservations: Reservations
) -> None:
    await hold(database, clock, "p", [bomb(number) for number in range(BOMBS)])
    asked = Wanted(project="p", agent="ann", patterns=("*b" * 100 + "*d" * 100,), exclusive=True)
    with pytest.raises(TooCostly):
        await reservations.reserve(asked)


async def test_a_few_such_patterns_keep_nobody_from_plain_files(
    database: Database, clock: HandClock, reservations: Reservations
) -> None:
    await hold(database, clock, "p", [bomb(number) for number in range(30)])
    assert isinstance(
        await reservations.reserve(Wanted(project="p", agent="ann", patterns=("src/a.py",), exclusive=True)),
        Granted,
    )
    with pytest.raises(Conflict):
        await reservations.reserve(Wanted(project="p", agent="ben", patterns=("src",), exclusive=True))


async def test_a_place_in_line_that_is_too_much_work_keeps_nobody_from_giving_back(
    database: Database, clock: HandClock, reservations: Reservations
) -> None:
    asked = Wanted(project="p", agent="ann", patterns=("*b*",), exclusive=True)
    held = await reservations.reserve(asked)
    assert isinstance(held, Granted)
    waits = await reservations.reserve(
        Wanted(
            project="p", agent="ben", patterns=("*b" * 100 + "*d" * 100,), exclusive=True, wait_seconds=600
        )
    )
    assert isinstance(waits, Waiting)
    await hold(database, clock, "p", [bomb(number) for number in range(BOMBS)])
    await reservations.release(held.reservations[0].id)
    assert [place.waiter.claim.agent for place in await reservations.line("p")] == ["ben"]


async def test_many_who_look_up_such_patterns_leave_connections_to_others(
    database: Database, clock: HandClock, reservations: Reservations
) -> None:
    await hold(database, clock, "p", [bomb(number) for number in range(BOMBS)])
    asked = ("*b" * 100 + "*d" * 100 + "[xy]",)

    async def look() -> None:
        with pytest.raises((TooCostly, Unavailable)):
            await reservations.check("p", asked)

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        looking = [tasks.create_task(look()) for _ in range(20)]
        await asyncio.sleep(0)
        free = await reservations.check("q", asked)
        assert not free
        assert not any(task.done() for task in looking)
