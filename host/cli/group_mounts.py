"""`intercom group mount|unmount`: let a group's agents see one more folder of this machine."""

from pathlib import Path

import click

from host.cli.running import Station, at_station


@click.command()
@click.argument("folder")
@click.argument("source", type=click.Path(path_type=Path))
@click.option("--name", default="", help="What it is called inside; default: its last part.")
@click.option("--write", is_flag=True, help="Let agents write there, if the allow-list does.")
def mount(folder: str, source: Path, name: str, write: bool) -> None:
    """Show the folder SOURCE to the agents of the group FOLDER, at /workspace/extra/NAME."""

    place = source.expanduser().absolute()

    async def work(here: Station) -> None:
        import asyncio

        from container.planning import EXTRA_FOLDER
        from host.mounts.admission import mount_name
        from host.mounts.allowlist import MountRefused
        from host.people.profiles import ExtraMount
        from host.people.registry import NoSuchGroup
        from host.wiring.mounting import admission

        group = here.registry.group(folder)
        if group is None:
            raise NoSuchGroup(f"There is no group “{folder}”; `intercom group list` shows all.")
        wanted = ExtraMount(source=str(place), name=name or place.name, writable=write)
        if any(mount_name(each) == mount_name(wanted) for each in group.profile.mounts):
            raise MountRefused(f"{folder} has a mount called {wanted.name} already; choose another --name.")
        checks = admission(here.settings, here.registry)
        admitted = await asyncio.to_thread(checks.admit, group, wanted, EXTRA_FOLDER)
        profile = group.profile.model_copy(update={"mounts": (*group.profile.mounts, wanted)})
        await here.roles.set_profile(folder, profile, actor=here.actor)
        how = "read and write" if admitted.writable else "read"
        click.echo(f"Agents of {folder} may {how} {admitted.source} as {admitted.target}.")
        if write and not admitted.writable:
            click.echo(
                "Writing is not allowed there: see allowReadWrite and nonMainReadOnly in the allow-list; "
                "nowhere in a project in which the host runs ic and bd."
            )

    at_station(work)


@click.command()
@click.argument("folder")
@click.argument("name")
def unmount(folder: str, name: str) -> None:
    """Take the extra folder called NAME away from the group FOLDER."""

    async def work(here: Station) -> None:
        from host.mounts.allowlist import MountRefused
        from host.people.registry import NoSuchGroup

        group = here.registry.group(folder)
        if group is None:
            raise NoSuchGroup(f"There is no group “{folder}”; `intercom group list` shows all.")
        kept = tuple(each for each in group.profile.mounts if (each.name or Path(each.source).name) != name)
        if len(kept) == len(group.profile.mounts):
            names = ", ".join(each.name or Path(each.source).name for each in group.profile.mounts)
            raise MountRefused(f"{folder} has no mount called {name}; it has {names or 'none'}.")
        profile = group.profile.model_copy(update={"mounts": kept})
        await here.roles.set_profile(folder, profile, actor=here.actor)
        click.echo(f"Agents of {folder} do not see {name} any more.")

    at_station(work)
