"""`intercom group project`: which project a group works on."""

from typing import TYPE_CHECKING

import click

from host.cli.running import Station, at_station

if TYPE_CHECKING:
    from host.people.registry import Group


@click.command()
@click.argument("folder")
@click.argument("project", metavar="[DIR|default]", required=False)
def project(folder: str, project: str | None) -> None:
    """Show or set the project that the group FOLDER works on, under the kernel CLI.

    DIR is INTERCOM_PROJECT or one of INTERCOM_PROJECTS. Open cards stay with the project they are about.
    """

    async def work(here: Station) -> None:
        import asyncio

        from host.people.projects import project_key
        from host.people.registry import NoSuchGroup

        group = here.registry.group(folder)
        if group is None:
            raise NoSuchGroup(f"There is no group “{folder}”; `intercom group list` shows all.")
        if project is not None:
            key = await asyncio.to_thread(project_key, here.settings, project)
            group = await here.roles.set_project(folder, key, actor=here.actor)
        click.echo(f"{folder} works on {project_words(here, group)}.")

    at_station(work)


def project_words(here: Station, group: "Group") -> str:
    """Which project a group has, and whether it may."""
    if here.settings.kernel == "embedded":
        lost = f" ({group.project} needs INTERCOM_KERNEL=cli)" if group.project else ""
        return f"the embedded kernel{lost}"
    allowed = [str(folder) for folder in here.settings.folders()]
    if not group.project:
        return f"{allowed[0]}, the default project"
    lost = "" if group.project in allowed else ", which is not allowed here any more (INTERCOM_PROJECTS)"
    return f"{group.project}{lost}"
