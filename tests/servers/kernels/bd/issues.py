"""Issues as the tracker shows them, and what it takes for one."""

from __future__ import annotations

import math
from datetime import UTC, datetime

from tests.servers.kernels import notation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

STATUSES = ("open", "in_progress", "blocked", "deferred", "closed", "pinned", "hooked")
TYPES = frozenset(
    [
        "bug",
        "feature",
        "task",
        "epic",
        "chore",
        "decision",
        "spike",
        "story",
        "milestone",
        "message",
        "molecule",
        "gate",
        "event",
    ]
)
LONGEST_TITLE = 500
#: types of dependencies that keep an issue from being ready
BLOCKING = ("blocks", "conditional-blocks", "waits-for")

_TEXTS = ("description", "design", "acceptance_criteria", "notes")


def when(seconds: float) -> str:
    """As it comes out of the database: rounded to whole seconds."""
    return datetime.fromtimestamp(math.floor(seconds + 0.5), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def when_exactly(seconds: float) -> str:
    fraction = f"{seconds % 1:.9f}"[1:].rstrip("0")
    return (
        datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%S") + f"{fraction.rstrip('.')}Z"
    )


def shown(db: Any, row: Any, *, exactly: bool = False) -> dict[str, Any]:
    """The fields in their order; empty ones are left out."""
    time = when_exactly if exactly else when
    told: dict[str, Any] = {"id": row["id"], "title": row["title"]}
    told |= {name: row[name] for name in _TEXTS if row[name]}
    told |= {"status": row["status"], "priority": row["priority"], "issue_type": row["issue_type"]}
    if row["assignee"]:
        told["assignee"] = row["assignee"]
    told |= {"owner": row["owner"], "created_at": time(row["created_at"]), "created_by": row["created_by"]}
    told["updated_at"] = time(row["updated_at"])
    for name in ("started_at", "closed_at"):
        if row[name] is not None:
            told[name] = when(row[name])
    for name in ("close_reason", "external_ref"):
        if row[name]:
            told[name] = row[name]
    if row["metadata"] != "{}":
        told["metadata"] = notation.Raw(row["metadata"])
    labels = [
        label[0]
        for label in db.execute("SELECT label FROM labels WHERE issue_id = ? ORDER BY 1", (row["id"],))
    ]
    if labels:
        told["labels"] = labels
    return told


def find(db: Any, issue_id: str) -> Any:
    return db.execute("SELECT * FROM issues WHERE id = ?", (issue_id,)).fetchone()


def parent_of(db: Any, issue_id: str) -> str:
    query = "SELECT depends_on_id FROM dependencies WHERE issue_id = ? AND type = 'parent-child'"
    row = db.execute(query, (issue_id,)).fetchone()
    return str(row[0]) if row else ""


def counts(db: Any, issue_id: str) -> tuple[int, int]:
    """How many it waits for, and how many wait for it; only what blocks counts in lists."""
    marks = ", ".join("?" for _ in BLOCKING)
    query = f"SELECT count(*) FROM dependencies WHERE {{}} = ? AND type IN ({marks})"  # noqa: S608
    return tuple(  # type: ignore[return-value]
        int(db.execute(query.format(column), (issue_id, *BLOCKING)).fetchone()[0])
        for column in ("issue_id", "depends_on_id")
    )


def blockers(db: Any, issue_id: str) -> Sequence[str]:
    """Open issues it waits for."""
    marks = ", ".join("?" for _ in BLOCKING)
    query = (
        "SELECT other.id FROM dependencies JOIN issues AS other ON other.id = depends_on_id"  # noqa: S608
        f" WHERE issue_id = ? AND dependencies.type IN ({marks}) AND other.status <> 'closed' ORDER BY 1"
    )
    return [row[0] for row in db.execute(query, (issue_id, *BLOCKING))]


def held_by(db: Any, issue_id: str) -> Sequence[str]:
    """What keeps it from being ready: open issues it waits for, or a parent that waits itself."""
    own = list(blockers(db, issue_id))
    parent = parent_of(db, issue_id)
    return own + ([parent] if parent and held_by(db, parent) else [])


def priority(text: str) -> int | None:
    number = text.removeprefix("P").removeprefix("p")
    return int(number) if number in {"0", "1", "2", "3", "4"} else None


def priority_problem(text: str) -> str:
    return f'invalid priority "{text}" (expected 0-4 or P0-P4, not words like high/medium/low)'


def status_problem(text: str) -> str:
    return (
        f'invalid status "{text}" (built-in: {", ".join(STATUSES)}; or configure custom statuses via'
        " 'bd config set status.custom')"
    )
