"""The host's database: the embedded one or an external one, opened and brought to this version."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import demarch
import host
import intermute
from host.settings import Settings
from storage.backup import dump
from storage.clock import Clock, SystemClock
from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.migrations import Part, migrate

PARTS = (
    Part("host", Path(host.__file__).parent / "migrations"),
    Part("kernel", Path(demarch.__file__).parent / "migrations"),
    Part("intermute", Path(intermute.__file__).parent / "migrations"),
)

BACKUPS = "backups"


@dataclass(frozen=True, slots=True, kw_only=True)
class Data:
    url: str
    db: Database


@asynccontextmanager
async def server(settings: Settings, *, exclusive: bool, watched: bool = False) -> AsyncIterator[str]:
    """The URL of the database. `exclusive` is for the host; a command beside it passes False.

    `watched` starts an embedded server again that died, as the host does.
    """
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    async with EmbeddedServer.running(settings.home, exclusive, watched=watched) as url:
        yield url


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Data]:
    """For a command: a small pool, whether or not the host runs."""
    async with server(settings, exclusive=False) as url, Database.open(url, size=2) as db:
        await bring_up(settings, url, db, SystemClock())
        yield Data(url=url, db=db)


async def bring_up(
    settings: Settings, url: str, db: Database, clock: Clock, tell: Callable[[str], None] = lambda _: None
) -> None:
    """Bring every part's schema to this version; what an upgrade finds is dumped before."""

    async def dump_it(_versions: Mapping[str, int]) -> None:
        tell("Backing the database up before its upgrade.")
        path = await dump(url, settings.home / BACKUPS, clock)
        tell(f"The backup is {path}; upgrading now.")

    await migrate(db, PARTS, before_upgrade=dump_it)
