"""`intercom link`: a fresh one-time link to the page."""

import click

from host.cli.running import Station, at_station


@click.command()
def link() -> None:
    """Print a fresh link to the page. It works once, within 24 hours; whoever opens it is the owner."""
    at_station(_link)


async def _link(here: Station) -> None:
    from host.page.doorkeeper import Doors
    from host.page.page_link import page_link, page_url

    doors = Doors(db=here.db, audit=here.audit, clock=here.clock, session_age=here.settings.web.session_age)
    click.echo(page_link(page_url(here.settings), await doors.link_token()))
