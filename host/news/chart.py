"""The burn chart: tokens spent over time against the budget, drawn where its memory is given back at once.

`python -m host.news.chart` reads a `Burn` as JSON from stdin, writes a PNG to stdout. The host starts it as a
short-lived process (see host/news/pictures.py): matplotlib alone would take as much memory as the whole host.
"""

import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from demarch.phrases import tokens

INK, QUIET, LINE, ALARM, GROUND = "#1f2328", "#656d76", "#0a5ea8", "#b3261e", "#ffffff"
SIZE = (8.0, 4.0)  #: inches at 100 dots each: 800 x 400, read on a phone
HEADROOM = 1.18
SHORTEST = timedelta(minutes=5)  #: of less than that nobody can tell a pace


def draw(burn: dict[str, Any]) -> bytes:
    """A PNG: what was spent, the budget as a line with its name, and where the pace of late leads."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    points = [(datetime.fromisoformat(when), int(used)) for when, used in burn["points"]]
    budget = int(burn["budget"])
    ahead = project(points, budget)
    figure = Figure(figsize=SIZE, dpi=100, facecolor=GROUND, layout="constrained")
    axes = figure.add_subplot()
    _curve(axes, points, ahead, budget)
    _budget(axes, budget, max([used for _, used in [*points, *ahead]] + [budget]))
    _frame(axes, str(burn["title"]), points, ahead)
    out = BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def project(points: Sequence[tuple[datetime, int]], budget: int) -> list[tuple[datetime, int]]:
    """From the last point on at the pace of the last third, for half as long again as is shown."""
    if len(points) < 2 or points[-1][1] <= points[0][1]:
        return []
    end, used = points[-1]
    begin = points[0][0]
    if end - begin < SHORTEST:
        return []
    third = end - (end - begin) / 3
    earlier = next(point for point in reversed(points[:-1]) if point[0] <= third or point is points[0])
    spent, took = used - earlier[1], (end - earlier[0]).total_seconds()
    if spent <= 0 or took <= 0:
        return []
    span = max((end - begin) / 2, timedelta(minutes=1))
    return [(end, used), (end + span, int(used + spent / took * span.total_seconds()))]


def _curve(
    axes: Any, points: Sequence[tuple[datetime, int]], ahead: Sequence[tuple[datetime, int]], budget: int
) -> None:
    times, used = [when for when, _ in points], [spent for _, spent in points]
    axes.fill_between(times, used, step="post", color=LINE, alpha=0.12, linewidth=0)
    axes.step(times, used, where="post", color=LINE, linewidth=3.5, solid_capstyle="round")
    axes.plot(times[-1:], used[-1:], "o", color=LINE, markersize=11, zorder=4)
    # Where the number would lie on the budget's line it moves below the projection.
    below = bool(ahead) and 0.7 * budget < used[-1] < budget
    axes.annotate(
        f"{tokens(used[-1])} used", (times[-1], used[-1]), xytext=(10, -12) if below else (-10, 10),
        textcoords="offset points", ha="left" if below else "right", va="top" if below else "bottom",
        fontsize=17, fontweight="bold", color=LINE, zorder=5,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": GROUND, "edgecolor": "none", "alpha": 0.85},
    )  # fmt: skip
    if ahead:
        (start, low), (end, high) = ahead
        axes.plot([start, end], [low, high], color=LINE, linewidth=3, linestyle=(0, (1.2, 1.6)))
        axes.annotate(
            "at this pace", (end, high), xytext=(-14, 4), textcoords="offset points",
            ha="right", va="center", fontsize=14, color=QUIET,
        )  # fmt: skip


def _budget(axes: Any, budget: int, top: int) -> None:
    axes.set_ylim(0, top * HEADROOM)
    axes.axhline(budget, color=ALARM, linewidth=3, linestyle=(0, (6, 2)))
    axes.annotate(
        f"budget {tokens(budget)}", (0.0, budget), xycoords=("axes fraction", "data"), xytext=(8, 6),
        textcoords="offset points", ha="left", va="bottom", fontsize=17, fontweight="bold", color=ALARM,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": GROUND, "edgecolor": "none", "alpha": 0.85},
    )  # fmt: skip


def _frame(
    axes: Any, title: str, points: Sequence[tuple[datetime, int]], ahead: Sequence[tuple[datetime, int]]
) -> None:
    from matplotlib import dates
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    # The zone of the first point is the reader's; "$" would start mathematics.
    zone = points[0][0].tzinfo
    span = (ahead or points)[-1][0] - points[0][0]
    axes.set_title(title.replace("$", r"\$"), loc="left", fontsize=18, color=INK, pad=10)
    said = "%d %b" if span > timedelta(days=3) else "%H:%M" if span > SHORTEST else "%H:%M:%S"
    axes.xaxis.set_major_locator(dates.AutoDateLocator(tz=zone, minticks=2, maxticks=4))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(dates.DateFormatter(said, tz=zone))  # type: ignore[no-untyped-call]
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: tokens(int(value)) if value >= 0 else ""))
    axes.tick_params(labelsize=15, colors=QUIET, length=0)
    axes.grid(axis="y", color="#d0d7de", linewidth=1)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#d0d7de")


def main() -> None:
    sys.stdout.buffer.write(draw(json.load(sys.stdin)))


if __name__ == "__main__":
    main()
