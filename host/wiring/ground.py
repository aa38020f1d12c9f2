"""The ground everything stands on: database, wake-ups, audit log, registry, outbox, metrics."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path

from host.data import bring_up, server
from host.install import install_id
from host.metrics import Metrics
from host.outgoing.outbox import Outbox
from host.people.registry import Registry
from host.people.roles import Roles
from host.record.audit import Audit
from host.settings import Settings
from host.terminal import Terminal
from storage.clock import Clock, SystemClock
from storage.database import Database
from storage.ids import NewId, new_ids
from storage.lease import exclusive
from storage.wakeups import Wakeups

LEASE = "host"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    settings: Settings
    terminal: Terminal
    install: str
    clock: Clock
    new_id: NewId
    zone: tzinfo
    metrics: Metrics
    url: str
    db: Database
    wakeups: Wakeups
    audit: Audit
    registry: Registry
    roles: Roles
    outbox: Outbox


@asynccontextmanager
async def open_ground(settings: Settings, terminal: Terminal) -> AsyncIterator[Ground]:
    """Start or reach PostgreSQL, be its only host, bring it to this version, make sure of the main group."""
    clock = SystemClock()
    new_id = new_ids(clock)
    await asyncio.to_thread(_make, settings.home)
    async with AsyncExitStack() as stack:
        with terminal.working("Starting the database"):
            url = await stack.enter_async_context(server(settings, exclusive=True))
            await stack.enter_async_context(exclusive(url, LEASE))
            db = await stack.enter_async_context(
                Database.open(url, size=settings.db_pool, application="intercom-host")
            )
        with terminal.working("Bringing the database to this version"):
            await bring_up(settings, url, db, clock, terminal.say)
        wakeups = await stack.enter_async_context(Wakeups.open(url))
        audit = await Audit.open(db, settings.home, clock)
        registry = Registry(db, clock, runtime=settings.agent.runtime)
        await registry.load()
        await registry.ensure_main(settings.owners)
        yield Ground(
            settings=settings,
            terminal=terminal,
            install=await asyncio.to_thread(install_id, settings.home, new_id()),
            clock=clock,
            new_id=new_id,
            zone=settings.zone(),
            metrics=Metrics(),
            url=url,
            db=db,
            wakeups=wakeups,
            audit=audit,
            registry=registry,
            roles=Roles(registry=registry, database=db, audit=audit),
            outbox=Outbox(db, clock, new_id),
        )


def _make(home: Path) -> None:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
