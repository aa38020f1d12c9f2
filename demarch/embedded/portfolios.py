"""Portfolios: a run over several projects, which goes as far as all of its children have come."""

from collections.abc import Sequence
from typing import Any

from asyncpg.protocol import Record

from demarch.embedded import runs
from demarch.embedded.ledger import Change, Reads
from demarch.embedded.runs import NewRun
from demarch.errors import Conflict, InvalidCall, NotPossible
from demarch.parameters import EXTENSION, ExtendBudget
from demarch.phrases import plural, quoted
from storage import sql

MOST_PROJECTS = 50
CANCELLED = "portfolio cancelled"

_SQL = sql.load("demarch", "portfolios", "runs")


async def create(change: Change, new: NewRun, projects: Sequence[str]) -> tuple[Record, Sequence[Record]]:
    """The portfolio and one child for each project. Budget, gates and metadata are the portfolio's alone."""
    names = [project.strip() for project in projects]
    if not 2 <= len(names) <= MOST_PROJECTS or len(set(names)) != len(names) or not all(names):
        raise InvalidCall(f"A portfolio spans 2 to {MOST_PROJECTS} different projects.")
    if new.project:
        raise InvalidCall("A run belongs to one project or spans several, not both.")
    portfolio = await runs.create(change, new, portfolio=True)
    children = [
        await runs.create(
            change,
            NewRun(
                goal=new.goal,
                description=new.description,
                project=name,
                phases=new.phases,
                complexity=new.complexity,
                auto_advance=new.auto_advance,
            ),
            parent=portfolio["id"],
        )
        for name in names
    ]
    return portfolio, children


async def children(db: Reads, row: Record) -> Sequence[Record]:
    return await db.fetch(_SQL["portfolios.children"], row["id"]) if row["portfolio"] else ()


async def listed(db: Reads, *, active: bool, limit: int = 100) -> Sequence[Record]:
    return await db.fetch(_SQL["portfolios.all"], limit, not active)


async def cancel(change: Change, run_id: str, reason: str) -> tuple[Record, int]:
    """Cancel a run and the children it has; how many those were."""
    row = await runs.cancel(change, run_id, reason)
    if not row["portfolio"]:
        return row, 0
    active = await change.conn.fetch(_SQL["portfolios.lock_children"], row["id"])
    for child in active:
        await runs.end(change, child, CANCELLED)
    return row, len(active)


async def make_room(change: Change, row: Record) -> None:
    """Refuse one more agent in a child whose portfolio has as many at work as it may."""
    if row["parent_id"] is None:
        return
    portfolio = await runs.lock(change, row["parent_id"])
    most = portfolio["max_dispatches"]
    if most is None:
        return
    busy = await change.conn.fetchval(_SQL["portfolios.at_work"], portfolio["id"])
    if busy >= most:
        at_work = f"{plural(busy, 'agent')} of {most} at work"
        raise Conflict(f"The portfolio {quoted(portfolio['goal'])} has {at_work} already.", now="full")


async def widen(change: Change, row: Record, params: ExtendBudget) -> Record:
    """Let a portfolio start more agents: what extending it means, unless it counts tokens."""
    most = row["max_dispatches"]
    if most is None:
        raise NotPossible(f"The portfolio {quoted(row['goal'])} has no limit that could be raised.")
    if params.tokens is not None:
        raise NotPossible(
            f"The portfolio {quoted(row['goal'])} counts agents, not tokens; give a percentage."
        )
    target = most + max(1, most * (params.percent or EXTENSION) // 100)
    after = await change.one(_SQL["portfolios.widen"], row["id"], target, change.now)
    words = f"max_dispatches {most} -> {target}"
    change.tell(
        "set", row["id"], from_state=row["phase"], to_state=row["phase"],
        reason=f"{words}: {params.reason}" if params.reason else words,
    )  # fmt: skip
    return after


def child_data(row: Record) -> dict[str, Any]:
    return {name: row[name] for name in ("id", "status", "phase", "goal", "project_dir")}
