"""A dump of the whole database before its schema is upgraded, with the newest few kept."""

import asyncio
from pathlib import Path
from urllib.parse import unquote, urlsplit, urlunsplit

import structlog

from storage import programs
from storage.clock import Clock
from storage.errors import ServerFailed

log = structlog.get_logger()

KEPT = 5


async def dump(url: str, folder: Path, clock: Clock, *, kept: int = KEPT) -> Path:
    """Write `FOLDER/<time>.dump` (custom format, mode 0600) and remove all but the newest few.

    Raises ServerFailed when there is no complete dump; a half-written one is never left under that name.
    """
    path = folder / f"{clock.now():%Y%m%dT%H%M%S.%fZ}.dump"
    partial = path.with_suffix(".partial")
    await asyncio.to_thread(_prepare, partial)
    address, environment = _without_password(url)
    try:
        await programs.run(
            "pg_dump", "--format=custom", f"--file={partial}", f"--dbname={address}", environment=environment
        )
    except programs.ProgramFailed as error:
        await asyncio.to_thread(partial.unlink, missing_ok=True)
        raise ServerFailed(f"the database could not be backed up, so nothing was changed: {error}") from error
    await asyncio.to_thread(_finish, partial, path, kept)
    log.info("database.dumped", file=str(path))
    return path


def _prepare(partial: Path) -> None:
    partial.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for leftover in partial.parent.glob("*.partial"):
        leftover.unlink()
    partial.touch(mode=0o600)


def _finish(partial: Path, path: Path, kept: int) -> None:
    partial.replace(path)
    for old in sorted(path.parent.glob("*.dump"))[:-kept]:
        old.unlink()


def _without_password(url: str) -> tuple[str, dict[str, str]]:
    """The URL as it may show in the list of processes, and the password where only its owner sees it."""
    parts = urlsplit(url)
    if not parts.password:
        return url, {}
    user_and_password, _, host = parts.netloc.rpartition("@")
    user = user_and_password.partition(":")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@{host}")), {"PGPASSWORD": unquote(parts.password)}
