"""What runs leave behind: artifacts with their content, and the verdicts of reviews."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from asyncpg.protocol import Record

from demarch.embedded import runs
from demarch.embedded.ledger import Change, Reads
from demarch.errors import InvalidCall, NotFound, NotPossible
from demarch.files import read_beneath, text_of_file
from demarch.names import first_free
from demarch.phrases import one_line
from storage import sql

VERDICTS = ("clean", "needs-changes", "error")

_SQL = sql.load("demarch", "artifacts")
_LENGTHS = (8,) * 8


@dataclass(frozen=True, slots=True, kw_only=True)
class NewVerdict:
    """What a reviewer says about a run."""

    reviewer: str
    verdict: str
    summary: str = ""
    findings: int = 0


async def add(
    change: Change, run_id: str, *, phase: str | None, path: str, type_: str, content: str | None
) -> Record:
    row = await runs.lock(change, run_id)
    phase = phase or row["phase"]
    if phase not in row["phases"]:
        raise InvalidCall(
            f"{one_line(phase, 64)} is no phase of this run; it has {', '.join(row['phases'])}."
        )
    digest = None if content is None else "sha256:" + hashlib.sha256(content.encode()).hexdigest()

    async def insert(artifact_id: str) -> Record | None:
        return await change.conn.fetchrow(
            _SQL["artifacts.insert"], artifact_id, row["id"], phase, path, type_, content, digest, change.now,
            change.actor,
        )  # fmt: skip

    return await first_free(_LENGTHS, change.letters, insert)


async def listed(db: Reads, run_id: str, phase: str = "", limit: int = 100) -> Sequence[dict[str, Any]]:
    rows = await db.fetch(_SQL["artifacts.of_run"], (await runs.get(db, run_id))["id"], phase, limit)
    return [artifact_data(row) for row in rows]


async def read(db: Reads, artifact_id: str, project: Path | None) -> tuple[dict[str, Any], str]:
    """An artifact and its text: stored with it, or in a file of the project folder."""
    row = await db.fetchrow(_SQL["artifacts.get"], artifact_id)
    if row is None:
        raise NotFound(f"There is no artifact {one_line(artifact_id, 60)}.")
    if row["content"] is not None:
        return artifact_data(row), row["content"]
    if project is None:
        where = one_line(row["path"], 120)
        raise NotPossible(f"The artifact {row['id']} is the file “{where}”, and no project folder is set.")
    content = await asyncio.to_thread(read_beneath, project, row["path"])
    return artifact_data(row), text_of_file(content)


async def add_verdict(change: Change, run_id: str, new: NewVerdict) -> Record:
    if new.verdict not in VERDICTS:
        raise InvalidCall(f"A verdict is one of {', '.join(VERDICTS)}.")
    row = await runs.lock_active(change, run_id)

    async def insert(verdict_id: str) -> Record | None:
        return await change.conn.fetchrow(
            _SQL["artifacts.verdict"], verdict_id, row["id"], row["phase"], new.reviewer, new.verdict,
            new.summary, new.findings, change.now,
        )  # fmt: skip

    return await first_free(_LENGTHS, change.letters, insert)


async def verdicts(db: Reads, run_id: str | None, limit: int = 10) -> Sequence[Record]:
    """The latest verdicts, of one run or of all, newest first."""
    scope = "" if run_id is None else (await runs.get(db, run_id))["id"]
    return await db.fetch(_SQL["artifacts.verdicts"], scope, limit)


def artifact_data(row: Record) -> dict[str, Any]:
    data = {name: row[name] for name in ("id", "run_id", "phase", "path", "type", "status")}
    if row["content_hash"]:
        data["content_hash"] = row["content_hash"]
    return data | {"created_at": int(row["created_at"].timestamp())}


def verdict_data(row: Record) -> dict[str, Any]:
    data = {
        name: row[name] for name in ("id", "run_id", "phase", "reviewer", "verdict", "summary", "findings")
    }
    return data | {"created_at": int(row["created_at"].timestamp())}
