"""Many reservations cost what few cost."""

import statistics
import time

import pytest

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
)


async def median(reservations: Reservations) -> float:
    times = []
    for number in range(100):
        begun = time.perf_counter()
        await reservations.check("p", (ASKED[number % len(ASKED)],), agent="somebody")
        times.append(time.perf_counter() - begun)
    return statistics.median(times)


@pytest.fixture
async def few(database: Database) -> None:
    await database.execute(FILL, 1, 100)


@pytest.mark.usefixtures("few")
async def test_a_check_among_a_hundred_thousand_costs_what_it_costs_among_a_hundred(
    database: Database, reservations: Reservations
) -> None:
    await median(reservations)
    small = await median(reservations)
    await database.execute(FILL, 101, 100_000)
    # As it comes, then with the planner's numbers.
    large = [await median(reservations)]
    await database.execute("ANALYZE intermute.reservations")
    large.append(await median(reservations))
    assert max(large) < 4 * small + 0.002
    found = await reservations.check("p", ("src/pkg3/**",), agent="somebody")
    assert len(found.found) == 20
    everything = await reservations.check("p", ("**",), agent="somebody")
    assert len(everything.found) == 100
    assert everything.more
    assert (await hold(reservations, "somebody", "lib/a.py")).token > 0
