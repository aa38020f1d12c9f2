"""Pictures of spending: drawn in a process of their own, or gone without."""

import sys
from datetime import UTC, datetime, timedelta

from demarch.kernel import Run
from host.news.chart import project
from host.news.pictures import POINTS, Painter, burn_points

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


def run(points: int = 5, budget: int | None = 200_000, goal: str = "refactor auth") -> Run:
    spent = tuple(
        (START + timedelta(minutes=10 * number), 20_000 * number) for number in range(1, points + 1)
    )
    return Run(
        id="r8k2m1x0",
        goal=goal,
        status="active",
        phase="review",
        phases=("review", "done"),
        created_at=START,
        updated_at=START,
        budget=budget,
        used=20_000 * points,
        spent=spent,
    )


async def test_a_picture_is_a_png_of_800_by_400() -> None:
    png = await Painter(UTC, patience=60).burn(
        run(goal="cost $5 <b>\n\x00 \N{PARTY POPPER}"), START + timedelta(hours=2)
    )
    assert png is not None
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert (int.from_bytes(png[16:20]), int.from_bytes(png[20:24])) == (800, 400)


async def test_without_a_budget_there_is_nothing_to_draw() -> None:
    assert await Painter(UTC).burn(run(budget=None), START) is None


async def test_a_painter_that_fails_or_hangs_costs_the_picture_only() -> None:
    broken = Painter(UTC, command=(sys.executable, "-c", "import sys; sys.exit(3)"))
    assert await broken.burn(run(), START) is None
    stuck = Painter(UTC, patience=0.2, command=(sys.executable, "-c", "import time; time.sleep(60)"))
    assert await stuck.burn(run(), START) is None
    garbage = Painter(UTC, command=(sys.executable, "-c", "print('hello')"))
    assert await garbage.burn(run(), START) is None


def test_points_are_thinned_and_end_with_what_is_used_now() -> None:
    points = burn_points(run(5000), START + timedelta(days=40))
    assert len(points) == POINTS
    assert points[0] == (START, 0)
    assert points[-1] == (START + timedelta(days=40), 100_000_000)
    assert points == sorted(points)


def test_the_projection_goes_on_at_the_pace_of_late() -> None:
    points = [(START, 0), (START + timedelta(hours=2), 0), (START + timedelta(hours=3), 90_000)]
    (start, low), (end, high) = project(points, 100_000)
    assert (start, low) == points[-1]
    assert (end - start, high) == (timedelta(hours=1.5), 90_000 + 135_000)
    assert project(points[:1], 1) == []
