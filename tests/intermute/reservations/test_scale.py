"""Many reservations cost what few cost."""

import time

import pytest

from intermute.errors import Conflict
from intermute.reservations.reservations import Reservations
from storage.database import Database
from tests.intermute.reservations.heard import hold

FILL = """
INSERT INTO intermute.reservations
    (id, project, agent, pattern, anchor, exclusive, token, created_at, expires_at)
SELECT 'r' || n, 'p', 'agent' || n / 10, path, path || '/', true, -n, '2026-01-05', '2027-01-05'
FROM generate_series($1::integer, $2::integer) AS n,
    concat('src/pkg', n / 20, '/mod', n % 20, '/file.py') AS path
"""
ASKED = (
    "src/pkg3/mod5/file.py",
    "src/pkg3/**/*.go",
    "src/pkg4/*/file.p?",
    "lib/none.py",
    "src/pkg3/{a,mod3}/*.py",
    "src/*.x",
    "src/*",
    "*",
)
#: the database looks at all that is held, and leaves out what cannot overlap
LOOKED_THROUGH = ("src/*/none.go", "*/file.py", "src/*/mod3/*.go", "{src,lib}/*.go")


async def checking(reservations: Reservations, asked: str, tries: int) -> float:
    """Seconds for a check: of many the quickest, which says what it costs also on a busy machine."""
    times = []
    for _ in range(tries):
        begun = time.perf_counter()
        await reservations.check("p", (asked,), agent="somebody")
        times.append(time.perf_counter() - begun)
    return min(times)


async def slowest(reservations: Reservations) -> float:
    """Seconds for what takes longest of all that is asked."""
    return max([await checking(reservations, asked, 20) for asked in ASKED])


async def reserving(reservations: Reservations) -> float:
    """Seconds for a reservation, the quickest."""
    times = []
    for number in range(40):
        begun = time.perf_counter()
        held = await hold(reservations, "somebody", f"lib/{number}/**")
        times.append(time.perf_counter() - begun)
        await reservations.release(held.id)
    return min(times)


@pytest.fixture
async def few(database: Database) -> None:
    await database.execute(FILL, 1, 100)


@pytest.mark.usefixtures("few")
async def test_among_a_hundred_thousand_all_costs_what_it_costs_among_a_hundred(
    database: Database, reservations: Reservations
) -> None:
    await slowest(reservations)
    few = await slowest(reservations), await reserving(reservations)
    await database.execute(FILL, 101, 100_000)
    for known in (False, True):
        if known:  # what the planner learns by itself before long
            await database.execute("ANALYZE intermute.reservations")
        many = await slowest(reservations), await reserving(reservations)
        assert many[0] < 4 * few[0] + 0.002
        assert many[1] < 4 * few[1] + 0.005
    for asked in LOOKED_THROUGH:
        assert await checking(reservations, asked, 5) < 0.3, "comparing them all one by one takes longer"


@pytest.mark.usefixtures("few")
async def test_an_answer_names_so_many_and_says_that_there_are_more(
    database: Database, reservations: Reservations
) -> None:
    await database.execute(FILL, 101, 2_000)
    found = await reservations.check("p", ("src/pkg3/**",), agent="somebody")
    assert (len(found.found), found.more) == (20, False)
    everything = await reservations.check("p", ("**",), agent="somebody")
    assert (len(everything.found), everything.more) == (100, True)
    far = await reservations.check("p", ("src/pkg99/mod1*/*.p[xyz]",), agent="somebody")
    assert len(far.found) == 11
    with pytest.raises(Conflict) as refusal:
        await hold(reservations, "somebody", "src/**")
    assert (len(refusal.value.details["conflicts"]), refusal.value.details["more"]) == (100, True)
