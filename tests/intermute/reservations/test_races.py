"""Many who want the same at the same time, each on a connection of its own."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from intermute.errors import Conflict, LimitReached
from intermute.events.journal import Journal
from intermute.limits import Limits
from intermute.reservations.claim import Wanted
from intermute.reservations.reservations import Granted, Reservations
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.intermute.reservations.heard import hold, holders

PATTERNS = ("src/**", "src/a.py", "src/*.py", "{src,lib}/a.py", "src", "**/a.py", "s*/a.??", "src/[a-c].py")


@pytest.fixture
async def wide(database_url: str) -> AsyncIterator[Database]:
    async with Database.open(database_url, size=16) as database:
        yield database


@pytest.fixture
def replicas(wide: Database, clock: HandClock, new_id: NewId) -> list[Reservations]:
    """Two that know nothing of each other."""
    return [Reservations(wide, Journal(wide, clock), clock, new_id, Limits(reservations=5)) for _ in range(2)]


async def attempt(reservations: Reservations, wanted: Wanted) -> str:
    try:
        answer = await reservations.reserve(wanted)
    except Conflict:
        return "conflict"
    except LimitReached:
        return "limit"
    return "granted" if isinstance(answer, Granted) else "waiting"


async def all_of(replicas: list[Reservations], *wanted: Wanted) -> list[str]:
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        racing = [
            tasks.create_task(attempt(replicas[number % len(replicas)], one))
            for number, one in enumerate(wanted)
        ]
    return [one.result() for one in racing]


async def test_of_many_racers_for_overlapping_patterns_exactly_one_wins(replicas: list[Reservations]) -> None:
    for round_ in range(6):
        project = f"p{round_}"
        outcome = await all_of(
            replicas,
            *(
                Wanted(project=project, agent=f"a{n}", patterns=(PATTERNS[n % 8],), exclusive=True)
                for n in range(16)
            ),
        )
        assert sorted(outcome) == ["conflict"] * 15 + ["granted"]
        assert len(await holders(replicas[0], project)) == 1


async def test_one_exclusive_racer_wins_or_all_who_share(replicas: list[Reservations]) -> None:
    outcome = await all_of(
        replicas,
        *(
            Wanted(project="p", agent=f"a{n}", patterns=("src/**", f"{n}.py"), exclusive=n % 4 == 0)
            for n in range(12)
        ),
    )
    winners = [n for n, one in enumerate(outcome) if one == "granted"]
    assert len(winners) == 1 or all(n % 4 for n in winners)
    assert len(await holders(replicas[0])) == 2 * len(winners)


async def test_fault_04_racing_does_not_get_an_agent_past_its_limit(replicas: list[Reservations]) -> None:
    outcome = await all_of(
        replicas,
        *(Wanted(project="p", agent="ada", patterns=(f"{n}.py",), exclusive=True) for n in range(12)),
    )
    assert sorted(outcome) == ["granted"] * 5 + ["limit"] * 7


async def test_a_retry_that_overtakes_the_first_attempt_gets_the_same(replicas: list[Reservations]) -> None:
    same = Wanted(project="p", agent="ada", patterns=("a", "b"), exclusive=True, id="key")
    assert await all_of(replicas, *[same] * 8) == ["granted"] * 8
    assert await holders(replicas[0]) == [("ada", "a"), ("ada", "b")]


async def test_the_same_id_in_two_projects_at_once_is_granted_in_one(replicas: list[Reservations]) -> None:
    wanted = [Wanted(project=f"p{n}", agent="ada", patterns=("a",), id="key") for n in range(8)]
    assert sorted(await all_of(replicas, *wanted)) == ["conflict"] * 7 + ["granted"]


async def test_tokens_grow_and_what_is_held_never_overlaps_while_all_come_and_go(
    replicas: list[Reservations],
) -> None:
    tokens: list[int] = []

    async def busy(number: int) -> None:
        reservations = replicas[number % 2]
        for turn in range(8):
            try:
                held = await hold(reservations, f"a{number}", PATTERNS[(number + turn) % 8])
            except Conflict:
                continue
            tokens.append(held.token)
            alone = [one for one in await holders(reservations) if one[0] == f"a{number}"]
            assert alone == await holders(reservations)
            await reservations.release(held.id)

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for number in range(8):
            tasks.create_task(busy(number))
    assert tokens == sorted(set(tokens))
    assert tokens
