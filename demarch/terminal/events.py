"""`events …`: the log as it grows."""

import json
import re
from datetime import timedelta

import click

from demarch.embedded.events import event_data
from demarch.errors import InvalidCall
from demarch.kernel import KernelEvent
from demarch.phrases import plural
from demarch.telling import events as tell
from demarch.terminal.shell import Answer, Session, answered, command

_SPAN = re.compile(r"(\d{1,4})\s*([hdw])")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


@click.group("events", help="The kernel's append-only log.")
def events() -> None: ...


@command(events, "prune")
@click.option("--older-than", required=True, help="How much stays: 12h, 90d, 8w.")
async def prune(session: Session, older_than: str) -> Answer:
    """Remove old events that every reader has read. Without this the log is kept for ever."""
    span = _SPAN.fullmatch(older_than.strip().lower())
    if span is None or not int(span[1]):
        raise InvalidCall("--older-than is a number of hours, days or weeks: 12h, 90d, 8w.")
    before = session.shell.clock.now() - timedelta(**{_UNITS[span[2]]: int(span[1])})
    key = str(session.shell.new_id())
    removed = await session.kernel.prune(before, actor=session.shell.actor, key=key)
    said = f"{plural(removed, 'event')} removed." if removed else "There is nothing to remove."
    return Answer(text=said, data={"removed": removed})


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
