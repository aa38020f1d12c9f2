"""Issues: filed, changed, closed, found, and which of them are ready."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from asyncpg.protocol import Record

from demarch import parameters as takes
from demarch.embedded.ledger import Change, Reads
from demarch.errors import Conflict, NotFound
from demarch.names import first_free
from demarch.phrases import ago, one_line
from storage import sql

Issue = dict[str, Any]  #: in the shape `bd` prints

PREFIX = "iv-"

_SQL = sql.load("demarch", "issues")
_LENGTHS = (4, 4, 5, 5, 6, 7, 8)
_WORD = re.compile(r"\w+")


async def create(
    change: Change, params: takes.CreateIssue, *, assignee: str = "", external_ref: str | None = None
) -> Issue:
    async def insert(letters: str) -> Record | None:
        return await change.conn.fetchrow(
            _SQL["issues.insert"], PREFIX + letters, params.title, params.description, params.priority,
            params.issue_type, list(params.labels), assignee, external_ref, change.now, change.actor,
        )  # fmt: skip

    return issue_data(await first_free(_LENGTHS, change.letters, insert))


async def update(
    change: Change,
    params: takes.UpdateIssue,
    *,
    labels: Sequence[str] | None = None,
    assignee: str | None = None,
) -> tuple[Issue, Sequence[Issue]]:
    """Change an issue; also the issues that this made ready."""
    before = await lock(change, params.id)
    return await _store(change, before, params, "", labels, assignee)


async def close(change: Change, params: takes.CloseIssue) -> tuple[Issue, Sequence[Issue]]:
    before = await lock(change, params.id)
    if before["status"] == "closed":
        when = ago(change.now, before["closed_at"])
        raise Conflict(f"{one_line(before['title'], 120)} is closed already ({when}).", now="closed")
    return await _store(
        change, before, takes.UpdateIssue(id=params.id, status="closed"), params.reason, None, None
    )


async def _store(
    change: Change,
    before: Record,
    params: takes.UpdateIssue,
    close_reason: str,
    labels: Sequence[str] | None,
    assignee: str | None,
) -> tuple[Issue, Sequence[Issue]]:
    row = await change.one(
        _SQL["issues.update"], before["id"], params.status, params.priority, params.title, params.description,
        params.notes, None if labels is None else list(labels), assignee, change.now, close_reason,
    )  # fmt: skip
    was_open, is_open = before["status"] != "closed", row["status"] != "closed"
    freed: Sequence[Issue] = ()
    if was_open != is_open and row["waited_for"]:
        freed = await _unblock(change, before["id"], 1 if is_open else -1)
    return issue_data(row), freed


async def _unblock(change: Change, issue_id: str, step: int) -> Sequence[Issue]:
    """Keep the counters of those that wait for this issue; which of them nothing blocks any more."""
    waiting = [row["id"] for row in await change.conn.fetch(_SQL["issues.dependents"], issue_id)]
    rows = await change.conn.fetch(_SQL["issues.unblock"], waiting, step)
    return [dict(row) for row in rows if row["blockers"] == 0 and row["status"] == "open" and step < 0]


async def lock(change: Change, issue_id: str) -> Record:
    row = await change.conn.fetchrow(_SQL["issues.lock_one"], issue_id.lower())
    if row is None:
        raise _missing(issue_id)
    return row


async def show(db: Reads, issue_id: str) -> Issue:
    row = await db.fetchrow(_SQL["issues.get"], issue_id.lower())
    if row is None:
        raise _missing(issue_id)
    waits_for = await db.fetch(_SQL["issues.dependencies"], row["id"])
    edges = [
        {"issue_id": row["id"], "depends_on_id": edge["depends_on_id"], "type": edge["type"],
         "title": edge["title"], "status": edge["status"]}
        for edge in waits_for
    ]  # fmt: skip
    return issue_data(row) | {"dependencies": edges}


async def listed(db: Reads, status: str, limit: int) -> Sequence[Issue]:
    """By priority and age; closed ones only if asked for."""
    if status in {"", "all"}:
        rows = await db.fetch(_SQL["issues.list_all" if status else "issues.list"], limit)
    else:
        rows = await db.fetch(_SQL["issues.list_status"], limit, status)
    return [issue_data(row) for row in rows]


async def changed(db: Reads, since: datetime, limit: int) -> Sequence[Issue]:
    """What was filed, changed or closed since then, the newest first."""
    return [issue_data(row) for row in await db.fetch(_SQL["issues.changed"], since, limit)]


async def search(db: Reads, query: str, status: str, limit: int) -> Sequence[Issue]:
    """Whole words and their beginnings first; parts of words when that finds nothing."""
    rows: list[Record] = []
    if words := search_words(query):
        rows = await db.fetch(_SQL["issues.search"], words, query, status, limit)
    if not rows:
        rows = await db.fetch(_SQL["issues.search_inside"], inside(query), status, limit)
    return [issue_data(row) for row in rows]


def search_words(query: str) -> str:
    """A text query that finds all of the words, each also as a beginning; no operator of the caller's."""
    return " & ".join(f"'{word}':*" for word in _WORD.findall(query.lower()))


def inside(query: str) -> str:
    """A LIKE pattern for the text as it is."""
    escaped = query.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


async def ready(db: Reads, limit: int, now: datetime) -> Sequence[Issue]:
    """What can be worked on, by priority and then age, each with the reason why it stands there."""
    rows = await db.fetch(_SQL["issues.ready"], limit, now)
    counted = await db.fetch(_SQL["issues.waiting_for"], [row["id"] for row in rows]) if rows else []
    waiting = {row["id"]: row["waiting"] for row in counted}
    return [issue_data(row) | {"reason": _why(row, waiting.get(row["id"], 0), now)} for row in rows]


async def doors(db: Reads) -> Mapping[str, int]:
    """How much is in progress and how much is blocked, for when nothing is ready."""
    row = await db.fetchrow(_SQL["issues.counts"])
    return dict(row) if row else {}


def _why(row: Record, waiting: int, now: datetime) -> str:
    reasons = [f"priority {row['priority']}", f"filed {ago(now, row['created_at'])}", "nothing blocks it"]
    if waiting:
        reasons.append(f"{waiting} {'waits' if waiting == 1 else 'wait'} for it")
    return ", ".join(reasons)


def issue_data(row: Record) -> Issue:
    data: Issue = {
        name: row[name]
        for name in ("id", "title", "description", "notes", "status", "priority", "issue_type", "assignee",
                     "created_by", "close_reason", "external_ref")
        if row[name] not in (None, "")
    }  # fmt: skip
    for name in ("created_at", "updated_at", "started_at", "closed_at", "defer_until"):
        if row[name] is not None:
            data[name] = row[name].isoformat(timespec="seconds")
    return data | {
        "labels": list(row["labels"]),
        "blocked": row["blockers"] > 0 and row["status"] != "closed",
    }


def _missing(issue_id: str) -> NotFound:
    return NotFound(f"There is no issue {one_line(issue_id, 60)}.")
