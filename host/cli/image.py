"""`intercom image`: the agents' images. The host builds what it needs at its first start."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import click

from host.cli.running import as_json, read_settings, station

if TYPE_CHECKING:
    from container.image_builder import Image, ImageBuilder


@click.group()
def image() -> None:
    """Build, list and prune the agents' images."""


@image.command()
@click.argument("runtimes", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="The images of all runtimes.")
def build(runtimes: tuple[str, ...], all_: bool) -> None:
    """Build the images of RUNTIMES unless they are there.

    Without a name: of the local agent, of the default runtime, and of those that groups use.
    """

    async def work(builder: "ImageBuilder") -> None:
        from host.terminal import Terminal

        terminal = Terminal(sys.stdout)
        for runtime in await _wanted(builder, runtimes, all_):
            with terminal.working(f"Building the image of the runtime {runtime}") as progress:
                tag = await builder.ensure(runtime, progress)
            click.echo(tag)

    _run(work)


@image.command("list")
@as_json
def list_(as_json: bool) -> None:
    """Show the agents' images that exist here."""

    async def work(builder: "ImageBuilder") -> None:
        from storage.clock import SystemClock

        found = await builder.list()
        missing = [name for name, tag in builder.tags.items() if tag not in {each.tag for each in found}]
        if as_json:
            click.echo(json.dumps([_row(each) for each in found]))
            return
        for each in found:
            click.echo(_line(each, SystemClock().now()))
        if not found:
            click.echo("No image yet; `intercom image build` makes it.")
        elif missing:
            click.echo(f"Not built: {', '.join(missing)}. `intercom image build NAME` makes one.")

    _run(work)


@image.command()
def prune() -> None:
    """Remove the images of other versions that no container uses."""

    async def work(builder: "ImageBuilder") -> None:
        removed = await builder.prune()
        for tag in removed:
            click.echo(f"{tag} is removed.")
        if not removed:
            click.echo("Nothing to remove.")

    _run(work)


def _row(found: "Image") -> dict[str, Any]:
    return {
        "tag": found.tag,
        "runtime": found.runtime,
        "version": found.version,
        "size": found.size,
        "created": found.created.isoformat(),
        "current": found.current,
    }


def _line(found: "Image", now: datetime) -> str:
    mark = "in use by this version" if found.current else "of another version"
    age = _age(now - found.created)
    return f"{found.runtime:<8} {found.tag:<36} {found.size / 1_000_000:>6.0f} MB  {age:>8}  {mark}"


def _age(age: timedelta) -> str:
    """In the largest unit of which there is one."""
    for seconds, unit in ((86400, "days"), (3600, "hours"), (60, "min")):
        if age.total_seconds() >= seconds:
            return f"{age.total_seconds() // seconds:.0f} {unit}"
    return "now"


async def _wanted(builder: "ImageBuilder", named: tuple[str, ...], all_: bool) -> list[str]:
    known = builder.tags.keys()
    for name in named:
        if name not in known:
            raise click.UsageError(f"There is no image for {name}; there are {', '.join(known)}.")
    if all_:
        return list(known)
    if named:
        return list(dict.fromkeys(named))
    used = await _used()
    return [name for name in known if name in used]


async def _used() -> set[str]:
    """The runtimes of the local agent, of the settings, and of groups."""
    from container.runtimes import LOCAL

    async with station() as here:
        groups = {group.runtime for group in here.registry.groups()}
        return {LOCAL, here.settings.agent.runtime} | groups


def _run(work: "Callable[[ImageBuilder], Coroutine[Any, Any, None]]") -> None:
    async def there() -> None:
        async with _builder() as builder:
            await work(builder)

    asyncio.run(there())


@asynccontextmanager
async def _builder() -> "AsyncIterator[ImageBuilder]":
    from container.engine import Engine
    from host.wiring.agents import builder

    engine = Engine(read_settings().docker_host)
    try:
        yield builder(engine)
    finally:
        await engine.close()
