"""`intercom group events`: which kinds of news a group takes."""

import click

from host.cli.running import Station, at_station

DEFAULT = "default"


@click.command()
@click.argument("folder")
@click.argument("topics", metavar="[TOPIC...|default]", nargs=-1)
def events(folder: str, topics: tuple[str, ...]) -> None:
    """Show or set the only TOPICs of news that the group FOLDER takes; `default` is all.

    A question nobody in FOLDER takes (gate, budget, done) is put to the main group.
    """

    async def work(here: Station) -> None:
        from host.news.topics import Topic, topic_named
        from host.people.registry import NoSuchGroup

        named = [topic_named(word) for word in topics if topics != (DEFAULT,)]
        if None in named:
            raise click.BadParameter(f"A topic is one of {', '.join(topic.value for topic in Topic)}.")
        group = here.registry.group(folder)
        if group is None:
            raise NoSuchGroup(f"There is no group “{folder}”; `intercom group list` shows all.")
        if topics:
            chosen = tuple(dict.fromkeys(topic.value for topic in named if topic))
            profile = group.profile.model_copy(update={"events": chosen})
            group = await here.roles.set_profile(folder, profile, actor=here.actor)
        click.echo(f"{folder} takes news of {', '.join(group.profile.events) or 'every topic'}.")

    at_station(work)
