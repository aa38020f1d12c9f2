"""Bring every part's schema up to this program's version, once, however many processes start together.

A part keeps numbered files `0001_words.sql`, `0002_more_words.sql` without gaps. Each runs in a transaction
of its own and leaves a row in `storage.schema_version`. All of it happens under one advisory lock.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import structlog

from storage import sql
from storage.database import Connection, Database
from storage.errors import BrokenMigrations, SchemaTooNew

log = structlog.get_logger()

#: called with the version of each part before the first file of an upgrade runs
BeforeUpgrade = Callable[[Mapping[str, int]], Awaitable[object]]

_FILE = re.compile(r"(\d{4})_([a-z0-9]+(?:_[a-z0-9]+)*)\.sql")
_PART = re.compile(r"[a-z][a-z0-9_]{0,40}")
_LOCK_PATIENCE = 600.0
_SQL = sql.load("storage", "schema")


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the program with tables: its name is also its schema; the folder holds its migrations."""

    name: str
    folder: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One migration file."""

    part: str
    version: int
    name: str
    path: Path


async def migrate(
    db: Database, parts: Sequence[Part], *, before_upgrade: BeforeUpgrade | None = None
) -> None:
    """Apply what is missing, in the order of the parts; refuse before any change if anything is wrong."""
    steps = {part.name: steps_of(part) for part in parts}
    async with db.connection() as connection, _alone(connection):
        versions = await _versions(connection, steps)
        missing = [step for name, all_ in steps.items() for step in all_[versions[name] :]]
        if before_upgrade and any(versions[step.part] for step in missing):
            await before_upgrade(versions)
        for step in missing:
            await _apply(connection, step)


def steps_of(part: Part) -> Sequence[Step]:
    """The part's migrations in order; they must be numbered 1, 2, 3 and so on."""
    if not _PART.fullmatch(part.name):
        raise BrokenMigrations(f"{part.name!r} cannot be the name of a schema")
    steps = []
    for path in sorted(part.folder.glob("*.sql")):
        found = _FILE.fullmatch(path.name)
        if not found:
            raise BrokenMigrations(f"{path} is not named like 0001_words.sql")
        steps.append(Step(part=part.name, version=int(found[1]), name=found[2], path=path))
    if [step.version for step in steps] != list(range(1, len(steps) + 1)) or not steps:
        numbers = ", ".join(f"{step.version:04}" for step in steps) or "none"
        raise BrokenMigrations(
            f"the migrations in {part.folder} must be numbered without gaps; there are {numbers}"
        )
    return steps


@asynccontextmanager
async def _alone(connection: Connection) -> AsyncIterator[None]:
    await connection.execute(_SQL["schema.lock"], timeout=_LOCK_PATIENCE)
    try:
        yield
    finally:
        # A connection that broke has given up its locks already.
        if not connection.is_closed():
            await connection.execute(_SQL["schema.unlock"])


async def _versions(connection: Connection, steps: Mapping[str, Sequence[Step]]) -> Mapping[str, int]:
    """How far each part is, after checking that what was applied are the files we have."""
    await connection.execute(_SQL["schema.prepare"])
    versions = dict.fromkeys(steps, 0)
    for row in await connection.fetch(_SQL["schema.applied"]):
        known = steps.get(row["part"])
        if known is None:
            continue
        if row["version"] > len(known):
            raise SchemaTooNew(
                f"this database was last used by a newer Intercom ({row['part']} schema version "
                f"{row['version']}, this program knows {len(known)}); start that newer version, "
                "or restore a backup made before it"
            )
        step = known[row["version"] - 1]
        if step.name != row["name"]:
            raise BrokenMigrations(
                f"migration {row['version']:04} of {row['part']} was applied as {row['name']!r} "
                f"but the file is now named {step.name!r}; migrations that were published never change"
            )
        versions[row["part"]] = row["version"]
    return versions


async def _apply(connection: Connection, step: Step) -> None:
    text = step.path.read_text(encoding="utf-8")
    try:
        async with connection.transaction():
            if step.version == 1:
                await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{step.part}"')
            await connection.execute(text)
            await connection.execute(_SQL["schema.record"], step.part, step.version, step.name)
    except asyncpg.PostgresError as error:
        raise BrokenMigrations(f"migration {step.path.name} of {step.part} failed: {error}") from error
    log.info("schema.migrated", part=step.part, version=step.version, name=step.name)
