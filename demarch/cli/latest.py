"""The newest events, from a command that begins with the oldest."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from demarch.cli.commands import command, flagged
from demarch.cli.events import NEVER, SOURCES, TOLD, Events, event_of
from demarch.cli.parsing import objects
from demarch.cli.process import Runner
from demarch.kernel import KernelEvent

_PAGE = 500  #: rows of one source at a time
_PAGES = 20


async def everywhere(runner: Runner, events: Events, limit: int, now: datetime) -> Sequence[KernelEvent]:
    """Of all runs, oldest first."""
    ends = await events.head()
    since = {source: max(0, ends.get(source, 0) - limit) for source in TOLD}
    return _newest(await _rows(runner, "", since, limit, now), limit)


async def of_run(runner: Runner, run_id: str, limit: int, now: datetime) -> Sequence[KernelEvent]:
    """Of one run, oldest first; nothing for a run that is not known."""
    seen: dict[tuple[str, int], KernelEvent] = {}
    marks = dict.fromkeys(TOLD, 0)
    for _ in range(_PAGES):
        rows = await _rows(runner, run_id, marks, _PAGE, now)
        fresh = {(row.source, row.id): row for row in rows if (row.source, row.id) not in seen}
        if not fresh:
            break
        seen |= fresh
        marks = {source: max((id_ for of, id_ in seen if of == source), default=0) for source in TOLD}
    return _newest(seen.values(), limit)


async def noted(runner: Runner, run_id: str, now: datetime) -> Sequence[KernelEvent]:
    """What was noted about decisions, of one run or of all: the log has no mark for these, so its oldest."""
    away: dict[str, Any] = {f"since_{source}": NEVER for source in (*TOLD, "dispatch", "coordination")}
    tail = command("events.tail", *((run_id,) if run_id else ()), limit=_PAGE * SOURCES, **away)
    result = await runner.ask(tail if run_id else flagged(tail, "all"))
    rows = (event_of(data, now) for data in objects(result.out))
    return [row for row in rows if row is not None and row.source == "interspect"]


async def _rows(
    runner: Runner, run_id: str, marks: Mapping[str, int], share: int, now: datetime
) -> Sequence[KernelEvent]:
    """What happened to agents and locks is kept away: it would hide what people ask for."""
    since: dict[str, Any] = {f"since_{source}": mark for source, mark in marks.items() if mark}
    about = (run_id,) if run_id else ()
    tail = command(
        "events.tail", *about, limit=share * SOURCES, since_dispatch=NEVER, since_coordination=NEVER, **since
    )
    result = await runner.ask(tail if run_id else flagged(tail, "all"))
    rows = (event_of(data, now) for data in objects(result.out))
    return [row for row in rows if row is not None and row.source in TOLD]


def _newest(rows: Iterable[KernelEvent], limit: int) -> Sequence[KernelEvent]:
    return sorted(rows, key=lambda row: (row.timestamp, row.source, row.id))[-limit:]
