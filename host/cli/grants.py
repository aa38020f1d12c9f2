"""`intercom group budget` and `group models`: what an owner lets a group spend, and on which models."""

import re
from typing import TYPE_CHECKING

import click

from host.cli.running import Station, at_station

if TYPE_CHECKING:
    from host.people.registry import Group

DEFAULT = "default"
_MODEL = re.compile(r"[A-Za-z0-9][\w.:/@-]{0,199}", re.ASCII)


@click.command()
@click.argument("folder")
@click.argument("amount", metavar="[USD|default]", required=False)
def budget(folder: str, amount: str | None) -> None:
    """Show or set what the group FOLDER may spend on models a day.

    USD is an amount such as 2.50; 0 lets it spend nothing, `default` what the settings say.
    """
    from host.spending.money import parse_usd, usd

    limit = None if amount in (None, DEFAULT) else parse_usd(amount or "")
    if limit is None and amount not in (None, DEFAULT):
        raise click.BadParameter(f"{amount!r} is no amount; write it like 2.50, or `default`.")

    async def work(here: Station) -> None:
        group = _group(here, folder)
        if amount is not None:
            profile = group.profile.model_copy(update={"spend_limit": limit})
            group = await here.roles.set_profile(folder, profile, actor=here.actor)
        own = group.profile.spend_limit
        if own is None:
            default = f"${here.settings.spend.daily_usd:,.2f}"
            click.echo(f"{folder} may spend {default} on models a day, as the settings say.")
        elif own == 0:
            click.echo(f"{folder} may not spend anything on models.")
        else:
            click.echo(f"{folder} may spend {usd(own)} on models a day.")

    at_station(work)


@click.command()
@click.argument("folder")
@click.argument("models", metavar="[MODEL...|default]", nargs=-1)
def models(folder: str, models: tuple[str, ...]) -> None:
    """Show or set the only MODELs that agents of the group FOLDER may ask.

    `default` lets them ask all that their agent program's catalogue has.
    """
    allowed = () if models == (DEFAULT,) else tuple(dict.fromkeys(models))
    for model in allowed:
        if not _MODEL.fullmatch(model) or model == DEFAULT:
            raise click.BadParameter(f"{model!r} is no model's id.")

    async def work(here: Station) -> None:
        group = _group(here, folder)
        if models:
            profile = group.profile.model_copy(update={"models": allowed})
            group = await here.roles.set_profile(folder, profile, actor=here.actor)
        named = ", ".join(group.profile.models)
        click.echo(f"{folder} may ask {named or 'every model in the catalogue of its agent program'}.")

    at_station(work)


def _group(here: Station, folder: str) -> "Group":
    from host.people.registry import NoSuchGroup

    group = here.registry.group(folder)
    if group is None:
        raise NoSuchGroup(f"There is no group “{folder}”; `intercom group list` shows all.")
    return group
