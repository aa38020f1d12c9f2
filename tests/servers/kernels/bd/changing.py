"""`bd update`, `bd close`, `bd reopen` and `bd dep`."""

from __future__ import annotations

from tests.servers.kernels import notation, shell
from tests.servers.kernels.bd import database, issues
from tests.servers.kernels.bd.asked import Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

#: option -> column
_TEXTS = {
    "title": "title",
    "description": "description",
    "body": "description",
    "design": "design",
    "acceptance": "acceptance_criteria",
    "notes": "notes",
    "assignee": "assignee",
    "external-ref": "external_ref",
    "type": "issue_type",
}


def update(asked: Asked) -> int:
    db = database.connect()
    if not asked.loose:
        asked.refuse("at least one issue ID is required")
    changes = _changes(asked)
    touched = {
        "append-notes",
        "set-metadata",
        "unset-metadata",
        "add-label",
        "remove-label",
        "set-labels",
        "label",
        "labels",
        "parent",
    } & asked.values.keys()
    if not changes and not touched and not asked.flag("claim"):
        shell.say("No updates specified")
        return 0
    changed = []
    for issue_id in asked.loose:
        db.execute("BEGIN IMMEDIATE")
        row = issues.find(db, issue_id)
        if row is None:
            db.execute("ROLLBACK")
            shell.complain(f'Error resolving {issue_id}: no issue found matching "{issue_id}"')
            continue
        _write(db, row, changes | _claimed(asked, row) | _noted(asked, row) | _about(asked, row))
        _relabel(asked, db, issue_id)
        db.execute("COMMIT")
        changed.append(issues.shown(db, issues.find(db, issue_id)))
    if not changed:
        return 1
    _told(asked, changed, "Updated")
    return 0


def _changes(asked: Asked) -> dict[str, Any]:
    changes: dict[str, Any] = {column: asked.text(name) for name, column in _TEXTS.items() if asked.has(name)}
    if changes.get("title") == "":
        asked.refuse("title cannot be empty")
    if len(changes.get("title", "")) > issues.LONGEST_TITLE:
        asked.refuse(f"title must be {issues.LONGEST_TITLE} characters or less (got {len(changes['title'])})")
    if changes.get("issue_type", "task") not in issues.TYPES:
        asked.refuse(f"invalid issue type: {changes['issue_type']}")
    if asked.has("status"):
        if asked.text("status") not in issues.STATUSES:
            asked.refuse(issues.status_problem(asked.text("status")))
        changes["status"] = asked.text("status")
    if asked.has("priority"):
        level = issues.priority(asked.text("priority"))
        if level is None:
            asked.refuse(issues.priority_problem(asked.text("priority")))
        changes["priority"] = level
    return changes


def _claimed(asked: Asked, row: Any) -> dict[str, Any]:
    if not asked.flag("claim"):
        return {}
    if row["assignee"] not in {"", asked.actor}:
        asked.refuse(f"issue {row['id']} already claimed by {row['assignee']}")
    return {"assignee": asked.actor, "status": "in_progress"}


def _noted(asked: Asked, row: Any) -> dict[str, Any]:
    if not asked.has("append-notes"):
        return {}
    return {"notes": "\n".join(part for part in (row["notes"], asked.text("append-notes")) if part)}


def _about(asked: Asked, row: Any) -> dict[str, Any]:
    """Metadata: each option sets or takes away one field of it."""
    if not asked.has("set-metadata") and not asked.has("unset-metadata"):
        return {}
    metadata = notation.read(row["metadata"])
    for written in asked.values.get("set-metadata", ()):
        name, equals, value = written.partition("=")
        if not equals:
            problem = f'invalid --set-metadata: expected key=value, got "{written}"'
            asked.refuse(f"metadata edit failed for {row['id']}: {problem}")
        metadata[name] = _scalar(value)
    for name in asked.values.get("unset-metadata", ()):
        metadata.pop(name, None)
    return {"metadata": notation.written(metadata)}


def _scalar(text: str) -> Any:
    """What looks like a number, a truth or nothing becomes one; all else stays as written."""
    if text in {"true", "false", "null"}:
        return notation.read(text)
    try:
        number = notation.read(text)
    except ValueError:
        return text
    if isinstance(number, bool) or not isinstance(number, (int, float)):
        return text
    # It goes through a floating number and comes out whole where it can.
    number = float(number)
    return int(number) if number.is_integer() else number


def _write(db: Any, row: Any, changes: dict[str, Any]) -> None:
    now = shell.now()
    if changes.get("status") == "in_progress" and row["started_at"] is None:
        changes["started_at"] = now
    if "status" in changes:
        if changes["status"] == "closed":
            changes["closed_at"] = now
        elif row["status"] == "closed":
            changes |= {"closed_at": None, "close_reason": ""}
    if not changes:
        return
    changes["updated_at"] = now
    settings = ", ".join(f"{name} = ?" for name in changes)
    db.execute(f"UPDATE issues SET {settings} WHERE id = ?", (*changes.values(), row["id"]))  # noqa: S608
    if "status" in changes and (changes["status"] == "closed") != (row["status"] == "closed"):
        # Those that wait for it count as changed too.
        db.execute(
            "UPDATE issues SET updated_at = ? WHERE id IN (SELECT issue_id FROM dependencies WHERE"
            " depends_on_id = ?)",
            (now, row["id"]),
        )


def _relabel(asked: Asked, db: Any, issue_id: str) -> None:
    if asked.has("set-labels"):
        db.execute("DELETE FROM labels WHERE issue_id = ?", (issue_id,))
    for label in asked.csv("add-label", "set-labels", "label", "labels"):
        if label:
            db.execute("INSERT OR IGNORE INTO labels VALUES (?, ?)", (issue_id, label))
    for label in asked.csv("remove-label"):
        db.execute("DELETE FROM labels WHERE issue_id = ? AND label = ?", (issue_id, label))


def _told(asked: Asked, changed: list[dict[str, Any]], verb: str) -> None:
    if asked.json:
        asked.answer(changed)
        return
    for one in changed:
        shell.say(f"✓ {verb} issue: {one['id']} — {one['title']}")


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
        _write(db, issues.find(db, issue_id), {"status": "closed", "close_reason": reason})
        db.execute("COMMIT")
        closed.append(issues.shown(db, issues.find(db, issue_id)))
    if not closed:
        return 1
    freed = [issue_id for issue_id in waiting if not issues.held_by(db, issue_id)]
    if asked.flag("suggest-next") and freed and asked.json:
        unblocked = [issues.shown(db, issues.find(db, issue_id)) for issue_id in freed]
        asked.answer({"closed": closed, "unblocked": unblocked})
    else:
        _told(asked, closed, "Closed")
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
        _write(db, row, {"status": "open"})
        opened.append(issues.shown(db, issues.find(db, issue_id)))
    if not opened:
        return 1
    _told(asked, opened, "Reopened")
    return 0


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
