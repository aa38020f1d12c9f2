"""`bd dep`: which issue waits for which, without circles."""

from __future__ import annotations

from tests.servers.kernels import shell
from tests.servers.kernels.bd import database, issues
from tests.servers.kernels.bd.asked import Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def dep(asked: Asked) -> int:
    """`dep add A B`: A waits for B."""
    if asked.loose[:1] not in (["add"], ["remove"]) or len(asked.loose) != 3:
        asked.refuse("usage: bd dep add|remove <issue-id> <depends-on-id>", aside=True)
    db = database.connect()
    act, issue_id, other = asked.loose
    for found, words in ((issue_id, "issue ID"), (other, "dependency ID")):
        if issues.find(db, found) is None:
            asked.refuse(
                f'resolving {words} {found}: resolving issue ID {found}: no issue found matching "{found}"'
            )
    if act == "remove":
        db.execute("DELETE FROM dependencies WHERE issue_id = ? AND depends_on_id = ?", (issue_id, other))
    else:
        way = asked.text("type", "blocks")
        if way == "blocks" and (issue_id == other or _reaches(db, other, issue_id)):
            asked.refuse("adding dependency would create a cycle")
        db.execute(
            "INSERT OR REPLACE INTO dependencies VALUES (?, ?, ?, ?, ?)",
            (issue_id, other, way, shell.now(), asked.actor),
        )
        db.execute("UPDATE issues SET updated_at = ? WHERE id = ?", (shell.now(), issue_id))
    status = "added" if act == "add" else "removed"
    asked.answer(
        {"depends_on_id": other, "issue_id": issue_id, "status": status, "type": asked.text("type", "blocks")}
    )
    return 0


def _reaches(db: Any, start: str, goal: str) -> bool:
    query = (
        "WITH RECURSIVE path(id) AS (SELECT ? UNION SELECT depends_on_id FROM dependencies"
        " JOIN path ON issue_id = path.id WHERE type IN ('blocks', 'conditional-blocks', 'waits-for'))"
        " SELECT 1 FROM path WHERE id = ?"
    )
    return db.execute(query, (start, goal)).fetchone() is not None
