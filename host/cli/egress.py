"""`intercom group egress`: which hosts the agents of a group may reach. Nothing unless it is allowed here."""

import click

from host.cli.running import Station, at_station


@click.command()
@click.argument("folder")
@click.option("--allow", metavar="HOST", multiple=True, help="Let its agents reach HOST on port 443.")
@click.option("--deny", metavar="HOST", multiple=True, help="Do not let them any more.")
@click.option(
    "--provider-tools/--no-provider-tools",
    default=None,
    help="Let them use search, fetch and files on their model provider's side.",
)
def egress(folder: str, allow: tuple[str, ...], deny: tuple[str, ...], provider_tools: bool | None) -> None:
    """Show or change what agents of the group FOLDER may reach beyond their model.

    HOST is an exact name such as api.example.com: other names below it are other hosts.
    """

    async def work(here: Station) -> None:
        from container.egress.names import BadHost
        from host.egress.hosts import changed
        from host.people.registry import NoSuchGroup

        group = here.registry.group(folder)
        if group is None:
            raise NoSuchGroup(f"There is no group “{folder}”; `intercom group list` shows all.")
        try:
            profile = changed(group.profile, allow=allow, deny=deny)
        except BadHost as error:
            raise click.BadParameter(str(error)) from error
        if provider_tools is not None:
            profile = profile.model_copy(update={"provider_tools": provider_tools})
        if profile != group.profile:
            await here.roles.set_profile(folder, profile, actor=here.actor)
        named = ", ".join(profile.hosts)
        click.echo(f"Agents of {folder} may reach {named or 'no host'}.")
        if profile.provider_tools:
            click.echo("They may use search, fetch and files on their model provider's side.")

    at_station(work)
