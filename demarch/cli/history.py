"""What happened to one run, from `ic run events`: since when it is in its phase, and what it waits for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from demarch.cli.commands import command
from demarch.cli.parsing import Data, moment_of, number_of, objects, text_of
from demarch.cli.process import Runner

_MOVES = frozenset({"advance", "override", "rollback", "skip"})
_HELD = frozenset({"pause", "block"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run stands."""

    since: datetime | None  #: in its phase
    waiting: str | None = None  #: for a person: pause or block
    waiting_since: datetime | None = None


async def history(runner: Runner, run_id: str) -> Sequence[Data]:
    """Oldest first."""
    result = await runner.ask(command("run.events", run_id))
    return sorted(objects(result.out), key=lambda event: number_of(event, "id"))


def place(data: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> Place:
    phase, since, held = text_of(data, "phase"), moment_of(data, "created_at"), None
    for event in events:
        kind = text_of(event, "event_type")
        if kind in _MOVES and text_of(event, "to_phase") == phase:
            since, held = moment_of(event, "created_at"), None
        elif kind in _HELD and text_of(event, "from_phase") == phase:
            held = event
    # A pause is over when the run may move on by itself again.
    if held is None or (text_of(held, "event_type") == "pause" and data.get("auto_advance") is True):
        return Place(since=since)
    return Place(
        since=since, waiting=text_of(held, "event_type"), waiting_since=moment_of(held, "created_at")
    )
