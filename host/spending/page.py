"""/spend: one screen of what models cost here, with a picture, and the one line of it that /status shows."""

import asyncio
from collections.abc import Sequence
from datetime import date, timedelta

import structlog

from bridges.messages import Content
from demarch.phrases import bar, tokens
from host.news.pictures import Painter
from host.people.registry import Group, Registry
from host.phrases import one_line, quoted
from host.spending.books import Book
from host.spending.money import usd
from host.spending.reports import Reports, Spent, last_days
from host.spending.spending import Spending
from storage.clock import Clock

log = structlog.get_logger()

DAYS = 7
MODELS = 8
SESSIONS = 5
GROUPS = 20


class SpendPage:
    def __init__(
        self,
        *,
        spending: Spending,
        reports: Reports,
        registry: Registry,
        painter: Painter,
        clock: Clock,
        picture_patience: float,
    ) -> None:
        self._spending = spending
        self._reports = reports
        self._registry = registry
        self._painter = painter
        self._clock = clock
        self._picture_patience = picture_patience

    def line(self, folder: str) -> str:
        """For /status: what is spent today; empty when nothing is."""
        group = self._registry.group(folder)
        groups = self._registry.groups() if group is not None and group.main else [group]
        books = [self._spending.today(each.folder) for each in groups if each is not None]
        spent, reserved = sum(book.spent for book in books), sum(book.reserved for book in books)
        if not spent and not reserved:
            return ""
        own = self._spending.today(folder)
        limit = self._spending.limit(folder) + own.extended
        here = f"{usd(own.spent)} of {usd(limit)}"
        return here if len(books) == 1 or spent == own.spent else f"{here} here, {usd(spent)} in all groups"

    async def content(self, folder: str) -> Content:
        """The screen for the chats of a group; the main group sees the others' day as well."""
        group = self._registry.group(folder)
        book = self._spending.today(folder)
        limit = self._spending.limit(folder) + book.extended
        since = book.day - timedelta(days=DAYS - 1)
        rows = await self._reports.by_day(since, folder)
        days = [*last_days(rows, book.day, DAYS)[:-1], (book.day, book.spent)]
        parts = [
            "\n".join(_today(book, limit)),
            _section(f"Last {DAYS} days: {usd(sum(cost for _, cost in days))}", _day_lines(days)),
            _section(
                f"By model, last {DAYS} days", _model_lines(await self._reports.by_model(since, folder))
            ),
            _section(
                f"By conversation, last {DAYS} days",
                _session_lines(await self._reports.by_session(since, folder)),
            ),
            _section("Other groups today", self._others(folder) if group is not None and group.main else []),
        ]
        picture = await self._picture(folder, group, book, limit, days)
        return Content(text="\n\n".join(filter(None, parts)), picture=picture, silent=True)

    def _others(self, folder: str) -> list[str]:
        lines = []
        for group in self._registry.groups():
            book = self._spending.today(group.folder)
            if group.folder != folder and (book.spent or book.reserved):
                limit = self._spending.limit(group.folder) + book.extended
                lines.append(f"{quoted(group.title or group.folder, 40)}: {usd(book.spent)} of {usd(limit)}")
        return lines[:GROUPS]

    async def _picture(
        self, folder: str, group: Group | None, book: Book, limit: int, days: Sequence[tuple[date, int]]
    ) -> bytes | None:
        if not any(cost for _, cost in days) or limit <= 0:
            return None
        now = self._clock.now()
        title = (group.title or folder) if group is not None else folder
        try:
            async with asyncio.timeout(self._picture_patience):
                curve = await self._reports.curve(folder, book.day, title=title, limit=limit, now=now)
                return await self._painter.spent(curve, days)
        except TimeoutError:
            log.info("spend.no_picture", folder=folder)
            return None


def _today(book: Book, limit: int) -> list[str]:
    if limit <= 0:
        return ["Nothing may be spent on models here."]
    lines = [f"Spent today: {usd(book.spent)} of {usd(limit)}", bar(book.spent, limit)]
    if book.extended:
        lines.append(f"The limit is {usd(book.extended)} above the usual, for today.")
    if book.open:
        noun = "one request" if book.open == 1 else f"{book.open} requests"
        lines.append(f"{usd(book.reserved)} more is set aside for {noun} under way.")
    left = max(0, limit - book.spent - book.reserved)
    lines.append(f"{usd(left)} is left; it counts anew at midnight.")
    return lines


def _day_lines(days: Sequence[tuple[date, int]]) -> list[str]:
    """Newest first; days without any spending are left out."""
    return [f"{day:%a} {day.day} {day:%b}: {usd(cost)}" for day, cost in reversed(days) if cost]


def _model_lines(rows: Sequence[Spent]) -> list[str]:
    return [
        f"{one_line(row.what, 60)}: {usd(row.cost)}, {tokens(row.input)} tokens in, {tokens(row.output)} out"
        for row in rows[:MODELS]
    ]


def _session_lines(rows: Sequence[Spent]) -> list[str]:
    """Only where there are several to tell apart."""
    if len(rows) < 2:
        return []
    return [f"{one_line(row.what, 80)}: {usd(row.cost)}" for row in rows[:SESSIONS]]


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *lines]) if lines else ""
