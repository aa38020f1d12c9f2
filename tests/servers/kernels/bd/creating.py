"""`bd create`."""

from __future__ import annotations

from tests.servers.kernels import shell
from tests.servers.kernels.bd import database, issues
from tests.servers.kernels.bd.asked import Asked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TYPES = frozenset(
    [
        "approved-by",
        "assigned-to",
        "attests",
        "authored-by",
        "blocked-by",
        "blocks",
        "caused-by",
        "conditional-blocks",
        "delegated-from",
        "depends-on",
        "discovered-from",
        "duplicates",
        "parent-child",
        "related",
        "relates-to",
        "replies-to",
        "supersedes",
        "tracks",
        "until",
        "validates",
        "waits-for",
    ]
)


def create(asked: Asked) -> int:
    db = database.connect()
    title = _title(asked)
    level = issues.priority(asked.text("priority", "2"))
    if level is None:
        asked.refuse(issues.priority_problem(asked.text("priority")), aside=True)
    kind = asked.text("type", "task")
    _validate(asked, title, kind)
    db.execute("BEGIN IMMEDIATE")
    new = _id(asked, db)
    now = shell.now()
    # An id that exists is written over, as the real one does.
    db.execute(
        "INSERT OR REPLACE INTO issues (id, title, description, design, acceptance_criteria, notes, priority,"
        " issue_type, assignee, owner, created_at, created_by, updated_at, external_ref)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            new,
            title,
            asked.text("description") or asked.text("body"),
            asked.text("design"),
            asked.text("acceptance"),
            asked.text("notes"),
            level,
            kind,
            asked.text("assignee"),
            "tester@example.org",
            now,
            asked.actor,
            now,
            asked.text("external-ref"),
        ),
    )
    _labels(asked, db, new)
    if asked.text("parent"):
        _row(db, new, asked.text("parent"), "parent-child", asked.actor)
    db.execute("COMMIT")
    # Refused here, the issue is there all the same.
    for way, other in _links(asked):
        _link(db, new, way, other, asked.actor)
    if asked.flag("silent"):
        shell.say(new)
    elif asked.json:
        told = issues.shown(db, issues.find(db, new), exactly=True)
        if asked.csv("labels", "label") and not asked.text("parent"):
            told["labels"] = asked.csv("labels", "label")  # in the order they were given
        asked.answer(told)
    else:
        shell.say(f"✓ Created issue: {new} — {title}")
    return 0


def _title(asked: Asked) -> str:
    if asked.text("title"):
        return asked.text("title")
    if not asked.loose:
        asked.refuse("title required (or use --file to create from markdown)", aside=True)
    title = asked.loose[0]
    if title.startswith("-"):
        shell.complain(
            f"Error: title \"{title}\" looks like a flag (starts with '-').\n"
            "  Run 'bd create --help' for available options.\n"
            f'  To use this title anyway, pass it explicitly: bd create --title="{title}"'
        )
        raise shell.Ended(1)
    return title


def _validate(asked: Asked, title: str, kind: str) -> None:
    problem = ""
    if not title:
        problem = "title is required"
    elif len(title) > issues.LONGEST_TITLE:
        problem = f"title must be {issues.LONGEST_TITLE} characters or less (got {len(title)})"
    elif kind not in issues.TYPES:
        problem = f"invalid issue type: {kind}"
    if problem:
        asked.refuse(f"validation failed for issue : {problem}", aside=True)


def _links(asked: Asked) -> list[tuple[str, str]]:
    links = []
    for written in asked.csv("deps"):
        way, colon, other = written.partition(":")
        way, other = (way, other) if colon else ("blocks", written)
        if way not in _TYPES:
            asked.refuse(f'unknown dependency type "{way}"; valid types: {", ".join(sorted(_TYPES))}')
        links.append((way, other))
    return links


def _id(asked: Asked, db: Any) -> str:
    parent, given = asked.text("parent"), asked.text("id")
    if parent:
        if issues.find(db, parent) is None:
            asked.refuse(f"parent issue {parent} not found", aside=True)
        query = "SELECT count(*) FROM dependencies WHERE depends_on_id = ? AND type = 'parent-child'"
        return f"{parent}.{db.execute(query, (parent,)).fetchone()[0] + 1}"
    prefix = database.prefix_of(db)
    if given and not given.startswith(f"{prefix}-") and not asked.flag("force"):
        asked.refuse(
            f"prefix mismatch: database uses '{prefix}-' but ID '{given}' doesn't match (use"
            f" --force to override)",
            aside=True,
        )
    return given or database.new_id(db)


def _labels(asked: Asked, db: Any, new: str) -> None:
    labels = asked.csv("labels", "label")
    if asked.text("parent"):
        query = "SELECT label FROM labels WHERE issue_id = ?"
        labels += [row[0] for row in db.execute(query, (asked.text("parent"),))]
    for label in labels:
        if label:
            db.execute("INSERT OR IGNORE INTO labels VALUES (?, ?)", (new, label))


def _link(db: Any, new: str, way: str, other: str, actor: str) -> None:
    if issues.find(db, other) is None:
        # A warning only; the issue is made.
        shell.complain(f"Warning: failed to add dependency {new} -> {other}: issue {other} not found")
        return
    if way == "blocks":
        # The new one blocks the other: it is the other that waits.
        _row(db, other, new, "blocks", actor)
    elif way in {"blocked-by", "depends-on"}:
        _row(db, new, other, "blocks", actor)
    else:
        _row(db, new, other, way, actor)


def _row(db: Any, issue_id: str, other: str, way: str, actor: str) -> None:
    db.execute(
        "INSERT OR REPLACE INTO dependencies VALUES (?, ?, ?, ?, ?)",
        (issue_id, other, way, shell.now(), actor),
    )
