"""What waits for what between issues, without circles."""

from typing import Any

from demarch.embedded.ledger import Change
from demarch.errors import InvalidCall, NotFound
from demarch.phrases import one_line
from storage import sql

KINDS = ("blocks", "parent-child", "discovered-from", "related", "duplicates", "supersedes")
_ORDERING = ("blocks", "parent-child")
_SQL = sql.load("demarch", "issues")


async def add(change: Change, issue_id: str, depends_on_id: str, kind: str) -> dict[str, Any]:
    """The first depends on the second: waits for it (blocks), is its child (parent-child), is related."""
    issue_id, depends_on_id = issue_id.lower(), depends_on_id.lower()
    _check(issue_id, depends_on_id, kind)
    if kind in _ORDERING:
        await change.conn.execute(_SQL["issues.one_at_a_time"])
    status = await _both(change, issue_id, depends_on_id)
    if kind in _ORDERING and await change.conn.fetchval(_SQL["issues.leads_back"], issue_id, depends_on_id):
        raise InvalidCall(f"{depends_on_id} already waits for {issue_id}; that would be a circle.")
    added = await change.conn.fetchval(
        _SQL["issues.depend"], issue_id, depends_on_id, kind, change.now, change.actor
    )
    if added and kind == "blocks" and status[depends_on_id] != "closed":
        await change.conn.execute(_SQL["issues.unblock"], [issue_id], 1)
    if added and kind == "parent-child":
        await change.conn.execute(_SQL["issues.parent"], issue_id)
    return {"issue_id": issue_id, "depends_on_id": depends_on_id, "type": kind, "added": bool(added)}


async def remove(change: Change, issue_id: str, depends_on_id: str) -> dict[str, Any]:
    """Every kind of dependency between the two."""
    issue_id, depends_on_id = issue_id.lower(), depends_on_id.lower()
    status = await _both(change, issue_id, depends_on_id)
    removed = await change.conn.fetch(_SQL["issues.undepend"], issue_id, depends_on_id)
    kinds = [row["type"] for row in removed]
    if not kinds:
        raise NotFound(f"{issue_id} does not depend on {depends_on_id}.")
    if "blocks" in kinds and status[depends_on_id] != "closed":
        await change.conn.execute(_SQL["issues.unblock"], [issue_id], -1)
    await change.conn.execute(_SQL["issues.parent"], issue_id)
    return {"issue_id": issue_id, "depends_on_id": depends_on_id, "removed": kinds}


def _check(issue_id: str, depends_on_id: str, kind: str) -> None:
    if kind not in KINDS:
        raise InvalidCall(f"There is no dependency “{one_line(kind, 40)}”; there are {', '.join(KINDS)}.")
    if issue_id == depends_on_id:
        raise InvalidCall("An issue cannot depend on itself.")


async def _both(change: Change, *ids: str) -> dict[str, str]:
    rows = await change.conn.fetch(_SQL["issues.lock"], list(ids))
    status = {row["id"]: row["status"] for row in rows}
    for issue_id in ids:
        if issue_id not in status:
            raise NotFound(f"There is no issue {one_line(issue_id, 60)}.")
    return status
