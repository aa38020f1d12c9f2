"""`intercom role`: who may do what in a group. Membership of a chat gives no right."""

import json
from typing import TYPE_CHECKING

import click

from host.cli.running import Station, as_json, at_station

if TYPE_CHECKING:
    from host.people.registry import Role

ROLES = ("owner", "approver", "member", "viewer")


@click.group()
def role() -> None:
    """Say who may do what in a group.

    An owner changes everything, an approver decides cards, a member talks to the agent, a viewer reads.
    """


@role.command("set")
@click.argument("address")
@click.argument("person")
@click.argument("name", metavar="ROLE", type=click.Choice(ROLES))
def set_(address: str, person: str, name: str) -> None:
    """Give PERSON (such as tg:1000) a ROLE in the group of ADDRESS (or the group's folder)."""

    async def work(here: Station) -> None:
        from host.people.registry import Role

        folder = folder_of(here, address)
        await here.roles.set_role(folder, person, Role(name), actor=here.actor)
        click.echo(f"{person} is {name} in {folder}.")

    at_station(work)


@role.command()
@click.argument("address")
@click.argument("person")
def drop(address: str, person: str) -> None:
    """Take PERSON's role in the group of ADDRESS away."""

    async def work(here: Station) -> None:
        folder = folder_of(here, address)
        await here.roles.set_role(folder, person, None, actor=here.actor)
        click.echo(f"{person} has no role in {folder} any more.")

    at_station(work)


@role.command("list")
@as_json
def list_(as_json: bool) -> None:
    """Show everybody's roles."""

    async def work(here: Station) -> None:
        rows = [
            {"folder": group.folder, "person": person, "name": name, "role": str(kind)}
            for group in here.registry.groups()
            for kind in _kinds()
            for person, name in here.registry.people_with(group.folder, kind)
        ]
        if as_json:
            click.echo(json.dumps(rows))
            return
        for row in rows:
            click.echo(f"{row['folder']:<20} {row['role']:<9} {row['person']:<20} {row['name']}")

    at_station(work)


def folder_of(here: Station, address: str) -> str:
    """The folder of an address, or the folder itself. Raises NoSuchGroup."""
    from host.people.registry import NoSuchGroup

    group = here.registry.group_of(address) if ":" in address else here.registry.group(address)
    if group is None:
        raise NoSuchGroup(f"No group has {address}; `intercom group list` shows all.")
    return group.folder


def _kinds() -> tuple["Role", ...]:
    from host.people.registry import Role

    return tuple(Role)
