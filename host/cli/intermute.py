"""`intercom intermute`: the coordination service alone, keys of its projects, pokes, and what is kept."""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from host.cli.running import as_json, read_settings

#: exit code when a second signal did not wait
FORCED = 130
LONGEST_NAME = 200  #: characters of a project
_DAYS = click.IntRange(0, 36_500)


@click.group()
def intermute() -> None:
    """The coordination service: agents, messages, reservations, work.

    It runs inside `intercom up`, or by `serve` alone; both ways on the same database they are one service.
    """


@intermute.command()
@click.option("--host", help="The address to listen on; beyond this machine every caller needs a key.")
@click.option("--port", type=click.IntRange(0, 65535), help="The port; 0 takes any free one.")
@click.option("--socket", type=click.Path(path_type=Path), help="A Unix socket besides.")
@click.option("--keys-file", type=click.Path(path_type=Path), help="The keys of projects.")
def serve(host: str | None, port: int | None, socket: Path | None, keys_file: Path | None) -> None:
    """Serve in the foreground. SIGTERM ends it in order, SIGHUP reads the keys again.

    What is not given is as set by INTERCOM_INTERMUTE__HOST, __PORT, __SOCKET and __KEYS_FILE.
    """
    from host.cli.intermute_serving import Place, served

    settings = read_settings(quiet=False)
    given = settings.intermute
    place = Place(
        host=given.host if host is None else host,
        port=given.port if port is None else port,
        socket=given.socket if socket is None else socket.absolute(),
    )
    try:
        asyncio.run(served(settings, place, keys_file))
    except asyncio.CancelledError:  # by the second signal
        sys.exit(FORCED)


@intermute.command()
@click.option("--project", required=True, help="The project that gets a key.")
@click.option("--keys-file", type=click.Path(path_type=Path), help="The file that it is written to.")
def init(project: str, keys_file: Path | None) -> None:
    """Give a project a key, and say how it is used. A service that runs takes it after SIGHUP."""
    from host.coordination import rules
    from intermute import keys

    settings = read_settings()
    project = project.strip()
    if not 0 < len(project) <= LONGEST_NAME:
        raise click.BadParameter(f"a name has 1 to {LONGEST_NAME} characters", param_hint="--project")
    path = (keys_file or rules.keys_file(settings)).absolute()
    try:
        key = keys.add(path, project)
    except (keys.BadKeys, OSError) as error:
        raise keys.BadKeys(f"The keys file {path} cannot be used. {error}") from error
    click.echo(f'Created API key for project "{project}" in {path}')
    click.echo(f"Key: {key}")
    click.echo("\nIn the environment of its agents:")
    click.echo(f"  export INTERMUTE_API_KEY={key}")
    click.echo("\nOr with each request:")
    click.echo(f"  Authorization: Bearer {key}")
    click.echo("\nServe it:")
    click.echo(f"  intercom intermute serve --keys-file {path}")


@intermute.command()
@click.option("--unread-pokes", is_flag=True, help="Messages that wait for a terminal to be looked at.")
@click.option("--project", envvar="INTERMUTE_PROJECT", required=True)
@click.option("--agent", envvar="INTERMUTE_AGENT", required=True, help="The agent's id.")
@click.option("--mark-surfaced", is_flag=True, help="They were looked at: do not print them again.")
@click.option("--url", envvar="INTERMUTE_URL", help="Where the service is.")
@click.option("--socket", envvar="INTERMUTE_SOCKET", default="", help="Its Unix socket instead.")
@click.option("--api-key", envvar="INTERMUTE_API_KEY", default="", help="Better in INTERMUTE_API_KEY.")
@click.option(
    "--token", envvar="INTERMUTE_REGISTRATION_TOKEN", default="", help="Of the agent; better in its variable."
)
@as_json
def inbox(
    unread_pokes: bool,
    project: str,
    agent: str,
    mark_surfaced: bool,
    url: str | None,
    socket: str,
    api_key: str,
    token: str,
    as_json: bool,
) -> None:
    """Print what waits for an agent, one message after the other with `---` between.

    The options may stand in the environment as INTERMUTE_PROJECT, INTERMUTE_AGENT, INTERMUTE_URL,
    INTERMUTE_SOCKET, INTERMUTE_API_KEY and INTERMUTE_REGISTRATION_TOKEN.
    """
    from host.cli.intermute_pokes import Asked, pokes

    if not unread_pokes:
        raise click.UsageError("Say what to print: --unread-pokes.")
    here = read_settings().intermute
    asked = Asked(
        url=url or f"http://{here.host}:{here.port}",
        socket=socket,
        project=project,
        agent=agent,
        key=api_key,
        token=token,
    )
    asyncio.run(pokes(asked, surfaced=mark_surfaced, as_json=as_json))


@intermute.command()
@click.option("--messages", type=_DAYS, help="Days that messages are kept.")
@click.option("--events", type=_DAYS, help="Days that the log of events is kept.")
@click.option("--reservations", type=_DAYS, help="Days that ended reservations are kept.")
@click.option("--dry-run", is_flag=True, help="Count only.")
@as_json
def prune(
    messages: int | None, events: int | None, reservations: int | None, dry_run: bool, as_json: bool
) -> None:
    """Remove what is older than the days given or set; 0 keeps for ever, and that is how it is set at first.

    What an agent that is still there has not read stays, and so does the last picture of every entity.
    """
    from dataclasses import replace

    from host.coordination import rules

    settings = read_settings()
    kept = rules.retention_of(settings.intermute)
    asked = {"messages": messages, "events": events, "reservations": reservations}
    kept = replace(kept, **{name: days for name, days in asked.items() if days is not None})

    async def work() -> None:
        from host.data import opened
        from intermute.retention import Pruner
        from storage.clock import SystemClock

        async with opened(settings) as data:
            pruner = Pruner(data.db, SystemClock(), kept)
            if pruner.idle:
                raise click.UsageError(
                    "Nothing is to be removed: give --messages, --events or --reservations, "
                    "or set INTERCOM_INTERMUTE__RETENTION__MESSAGES and so on."
                )
            removed = await pruner.prune(rehearse=dry_run)
            if not dry_run:
                await pruner.compact(removed)
        if as_json:
            click.echo(json.dumps({**asdict(removed), "dry_run": dry_run}))
            return
        counts = [f"{count} {name}" for name, count in asdict(removed).items() if count]
        done = "Would remove" if dry_run else "Removed"
        click.echo(f"{done} {' and '.join(counts)}." if counts else f"{done} nothing.")

    asyncio.run(work())
