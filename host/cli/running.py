"""What every command does first: read the settings, set up the log, run its coroutine."""

import asyncio
import getpass
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from host.people.registry import Registry
    from host.people.roles import Roles
    from host.record.audit import Audit
    from host.settings import Settings
    from storage.clock import Clock
    from storage.database import Database


as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for a program.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Station:
    """What a command works with, whether or not the host runs."""

    settings: "Settings"
    url: str
    db: "Database"
    clock: "Clock"
    audit: "Audit"
    registry: "Registry"
    roles: "Roles"

    @property
    def actor(self) -> str:
        """Who stands at this terminal."""
        return f"terminal:{getpass.getuser()}"


def read_settings(*, quiet: bool = True) -> "Settings":
    """Settings, and the log set up by them. On a terminal, and for commands that only look, it stays calm."""
    from host.logging import configure
    from host.settings import load_settings

    settings = load_settings()
    calm = quiet or sys.stderr.isatty()
    configure(settings.log_level or ("warning" if calm else "info"), settings.secrets())
    return settings


@asynccontextmanager
async def station() -> AsyncIterator[Station]:
    """Open the database of the settings, beside a running host or alone."""
    from host.data import opened
    from host.people.registry import Registry
    from host.people.roles import Roles
    from host.record.audit import Audit
    from storage.clock import SystemClock

    settings = read_settings()
    clock = SystemClock()
    async with opened(settings) as data:
        audit = await Audit.open(data.db, settings.home, clock)
        registry = Registry(data.db, clock, runtime=settings.agent.runtime)
        await registry.load()
        yield Station(
            settings=settings,
            url=data.url,
            db=data.db,
            clock=clock,
            audit=audit,
            registry=registry,
            roles=Roles(registry=registry, database=data.db, audit=audit),
        )
        await audit.settle()


def at_station(work: Callable[[Station], Coroutine[Any, Any, None]]) -> None:
    """Run the coroutine function at a station."""

    async def there() -> None:
        async with station() as here:
            await work(here)

    asyncio.run(there())
