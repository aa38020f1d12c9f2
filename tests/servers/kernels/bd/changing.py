"""`bd update`, and how any change of an issue is written and told."""

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
        write(db, row, changes | _claimed(asked, row) | _noted(asked, row) | _about(asked, row))
        _relabel(asked, db, issue_id)
        db.execute("COMMIT")
        changed.append(issues.shown(db, issues.find(db, issue_id)))
    if not changed:
        return 1
    told(asked, changed, "Updated")
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


def write(db: Any, row: Any, changes: dict[str, Any]) -> None:
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


def told(asked: Asked, changed: list[dict[str, Any]], verb: str) -> None:
    if asked.json:
        asked.answer(changed)
        return
    for one in changed:
        shell.say(f"✓ {verb} issue: {one['id']} — {one['title']}")
