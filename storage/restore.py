"""Load a dump into a data folder that has no database yet: `python -m storage.restore FOLDER FILE`."""

import argparse
import asyncio
import sys
from pathlib import Path

import structlog

from storage import programs, sql
from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.errors import ServerFailed, StorageError

log = structlog.get_logger()

_SQL = sql.load("storage", "schema")


async def restore(folder: Path, file: Path) -> None:
    """Load the dump, all of it or nothing. Raises ServerFailed if the folder's database holds anything."""
    async with EmbeddedServer.running(folder, exclusive=True) as url:
        async with Database.open(url, size=1) as database:
            if await database.fetchval(_SQL["schema.exists"]):
                raise ServerFailed(
                    f"{folder} holds a database already; move {folder / 'postgres'} away first"
                )
        dump = await asyncio.to_thread(file.absolute)
        await programs.run("pg_restore", "--single-transaction", "--no-owner", f"--dbname={url}", str(dump))
    log.info("database.restored", folder=str(folder), file=str(file))


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m storage.restore", description="Load a dump.")
    parser.add_argument("folder", type=Path, help="the data folder (INTERCOM_HOME)")
    parser.add_argument("file", type=Path, help="the dump, made by pg_dump -Fc")
    arguments = parser.parse_args()
    try:
        asyncio.run(restore(arguments.folder, arguments.file))
    except StorageError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
