"""`intercom image`: the agents' images. The host builds what it needs at its first start."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import click

from host.cli.running import as_json, read_settings

if TYPE_CHECKING:
    from container.image_builder import ImageBuilder


@click.group()
def image() -> None:
    """Build, list and prune the agents' images."""


@image.command()
def build() -> None:
    """Build the image of this version unless it is there."""

    async def work(builder: "ImageBuilder") -> None:
        from host.terminal import Terminal

        with Terminal(sys.stdout).working("Building the agents' image") as progress:
            tag = await builder.build(progress)
        click.echo(tag)

    _run(work)


@image.command("list")
@as_json
def list_(as_json: bool) -> None:
    """Show the agents' images that exist here."""

    async def work(builder: "ImageBuilder") -> None:
        found = await builder.list()
        if as_json:
            rows = [
                {
                    "tag": each.tag,
                    "version": each.version,
                    "size": each.size,
                    "created": each.created.isoformat(),
                    "current": each.current,
                }
                for each in found
            ]
            click.echo(json.dumps(rows))
            return
        for each in found:
            mark = "in use by this version" if each.current else "of another version"
            click.echo(
                f"{each.tag:<32} {each.size / 1_000_000:>6.0f} MB  {each.created:%Y-%m-%d %H:%M}  {mark}"
            )
        if not found:
            click.echo("No image yet; `intercom image build` makes it.")

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
