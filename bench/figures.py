"""What was measured: samples with a unit and a goal, as a table for people and JSON for programs."""

import json
import operator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from typing import Literal

Side = Literal["<=", ">="]
_MEETS = {"<=": operator.le, ">=": operator.ge}


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A bound on p50, and on p95 where one is promised."""

    side: Side
    p50: float
    p95: float | None = None

    def __str__(self) -> str:
        tail = "" if self.p95 is None else f", p95 {self.side} {self.p95:g}"
        return f"{self.side} {self.p50:g}{tail}"


def at_most(p50: float, p95: float | None = None) -> Goal:
    return Goal(side="<=", p50=p50, p95=p95)


def at_least(p50: float) -> Goal:
    return Goal(side=">=", p50=p50)


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One line of the table."""

    name: str
    unit: str
    samples: Sequence[float]
    goal: Goal | None = None

    @property
    def p50(self) -> float:
        return percentile(self.samples, 50)

    @property
    def p95(self) -> float:
        return percentile(self.samples, 95)

    @property
    def met(self) -> bool | None:
        if self.goal is None:
            return None
        meets = _MEETS[self.goal.side]
        return meets(self.p50, self.goal.p50) and (self.goal.p95 is None or meets(self.p95, self.goal.p95))


def percentile(samples: Sequence[float], percent: int) -> float:
    """The inclusive percentile; a single sample is every percentile of itself."""
    if len(samples) == 1:
        return samples[0]
    return quantiles(samples, n=100, method="inclusive")[percent - 1]


def as_table(figures: Sequence[Figure]) -> str:
    lines = [f"{'':42} {'p50':>9} {'p95':>9} {'unit':10} {'n':>5}  goal"]
    for figure in figures:
        verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
        goal = "" if figure.goal is None else f"{figure.goal}  {verdict}"
        numbers = f"{figure.p50:9.1f} {figure.p95:9.1f} {figure.unit:10} {len(figure.samples):5}"
        lines.append(f"{figure.name:42} {numbers}  {goal}")
    return "\n".join(lines)


def write_json(figures: Sequence[Figure], path: Path) -> None:
    """name → p50, p95, unit, n, goal, met; numbers rounded to a thousandth."""
    document = {
        figure.name: {
            "p50": round(figure.p50, 3),
            "p95": round(figure.p95, 3),
            "unit": figure.unit,
            "n": len(figure.samples),
            "goal": None if figure.goal is None else str(figure.goal),
            "met": figure.met,
        }
        for figure in figures
    }
    path.write_text(json.dumps(document, indent=2) + "\n")
