"""`bd close` and `bd reopen`."""

from __future__ import annotations

from tests.servers.kernels import shell
from tests.servers.kernels.bd import changing, database, issues
from tests.servers.kernels.bd.asked import Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def close(asked: Asked) -> int:
    db = database.connect()
    # Without an id the one that was touched last is closed.
    wanted = asked.loose or [
        row[0] for row in db.execute("SELECT id FROM issues ORDER BY updated_at DESC LIMIT 1")
    ]
    for issue_id in wanted:
        if issues.find(db, issue_id) is None:
            asked.refuse(f'resolving ID {issue_id}: no issue found matching "{issue_id}"')
    closed = []
    waiting = _dependents(db, wanted)
    for issue_id in wanted:
        problem = "" if asked.flag("force") else _why_not(db, issue_id)
        if problem:
            shell.complain(problem)
            continue
        reason = asked.text("reason") or asked.text("message") or "Closed"
        db.execute("BEGIN IMMEDIATE")
        # One that is closed is closed again, with the new reason.
        changing.write(db, issues.find(db, issue_id), {"status": "closed", "close_reason": reason})
        db.execute("COMMIT")
        closed.append(issues.shown(db, issues.find(db, issue_id)))
    if not closed:
        return 1
    freed = [issue_id for issue_id in waiting if not issues.held_by(db, issue_id)]
    if asked.flag("suggest-next") and freed and asked.json:
        unblocked = [issues.shown(db, issues.find(db, issue_id)) for issue_id in freed]
        asked.answer({"closed": closed, "unblocked": unblocked})
    else:
        changing.told(asked, closed, "Closed")
    return 0


def _dependents(db: Any, closing: list[str]) -> list[str]:
    """Open issues that wait for one of these."""
    marks = ", ".join("?" for _ in closing)
    query = (
        "SELECT DISTINCT issue_id FROM dependencies JOIN issues ON issues.id = issue_id"  # noqa: S608
        f" WHERE type = 'blocks' AND depends_on_id IN ({marks}) AND status = 'open' ORDER BY 1"
    )
    return [row[0] for row in db.execute(query, closing)]


def _why_not(db: Any, issue_id: str) -> str:
    waits_for = issues.blockers(db, issue_id)
    if waits_for:
        return (
            f"cannot close {issue_id}: blocked by open issues [{' '.join(waits_for)}] (use"
            f" --force to override)"
        )
    if issues.find(db, issue_id)["issue_type"] != "epic":
        return ""
    query = (
        "SELECT count(*) FROM dependencies JOIN issues AS child ON child.id = issue_id"
        " WHERE depends_on_id = ? AND dependencies.type = 'parent-child' AND child.status <> 'closed'"
    )
    count = db.execute(query, (issue_id,)).fetchone()[0]
    if not count:
        return ""
    return (
        f"cannot close epic {issue_id}: {count} open child issue(s); close children first or"
        f" use --force to override"
    )


def reopen(asked: Asked) -> int:
    db = database.connect()
    if not asked.loose:
        asked.refuse("requires at least 1 arg(s), only received 0", aside=True)
    opened = []
    for issue_id in asked.loose:
        row = issues.find(db, issue_id)
        if row is None:
            shell.complain(f'Error resolving {issue_id}: no issue found matching "{issue_id}"')
            continue
        changing.write(db, row, {"status": "open"})
        opened.append(issues.shown(db, issues.find(db, issue_id)))
    if not opened:
        return 1
    changing.told(asked, opened, "Reopened")
    return 0
