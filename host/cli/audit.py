"""`intercom audit`: read the record, and check that nobody changed it."""

import json

import click

from host.cli.running import Station, as_json, at_station


@click.group()
def audit() -> None:
    """Read and verify the audit log."""


@audit.command()
@as_json
def verify(as_json: bool) -> None:
    """Recompute the chain over all rows. Exit code 1 when a row was changed, removed or cut off."""
    at_station(lambda here: _verify(here, as_json))


@audit.command()
@click.option("-n", "--lines", default=20, show_default=True, type=click.IntRange(1, 10_000))
@as_json
def tail(lines: int, as_json: bool) -> None:
    """Show the newest rows."""
    at_station(lambda here: _tail(here, lines, as_json))


async def _verify(here: Station, as_json: bool) -> None:
    verdict = await here.audit.verify()
    if as_json:
        click.echo(
            json.dumps(
                {
                    "ok": verdict.ok,
                    "entries": verdict.entries,
                    "broken_at": verdict.broken_at,
                    "words": verdict.words,
                }
            )
        )
    else:
        click.echo(verdict.words)
    if not verdict.ok:
        raise SystemExit(1)


async def _tail(here: Station, lines: int, as_json: bool) -> None:
    for entry in await here.audit.tail(lines):
        if as_json:
            click.echo(
                json.dumps(
                    {
                        "seq": entry.seq,
                        "at": entry.at.isoformat(),
                        "actor": entry.actor,
                        "action": entry.action,
                        "detail": entry.detail,
                    }
                )
            )
        else:
            detail = " ".join(f"{key}={value!r}" for key, value in entry.detail.items())
            at = entry.at.astimezone().strftime("%Y-%m-%d %H:%M:%S")
            click.echo(f"{entry.seq:>6}  {at}  {entry.actor:<16}  {entry.action:<20}  {detail}")
