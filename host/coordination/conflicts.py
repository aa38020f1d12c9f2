"""Who stands in the way of a reservation, in words: the holder, the reason, the time left."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from host.coordination.port import Holding
from host.phrases import count, one_line, quoted
from host.tools.others_words import OthersWords

SHOWN = 8


class Held(OthersWords):
    """Others hold what was asked for; nothing was reserved."""

    def __init__(self, conflicts: Sequence[Holding], now: datetime) -> None:
        super().__init__(f"Nothing was reserved. {told(conflicts, now)}")
        self.conflicts = tuple(conflicts)


def told(conflicts: Sequence[Holding], now: datetime) -> str:
    """One sentence per conflict."""
    said = [conflict(each, now) for each in conflicts[:SHOWN]]
    more = len(conflicts) - SHOWN
    return " ".join([*said, *([f"{count(more, 'more conflict')} not shown."] if more > 0 else [])])


def conflict(held: Holding, now: datetime) -> str:
    how = "" if held.exclusive else " for reading"
    why = f": {quoted(held.reason, 160)}" if held.reason else ""
    if held.waiting:
        return f"{quoted(held.pattern, 200)} is waited for{how} by {holder(held)}, who comes first{why}."
    return f"{quoted(held.pattern, 200)} is held{how} by {holder(held)} for {left(held, now)}{why}."


def holder(held: Holding) -> str:
    """Its name, and the id where that is another: a name is nobody's own."""
    name, agent = one_line(held.name, 60), one_line(held.agent, 80)
    return quoted(agent, 80) if name in ("", agent) else f"{quoted(name, 60)} ({agent})"


def left(held: Holding, now: datetime) -> str:
    """`12 more minutes`."""
    return f"{span(held.expires_at - now)} more"


def span(time: timedelta) -> str:
    """`40 s`, `12 min`, `2 h 5 min`: rounded up, never below a second."""
    seconds = max(1, -(-time // timedelta(seconds=1)))
    if seconds < 60:
        return f"{seconds} s"
    minutes = -(-seconds // 60)
    if minutes < 60:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
