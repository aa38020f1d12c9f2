"""The coordination service alone, on the database of the settings, until it is told to stop."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import click
import structlog

from host.cli.up import stop_on
from host.coordination import rules
from host.data import bring_up, server
from host.settings import Settings
from host.starting import StartRefused
from intermute import keys
from intermute.keys import BadKeys, Keyring
from intermute.service import Given, Service
from storage.background import background
from storage.clock import SystemClock
from storage.database import Database
from storage.ids import new_ids
from storage.wakeups import Wakeups

log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where it listens."""

    host: str
    port: int
    socket: Path | None


async def served(settings: Settings, place: Place, keys_file: Path | None) -> None:
    """Serve until SIGINT or SIGTERM. Raises what keeps it from starting, in words."""
    stop = stop_on(signal.SIGINT, signal.SIGTERM)
    again = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, again.set)
    keyring = await _keyring((keys_file or rules.keys_file(settings)).absolute())
    async with _opened(settings, keyring) as service, background(_read_again(service, again)):
        try:
            async with service.serve(host=place.host, port=place.port, socket=place.socket) as listening:
                click.echo(f"intermute listens on {listening.url}")
                await stop.wait()
        except OSError as error:
            where = place.socket if error.filename else f"{place.host}:{place.port}"
            # a name that stands for no address has a number of its own, below zero
            number = error.errno or 0
            reason = os.strerror(number) if number > 0 else error.strerror or str(error)
            raise StartRefused(f"intermute cannot listen on {where}: {reason}") from error


@asynccontextmanager
async def _opened(settings: Settings, keyring: Keyring) -> AsyncIterator[Service]:
    """The service with everything it does by itself."""
    clock, given = SystemClock(), settings.intermute
    async with (
        server(settings, exclusive=False, watched=True) as url,
        Database.open(url, size=given.db_pool) as db,
        Wakeups.open(url) as wakeups,
    ):
        await bring_up(settings, url, db, clock, click.echo)
        whole = Given(
            db=db,
            wakeups=wakeups,
            clock=clock,
            new_id=new_ids(clock),
            keyring=keyring,
            limits=rules.limits_of(given),
            retention=rules.retention_of(given),
            live=rules.live_of(given),
        )
        async with Service.open(whole) as service, background(service.run()):
            yield service


async def _keyring(path: Path) -> Keyring:
    """The keys in the file, which is made where there is none."""
    try:
        if await asyncio.to_thread(keys.make, path):
            click.echo(f"A key for the project {keys.FIRST_PROJECT} is in the new file {path}")
        return await Keyring.read(path)
    except BadKeys as error:
        raise BadKeys(f"The keys in {path} cannot be used. {error}") from error
    except OSError as error:
        raise BadKeys(f"The keys file {path} cannot be used: {error.strerror or error}.") from error


async def _read_again(service: Service, wanted: asyncio.Event) -> None:
    """Read the keys again whenever it is wanted; a file that is wrong changes nothing."""
    while True:
        await wanted.wait()
        wanted.clear()
        try:
            await service.reload_keys()
        except (BadKeys, OSError) as error:
            log.warning("keys.not_read", reason=str(error), words="the keys read before stay in force")
