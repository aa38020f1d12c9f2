"""Pictures of runs and of money: which numbers go on the chart, and the short-lived process that draws it."""

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

import structlog

from demarch.kernel import Run
from host.phrases import one_line
from host.spending.reports import Curve, Days

log = structlog.get_logger()

PATIENCE = 10.0  #: seconds for one picture; it is decoration, never a reason to wait
POINTS = 400
TITLE = 46
LARGEST = 4 * 1024 * 1024  #: bytes of a PNG


class Painter:
    """Draws one picture at a time: two at once would only slow each other down."""

    def __init__(self, zone: tzinfo, *, patience: float = PATIENCE, command: Sequence[str] = ()) -> None:
        self._zone = zone
        self._patience = patience
        self._command = tuple(command) or (sys.executable, "-m", "host.news.chart")
        self._one = asyncio.Semaphore(1)

    async def burn(self, run: Run, now: datetime) -> bytes | None:
        """The run's spending against its budget as a PNG, or None when there is none to draw or it failed."""
        points = burn_points(run, now)
        if run.budget is None or len(points) < 2:
            return None
        job = {
            "title": one_line(run.goal, TITLE),
            "budget": run.budget,
            "points": self._local(points),
        }
        return await self._paint(job, run.id)

    async def spent(self, curve: Curve, days: Days = ()) -> bytes | None:
        """A group's money of today against its limit, and beside the days before; None when it failed."""
        job: dict[str, Any] = {
            "title": one_line(curve.title, TITLE),
            "budget": curve.limit,
            "unit": "usd",
            "points": self._local(thinned(curve.points)),
        }
        if days:
            job |= {"title": "7 days", "days": [(f"{day:%a}", cost) for day, cost in days]}
        return await self._paint(job, curve.title)

    def _local(self, points: Sequence[tuple[datetime, int]]) -> list[tuple[str, int]]:
        return [(when.astimezone(self._zone).isoformat(), used) for when, used in points]

    async def _paint(self, job: dict[str, Any], about: str) -> bytes | None:
        try:
            async with asyncio.timeout(self._patience), self._one:
                return await self._draw(json.dumps(job).encode("ascii"))
        except (TimeoutError, OSError, ValueError) as error:
            log.warning("picture.failed", about=about, reason=str(error) or "it took too long")
            return None

    async def _draw(self, job: bytes) -> bytes:
        process = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            png, complaint = await process.communicate(job)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode or not png.startswith(b"\x89PNG") or len(png) > LARGEST:
            raise ValueError(f"the chart ended with {process.returncode}: {_last_line(complaint)}")
        return png


def burn_points(run: Run, now: datetime) -> list[tuple[datetime, int]]:
    """From nothing at the start to what is used now, thinned to what a picture can show."""
    spent = [(run.created_at, 0), *run.spent]
    end = run.updated_at if run.status != "active" else now
    last = max(end, spent[-1][0], run.created_at + timedelta(seconds=1))
    spent.append((last, max(run.used, spent[-1][1])))
    return thinned(spent)


def thinned(points: Sequence[tuple[datetime, int]]) -> list[tuple[datetime, int]]:
    """As many as a picture can show, the last one among them."""
    if len(points) <= POINTS:
        return list(points)
    step = len(points) / (POINTS - 1)
    return [points[int(index * step)] for index in range(POINTS - 1)] + list(points[-1:])


def _last_line(complaint: bytes) -> str:
    lines = complaint.decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else "no reason given"
