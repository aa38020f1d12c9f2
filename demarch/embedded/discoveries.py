"""Discoveries: findings that were registered, found again by their words, promoted or dismissed."""

from collections.abc import Sequence
from typing import Any

from asyncpg.protocol import Record

from demarch import parameters as takes
from demarch.embedded import issues
from demarch.embedded.ledger import Change, Reads
from demarch.errors import Conflict, NotFound
from demarch.kernel import Discovery
from demarch.names import first_free
from demarch.phrases import one_line, quoted
from storage import sql

_SQL = sql.load("demarch", "discoveries")
_LENGTHS = (12,) * 4
_TIERS = ((0.8, "high"), (0.5, "medium"), (0.3, "low"))


async def submit(
    change: Change, params: takes.RegisterFinding, *, source_id: str | None = None
) -> tuple[Record, bool]:
    """The discovery and whether it is new: one source tells the same thing once."""

    async def insert(discovery_id: str) -> Record | None:
        if source_id is not None and (known := await _by_source(change, params.source, source_id)):
            return known
        return await change.conn.fetchrow(
            _SQL["discoveries.insert"], discovery_id, params.source, source_id or discovery_id, params.title,
            params.summary, params.url, params.score, None, change.now, change.actor,
        )  # fmt: skip

    row = await first_free(_LENGTHS, change.letters, insert)
    new = bool(row["discovered_at"] == change.now)
    event = "discovery.submitted" if new else "discovery.deduped"
    change.tell(event, row["id"], source="discovery", to_state=row["status"], reason=row["title"])
    return row, new


async def _by_source(change: Change, source: str, source_id: str) -> Record | None:
    return await change.conn.fetchrow(_SQL["discoveries.by_source"], source, source_id)


async def promote(change: Change, discovery_id: str, bead_id: str | None, priority: int = 2) -> Record:
    """Make an issue of it, or attach it to one that exists."""
    row = await _undecided(change, discovery_id)
    if bead_id is None:
        body = "\n\n".join(part for part in (row["summary"], row["url"]) if part)
        issue = await issues.create(
            change, takes.CreateIssue(title=row["title"], description=body, priority=priority)
        )
        bead_id = str(issue["id"])
    else:
        bead_id = (await issues.lock(change, bead_id))["id"]
    after = await change.one(_SQL["discoveries.promote"], row["id"], bead_id, change.now)
    _tell(change, row, after, "discovery.promoted")
    return after


async def dismiss(change: Change, discovery_id: str) -> Record:
    row = await _undecided(change, discovery_id)
    after = await change.one(_SQL["discoveries.dismiss"], row["id"], change.now)
    _tell(change, row, after, "discovery.dismissed")
    return after


def _tell(change: Change, before: Record, after: Record, event: str) -> None:
    change.tell(
        event, before["id"], source="discovery", from_state=before["status"], to_state=after["status"],
        reason=before["title"],
    )  # fmt: skip


async def _undecided(change: Change, discovery_id: str) -> Record:
    row = await change.conn.fetchrow(_SQL["discoveries.lock"], discovery_id)
    if row is None:
        raise NotFound(f"There is no discovery {one_line(discovery_id, 60)}.")
    if row["status"] in {"promoted", "dismissed"}:
        raise Conflict(f"{quoted(row['title'])} was {row['status']} already.", now=row["status"])
    return row


async def listed(db: Reads, status: str, source: str, limit: int) -> Sequence[dict[str, Any]]:
    return [discovery_data(row) for row in await db.fetch(_SQL["discoveries.list"], status, source, limit)]


async def search(db: Reads, query: str, limit: int) -> Sequence[dict[str, Any]]:
    """Ranked by words; parts of words when that finds nothing."""
    rows: list[Record] = []
    if words := issues.search_words(query):
        rows = await db.fetch(_SQL["discoveries.search"], words, limit)
    if not rows:
        rows = await db.fetch(_SQL["discoveries.search_inside"], issues.inside(query), limit)
    return [discovery_data(row) for row in rows]


async def get(db: Reads, discovery_id: str) -> Record:
    row = await db.fetchrow(_SQL["discoveries.get"], discovery_id.lower())
    if row is None:
        raise NotFound(f"There is no discovery {one_line(discovery_id, 60)}.")
    return row


async def best(db: Reads, status: str, limit: int) -> Sequence[Record]:
    """The most relevant first."""
    return await db.fetch(_SQL["discoveries.best"], status, limit)


def discovery_of(row: Record) -> Discovery:
    return Discovery(
        id=row["id"],
        source=row["source"],
        title=row["title"],
        summary=row["summary"],
        url=row["url"],
        score=row["relevance_score"],
        status=row["status"],
        issue_id=row["bead_id"] or "",
        discovered_at=row["discovered_at"],
    )


def discovery_data(row: Record) -> dict[str, Any]:
    """What `ic discovery list` prints."""
    names = ("id", "source", "source_id", "title", "summary", "url", "relevance_score", "status", "bead_id")
    data = {name: row[name] for name in names if row[name] not in (None, "")}
    score = row["relevance_score"]
    data["confidence_tier"] = next((tier for least, tier in _TIERS if score >= least), "discard")
    for name in ("discovered_at", "promoted_at", "reviewed_at"):
        if row[name] is not None:
            data[name] = int(row[name].timestamp())
    return data
