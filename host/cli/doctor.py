"""`intercom doctor`: a checklist, with the command that mends each line."""

import asyncio
import json
from dataclasses import asdict

import click

from host.cli.running import as_json, read_settings


@click.command()
@as_json
def doctor(as_json: bool) -> None:
    """Check everything the host needs. Exit code 1 when something is not well."""
    from host.checkups import checkups
    from host.doctor import Doctor
    from storage.clock import SystemClock

    settings = read_settings()

    async def examine() -> bool:
        well = True
        async with checkups(settings) as more:
            async for finding in Doctor(settings=settings, clock=SystemClock(), more=more).examine():
                well = well and finding.ok
                if as_json:
                    click.echo(json.dumps(asdict(finding)))
                    continue
                click.echo(f"{'✓' if finding.ok else '✗'} {finding.name:<10} {finding.words}")
                if not finding.ok and finding.mend:
                    click.echo(f"  → {finding.mend}")
        return well

    if not asyncio.run(examine()):
        raise SystemExit(1)
