"""`intercom spend`: what models cost, by day, by group, by model and by conversation."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from host.cli.running import Station, as_json, at_station

if TYPE_CHECKING:
    from host.spending.reports import Spent


@click.command()
@click.option("--days", type=click.IntRange(1, 3660), default=7, show_default=True, help="Up to today.")
@click.option("--group", "folder", help="Of this group only.")
@as_json
def spend(days: int, folder: str | None, as_json: bool) -> None:
    """Show what models cost. What is under way counts as what is set aside for it."""

    async def work(here: Station) -> None:
        from host.spending.reports import Reports

        reports = Reports(here.db)
        since = here.clock.now().astimezone(here.settings.zone()).date() - timedelta(days=days - 1)
        found = {
            "by_day": await reports.by_day(since, folder),
            "by_model": await reports.by_model(since, folder),
            "by_session": await reports.by_session(since, folder),
        }
        if as_json:
            click.echo(json.dumps({name: [asdict(row) for row in rows] for name, rows in found.items()}))
            return
        if not found["by_day"]:
            click.echo(f"Nothing was spent on models since {since.isoformat()}.")
            return
        for title, rows in zip(("By day", "By model", "By conversation"), found.values(), strict=True):
            _print(title, rows)

    at_station(work)


def _print(title: str, rows: "Sequence[Spent]") -> None:
    from demarch.phrases import one_line, tokens
    from host.spending.money import usd

    click.echo(title)
    for row in rows:
        calls = f"{row.calls} request{'' if row.calls == 1 else 's'}"
        used = f"{tokens(row.input)} tokens in, {tokens(row.output)} out"
        click.echo(f"  {row.folder:<20} {one_line(row.what, 40):<40} {usd(row.cost):>12}  {calls}, {used}")
