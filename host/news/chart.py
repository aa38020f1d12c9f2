"""The burn charts: tokens or money spent over time against a limit, in a process of their own.

`python -m host.news.chart` reads what to draw as JSON from stdin, writes a PNG to stdout. The host starts it
as a short-lived process (see host/news/pictures.py): matplotlib alone takes as much memory as the whole host.
"""

import json
import sys
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

from demarch.phrases import tokens
from host.spending.money import short_usd, usd

INK, QUIET, LINE, ALARM, GROUND = "#1f2328", "#656d76", "#0a5ea8", "#b3261e", "#ffffff"
SIZE = (8.0, 4.0)  #: inches at 100 dots each: 800 x 400, read on a phone
HEADROOM = 1.18
SHORTEST = timedelta(minutes=5)  #: of less than that nobody can tell a pace

Amount = Callable[[int], str]


def draw(burn: dict[str, Any]) -> bytes:
    """A PNG: what was spent, the budget as a line with its name, and where the pace of late leads.

    With `days` what was spent on each stands on the left as bars, and today's curve beside them.
    """
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE, dpi=100, facecolor=GROUND, layout="constrained")
    if "days" in burn:
        left, right = figure.subplots(1, 2, width_ratios=(5, 4))
        bars(left, burn)
        _burn(right, burn, usd, short_usd, "limit", "today")
    elif burn.get("unit") == "usd":
        _burn(figure.add_subplot(), burn, usd, short_usd, "limit", str(burn["title"]))
    else:
        _burn(figure.add_subplot(), burn, tokens, tokens, "budget", str(burn["title"]))
    out = BytesIO()
    figure.savefig(out, format="png", metadata={"Software": None})
    return out.getvalue()


def _burn(axes: Any, burn: dict[str, Any], amount: Amount, short: Amount, line: str, title: str) -> None:
    points = [(datetime.fromisoformat(when), int(used)) for when, used in burn["points"]]
    budget = int(burn["budget"])
    ahead = project(points, budget)
    _curve(axes, points, ahead, budget, amount)
    top = max([used for _, used in [*points, *ahead]] + [budget])
    _budget(axes, budget, top, f"{line} {amount(budget)}")
    _frame(axes, title, points, ahead)
    _scale(axes, short)


def bars(axes: Any, burn: dict[str, Any]) -> None:
    """What was spent on each day, the last one being today, against today's limit."""
    names = [str(name) for name, _ in burn["days"]]
    spent = [int(cost) for _, cost in burn["days"]]
    budget = int(burn["budget"])
    colors = [QUIET] * (len(spent) - 1) + [LINE]
    axes.bar(range(len(spent)), spent, width=0.7, color=colors)
    _budget(axes, budget, max([*spent, budget, 1]), "")
    axes.set_xticks(range(len(names)), names)
    axes.set_title(_plain(str(burn["title"])), loc="left", fontsize=18, color=INK, pad=10)
    _scale(axes, short_usd)


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
    axes: Any,
    points: Sequence[tuple[datetime, int]],
    ahead: Sequence[tuple[datetime, int]],
    budget: int,
    amount: Amount,
) -> None:
    times, used = [when for when, _ in points], [spent for _, spent in points]
    axes.fill_between(times, used, step="post", color=LINE, alpha=0.12, linewidth=0)
    axes.step(times, used, where="post", color=LINE, linewidth=3.5, solid_capstyle="round")
    axes.plot(times[-1:], used[-1:], "o", color=LINE, markersize=11, zorder=4)
    # Where the number would lie on the budget's line it moves below the curve's end.
    said = _plain(f"{amount(used[-1])} used")
    below = 0.7 * budget < used[-1] < budget
    right = below and bool(ahead)
    axes.annotate(
        said, (times[-1], used[-1]), xytext=(10 if right else -10, -12 if below else 10),
        textcoords="offset points", ha="left" if right else "right", va="top" if below else "bottom",
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


def _budget(axes: Any, budget: int, top: int, name: str) -> None:
    axes.set_ylim(0, top * HEADROOM)
    axes.axhline(budget, color=ALARM, linewidth=3, linestyle=(0, (6, 2)))
    axes.annotate(
        _plain(name), (0.0, budget), xycoords=("axes fraction", "data"), xytext=(8, 6),
        textcoords="offset points", ha="left", va="bottom", fontsize=17, fontweight="bold", color=ALARM,
        bbox={"boxstyle": "round,pad=0.15", "facecolor": GROUND, "edgecolor": "none", "alpha": 0.85},
    )  # fmt: skip


def _frame(
    axes: Any, title: str, points: Sequence[tuple[datetime, int]], ahead: Sequence[tuple[datetime, int]]
) -> None:
    from matplotlib import dates

    # The zone of the first point is the reader's.
    zone = points[0][0].tzinfo
    span = (ahead or points)[-1][0] - points[0][0]
    axes.set_title(_plain(title), loc="left", fontsize=18, color=INK, pad=10)
    said = "%d %b" if span > timedelta(days=3) else "%H:%M" if span > SHORTEST else "%H:%M:%S"
    axes.xaxis.set_major_locator(dates.AutoDateLocator(tz=zone, minticks=2, maxticks=4))  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_formatter(dates.DateFormatter(said, tz=zone))  # type: ignore[no-untyped-call]


def _scale(axes: Any, short: Amount) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: _plain(short(int(value))) if value >= 0 else "")
    )
    axes.tick_params(labelsize=15, colors=QUIET, length=0)
    axes.grid(axis="y", color="#d0d7de", linewidth=1)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#d0d7de")


def _plain(text: str) -> str:
    """Text in which "$" does not begin mathematics."""
    return text.replace("$", r"\$")


def main() -> None:
    sys.stdout.buffer.write(draw(json.load(sys.stdin)))


if __name__ == "__main__":
    main()
