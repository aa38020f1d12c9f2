"""`events …`: the log as it grows."""

import json

import click

from demarch.embedded.events import event_data
from demarch.kernel import KernelEvent
from demarch.telling import events as tell
from demarch.terminal.shell import Answer, Session, answered, command


@click.group("events", help="The kernel's append-only log.")
def events() -> None: ...


@command(events, "tail")
@click.argument("run_id", metavar="[RUN]", required=False)
@click.option("--limit", "-n", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--follow", "-f", is_flag=True, help="Go on until interrupted; one JSON object per line.")
@click.option("--words", is_flag=True, help="Sentences instead of JSON while following.")
@click.option("--poll-interval", type=click.FloatRange(0.05, 60), default=0.5, show_default=True)
async def tail(
    session: Session, run_id: str | None, limit: int, follow: bool, words: bool, poll_interval: float
) -> Answer | None:
    """Show the newest events; with --follow also those to come."""
    if not follow:
        return answered(await session.call("run_events", run_id=run_id, limit=limit), of="events")
    marks = dict(await session.kernel.head())
    while True:
        batch = await session.kernel.events(marks, 100)
        for event in batch:
            marks[event.source] = event.id
            if run_id in (None, event.run_id):
                _print(event, session, words=words)
        if not batch:
            await session.shell.clock.sleep(poll_interval)


def _print(event: KernelEvent, session: Session, *, words: bool) -> None:
    now = session.shell.clock.now()
    click.echo(tell.line(event, now) if words else json.dumps(event_data(event), ensure_ascii=False))
