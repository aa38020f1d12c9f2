"""`intercom group`: register chats as groups, each with an agent of its own."""

import json
from typing import TYPE_CHECKING

import click

from host.cli.egress import egress
from host.cli.events import events
from host.cli.grants import budget, models
from host.cli.group_mounts import mount, unmount
from host.cli.group_project import project, project_words
from host.cli.running import Station, as_json, at_station

if TYPE_CHECKING:
    from host.people.registry import Group


@click.group()
def group() -> None:
    """Register chats as groups. `/chatid` in a chat tells its address."""


group.add_command(budget)
group.add_command(egress)
group.add_command(events)
group.add_command(models)
group.add_command(mount)
group.add_command(project)
group.add_command(unmount)


@group.command()
@click.argument("address")
@click.option("--folder", required=True, help="The group's name; one that exists gets one more chat.")
@click.option("--title", default="", help="What people read; default: the folder.")
@click.option("--main", is_flag=True, help="The operator's own group (there is one, with the page).")
@click.option("--no-trigger", is_flag=True, help="Answer every message, not only those that call the agent.")
@click.option("--writes", is_flag=True, help="Let the group's agent change things, not only read.")
@click.option("--runtime", help="Which agent; default as in the settings.")
@click.option("--project", metavar="DIR", help="The folder of its project; default: INTERCOM_PROJECT.")
def add(
    address: str,
    folder: str,
    title: str,
    main: bool,
    no_trigger: bool,
    writes: bool,
    runtime: str | None,
    project: str | None,
) -> None:
    """Register the chat ADDRESS (such as tg:-1001234567890)."""

    async def work(here: Station) -> None:
        import asyncio

        from host.people.projects import DEFAULT, ProjectRefused, project_key
        from host.settings import check_runtime

        if runtime is not None:
            check_runtime(here.settings, runtime, "--runtime")
        key = await asyncio.to_thread(project_key, here.settings, project or DEFAULT)
        if here.registry.group(folder) is not None:
            if project is not None:
                raise ProjectRefused(
                    f"{folder} is there already; to change its project: "
                    f"intercom group project {folder} {project}"
                )
            await here.roles.add_address(address, folder, actor=here.actor)
            click.echo(f"{address} is one more chat of {folder}.")
            if title or main or no_trigger or writes or runtime is not None:
                click.echo(
                    f"What {folder} is and may stays as it was: a further chat changes only who hears."
                )
            return
        await here.roles.add_group(
            address,
            folder,
            actor=here.actor,
            title=title or folder,
            main=main,
            trigger_required=not (no_trigger or main),
            writes=writes or main,
            runtime=runtime,
            project=key,
        )
        click.echo(f"{folder} is registered with {address}. Nobody has a role in it yet:")
        click.echo(f"  intercom role set {address} PERSON owner")

    at_station(work)


@group.command("list")
@as_json
def list_(as_json: bool) -> None:
    """Show all groups."""

    async def work(here: Station) -> None:
        groups = here.registry.groups()
        if as_json:
            click.echo(json.dumps([_row(group) for group in groups]))
            return
        for group in groups:
            click.echo(f"{group.folder:<20} {_words(group)}")
            for address in group.addresses:
                click.echo(f"  {address}")
            if group.project:
                click.echo(f"  works on {project_words(here, group)}")
            for extra in group.profile.mounts:
                click.echo(f"  sees {extra.source} as {extra.name}{', writable' if extra.writable else ''}")
        if not groups:
            click.echo("No groups yet. The main group is made when the host starts first.")

    at_station(work)


@group.command()
@click.argument("folder")
def remove(folder: str) -> None:
    """Unregister the group FOLDER, or one chat when it is an address. What was said stays stored."""

    async def work(here: Station) -> None:
        if ":" in folder:
            await here.roles.remove_address(folder, actor=here.actor)
        else:
            await here.roles.remove_group(folder, actor=here.actor)
        click.echo(f"{folder} is no longer registered.")

    at_station(work)


def _words(group: "Group") -> str:
    words = [group.runtime, "main group" if group.main else "", "may write" if group.writes else "reads only"]
    words.append("answers when called" if group.trigger_required else "answers everything")
    return ", ".join(word for word in words if word)


def _row(group: "Group") -> dict[str, object]:
    return {
        "folder": group.folder,
        "title": group.title,
        "main": group.main,
        "trigger_required": group.trigger_required,
        "writes": group.writes,
        "runtime": group.runtime,
        "project": group.project,
        "addresses": list(group.addresses),
        "mounts": [extra.model_dump() for extra in group.profile.mounts],
    }
