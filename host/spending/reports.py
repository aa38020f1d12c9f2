"""What was spent, as the database knows it: by day, by model, by conversation, and one day's curve."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from asyncpg.protocol import Record

from storage import sql
from storage.database import Database

PACE = timedelta(hours=3)  #: how far back the pace of spending is measured
SHORTEST = timedelta(minutes=5)  #: of less than that nobody can tell a pace
_SQL = sql.load("host", "spending")

Days = Sequence[tuple[date, int]]  #: each with what was spent on it


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One line of a report."""

    folder: str
    what: str  #: the day, the model or the conversation it is about
    calls: int
    cost: int  #: millionths of a US dollar; what is under way counts as what is set aside for it
    input: int  #: tokens, from a cache or not
    output: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """How a group's money went on one day."""

    title: str
    limit: int
    points: Sequence[tuple[datetime, int]]

    @property
    def pace(self) -> float:
        """Millionths of a US dollar per second lately; 0 when that cannot be said."""
        if len(self.points) < 2:
            return 0.0
        end, used = self.points[-1]
        begin, before = next(point for point in self.points if point[0] >= end - PACE)
        took = end - begin
        return (used - before) / took.total_seconds() if took >= SHORTEST else 0.0


class Reports:
    """Reads only; works whether or not the host runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def by_day(self, since: date, folder: str | None = None) -> list[Spent]:
        rows = await self._database.fetch(_SQL["spending.by_day"], since, folder)
        return [_spent(row, row["day"].isoformat(), row["input"]) for row in rows]

    async def by_model(self, since: date, folder: str | None = None) -> list[Spent]:
        """The dearest first."""
        rows = await self._database.fetch(_SQL["spending.by_model"], since, folder)
        return [
            _spent(row, row["model"], row["input"] + row["cache_read"] + row["cache_write"]) for row in rows
        ]

    async def by_session(self, since: date, folder: str | None = None) -> list[Spent]:
        """Per conversation and the agent program that held it, the dearest first."""
        rows = await self._database.fetch(_SQL["spending.by_lane"], since, folder)
        return [_spent(row, f"{row['lane']} with {row['runtime']}", row["input"]) for row in rows]

    async def curve(self, folder: str, day: date, *, title: str, limit: int, now: datetime) -> Curve:
        """From nothing at the day's first request to what is spent now."""
        points: list[tuple[datetime, int]] = []
        used = 0
        for row in await self._database.fetch(_SQL["spending.curve"], folder, day):
            if not points:
                points.append((row["minute"], 0))
            used += row["cost"]
            points.append((row["minute"], used))
        if points:
            points.append((max(now, points[-1][0] + timedelta(seconds=1)), used))
        return Curve(title=title, limit=limit, points=tuple(points))


def last_days(rows: Sequence[Spent], today: date, number: int) -> list[tuple[date, int]]:
    """Every one of the last days up to today, also those on which nothing was spent."""
    cost: dict[str, int] = {}
    for row in rows:
        cost[row.what] = cost.get(row.what, 0) + row.cost
    days = [today - timedelta(days=back) for back in reversed(range(number))]
    return [(day, cost.get(day.isoformat(), 0)) for day in days]


def _spent(row: Record, what: str, tokens: int) -> Spent:
    return Spent(
        folder=row["folder"],
        what=what,
        calls=row["calls"],
        cost=row["cost"],
        input=tokens,
        output=row["output"],
    )
