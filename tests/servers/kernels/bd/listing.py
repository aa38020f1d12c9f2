"""`bd show`, `bd list`, `bd search`, `bd ready` and `bd blocked`."""

from __future__ import annotations

from datetime import UTC, datetime

from tests.servers.kernels import shell
from tests.servers.kernels.bd import database, issues
from tests.servers.kernels.bd.asked import Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_SORTS = ("priority", "created", "updated", "closed", "status", "id", "title", "type", "assignee")
_ORDERS = {
    "priority": "priority, round(created_at) DESC, id",
    "created": "round(created_at) DESC, id",
    "updated": "round(updated_at) DESC, id",
    "closed": "closed_at DESC, id",
    "type": "issue_type, id",
    "oldest": "round(created_at), id",
}


def show(asked: Asked) -> int:
    db = database.connect()
    wanted = asked.loose + asked.csv("id")
    if not wanted:
        asked.refuse("at least one issue ID is required (use positional args, --id flag, or --current)")
    found = []
    for issue_id in wanted:
        row = issues.find(db, issue_id)
        if row is None:
            shell.complain(f'Error fetching {issue_id}: no issue found matching "{issue_id}"')
        else:
            found.append(_in_full(db, row))
    if not found:
        asked.refuse("no issues found matching the provided IDs")
    if asked.json:
        asked.answer(found)
    else:
        for one in found:
            shell.say(f"{one['id']}: {one['title']}\nStatus: {one['status']}")
    return 0


def _in_full(db: Any, row: Any) -> dict[str, Any]:
    """Here dependencies are whole issues; in lists they are edges."""
    told = issues.shown(db, row)
    edges = db.execute(
        "SELECT * FROM dependencies WHERE issue_id = ? ORDER BY created_at", (row["id"],)
    ).fetchall()
    if edges:
        told["dependencies"] = [
            issues.shown(db, other) | {"dependency_type": edge["type"]}
            for edge in edges
            if (other := issues.find(db, edge["depends_on_id"])) is not None
        ]
    parent = issues.parent_of(db, row["id"])
    if parent:
        told["parent"] = parent
    back = db.execute("SELECT count(*) FROM dependencies WHERE depends_on_id = ?", (row["id"],)).fetchone()[0]
    return told | {"dependent_count": back, "dependency_count": len(edges), "comment_count": 0}


def _in_short(db: Any, row: Any) -> dict[str, Any]:
    told = issues.shown(db, row)
    edges = db.execute(
        "SELECT * FROM dependencies WHERE issue_id = ? ORDER BY created_at", (row["id"],)
    ).fetchall()
    if edges:
        told["dependencies"] = [
            {
                "issue_id": edge["issue_id"],
                "depends_on_id": edge["depends_on_id"],
                "type": edge["type"],
                "created_at": issues.when(edge["created_at"]),
                "created_by": edge["created_by"],
                "metadata": "{}",
            }
            for edge in edges
        ]
    waits_for, wanted_by = issues.counts(db, row["id"])
    told |= {"dependency_count": waits_for, "dependent_count": wanted_by, "comment_count": 0}
    parent = issues.parent_of(db, row["id"])
    return told | ({"parent": parent} if parent else {})


def _limit(asked: Asked, default: int) -> int:
    text = asked.text("limit", str(default))
    if not text.lstrip("-").isdigit():
        problem = f'strconv.ParseInt: parsing "{text}": invalid syntax'
        shell.complain(f'Error: invalid argument "{text}" for "-n, --limit" flag: {problem}')
        raise shell.Ended(1)
    return int(text)


def listed(asked: Asked) -> int:
    return _found(asked, [], [])


def search(asked: Asked) -> int:
    query = " ".join(asked.loose) or asked.text("query")
    if not query and not asked.has("external-contains"):
        shell.say("Search issues across title and ID (excludes closed issues by default).")
        asked.refuse("search query is required", aside=True)
    like = f"%{query.replace('%', '')}%"
    return _found(asked, ["(title LIKE ? OR id LIKE ? OR external_ref LIKE ?)"], [like, like, like])


def _found(asked: Asked, where: list[str], arguments: list[Any]) -> int:
    _by_status(asked, where, arguments)
    where.append("issue_type NOT IN ('message', 'gate')")
    _by_fields(asked, where, arguments)
    sort = asked.text("sort", "priority")
    if sort not in _SORTS:
        asked.refuse(f'invalid sort field "{sort}" (valid: {", ".join(_SORTS)})', aside=True)
    order = _ORDERS.get(sort, f"{sort}, id")
    query = f"SELECT * FROM issues WHERE {' AND '.join(where)} ORDER BY {order}"  # noqa: S608 - names of ours
    db = database.connect()
    found = db.execute(query, arguments).fetchall()
    limit = _limit(asked, 50)
    if 0 < limit < len(found):
        found = found[:limit]
        shell.complain(
            f"\nShowing {limit} issues; more results matched but were hidden by --limit."
            " Use --limit 0 for all, or --limit N to raise the cap."
        )
    _tell(asked, db, found)
    return 0


def _by_status(asked: Asked, where: list[str], arguments: list[Any]) -> None:
    statuses = asked.csv("status")
    strange = next((status for status in statuses if status not in {*issues.STATUSES, "all"}), None)
    if strange is not None:
        asked.refuse(f'invalid status "{strange}" (valid: {", ".join(issues.STATUSES)})', aside=True)
    if statuses and "all" not in statuses:
        where.append(f"status IN ({', '.join('?' for _ in statuses)})")
        arguments += statuses
    elif not statuses and not asked.flag("all"):
        where.append("status NOT IN ('closed', 'pinned')")


def _by_fields(asked: Asked, where: list[str], arguments: list[Any]) -> None:
    parts = {"title-contains": "title", "desc-contains": "description", "external-contains": "external_ref"}
    for name, column in parts.items():
        if asked.text(name):
            where.append(f"{column} LIKE ?")
            arguments.append(f"%{asked.text(name)}%")
    for name, column in {"type": "issue_type", "assignee": "assignee"}.items():
        if asked.text(name):
            where.append(f"{column} = ?")
            arguments.append(asked.text(name))
    if asked.text("priority"):
        where.append("priority = ?")
        arguments.append(issues.priority(asked.text("priority")))
    if asked.text("updated-after"):
        where.append("updated_at > ?")
        arguments.append(_moment(asked, "updated-after"))
    for label in asked.csv("label"):
        where.append("EXISTS (SELECT 1 FROM labels WHERE issue_id = issues.id AND label = ?)")
        arguments.append(label)


def _moment(asked: Asked, name: str) -> float:
    """A day or a time with its zone; the real one takes more."""
    try:
        when = datetime.fromisoformat(asked.text(name))
    except ValueError:
        examples = "(examples: +6h, tomorrow, 2025-01-15)"
        problem = f'parsing --{name}: cannot parse time expression: "{asked.text(name)}" {examples}'
        asked.refuse(problem, aside=True)
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def _tell(asked: Asked, db: Any, found: Sequence[Any]) -> None:
    if asked.json:
        asked.answer([_in_short(db, row) for row in found])
        return
    for row in found:
        shell.say(f"{row['id']} [P{row['priority']}] [{row['issue_type']}] {row['status']} - {row['title']}")


def ready(asked: Asked) -> int:
    db = database.connect()
    sort = asked.text("sort", "priority")
    if sort not in {"priority", "hybrid", "oldest"}:
        asked.refuse(f"invalid sort policy '{sort}'. Valid values: hybrid, priority, oldest", aside=True)
    order = _ORDERS["oldest" if sort == "oldest" else "priority"]
    query = (
        "SELECT * FROM issues WHERE status = 'open'"  # noqa: S608 - names of ours
        f" AND issue_type NOT IN ('message', 'molecule', 'gate') ORDER BY {order}"
    )
    found = [row for row in db.execute(query).fetchall() if not issues.held_by(db, row["id"])]
    limit = _limit(asked, 100)
    if 0 < limit < len(found):
        shell.complain(
            f"Showing {limit} of {len(found)} ready issues. Use --limit 0 for all, or --limit N to"
            f" raise the cap."
        )
        found = found[:limit]
    _tell(asked, db, found)
    return 0


def blocked(asked: Asked) -> int:
    db = database.connect()
    query = f"SELECT * FROM issues WHERE status <> 'closed' ORDER BY {_ORDERS['priority']}"  # noqa: S608
    told = []
    for row in db.execute(query).fetchall():
        waits_for = issues.held_by(db, row["id"])
        if waits_for:
            told.append(
                issues.shown(db, row) | {"blocked_by_count": len(waits_for), "blocked_by": list(waits_for)}
            )
    asked.answer(told)
    return 0
