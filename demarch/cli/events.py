"""The event log of `ic`: read behind our own marks, never under a consumer's name.

`ic` shares its limit out among the sources, picks the rows of each by their time, and repeats those of
sources it keeps no mark for. So more is asked for than is wanted, only sources that can be marked are read,
and the last row that was read is asked for again: when it is not there any more, the log was set back.
"""

import heapq
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import structlog

from demarch.cli.commands import command, flagged
from demarch.cli.ends import Rows, ends, second
from demarch.cli.failures import BrokeOff
from demarch.cli.marks import unmarked
from demarch.cli.parsing import Data, line_of, moment_of, number_of, objects, text_of
from demarch.cli.process import Runner
from demarch.errors import LogWentBack
from demarch.feed import AT
from demarch.kernel import KernelEvent, Marks

log = structlog.get_logger()

#: the sources whose events mean something to people
TOLD = ("phase", "discovery", "review")
SOURCES = 6  #: among which the newest `ic` shares its limit out; older ones know fewer
LIMITS = (600, 30, SOURCES)  #: rows asked for; less where rows are endless
WIDE = 6000
#: of a row without a time that can be read; the same with every look, or the row would not be known again
TIMELESS = datetime.fromtimestamp(0, UTC)
NEVER = 2**62  #: a mark no row is behind: keeps a source away

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,99}")


class Events:
    """Reads one project's log."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner

    async def head(self) -> Marks:
        """Just behind the newest event, found without reading them all."""
        return await ends(self._page, dict.fromkeys(TOLD))

    async def behind(self, marks: Marks, limit: int) -> Sequence[KernelEvent]:
        """In the order they happened, and of each source in the order of its ids.

        Raises LogWentBack when a marked event is not there any more.
        """
        last = {source: marks.get(source, 0) for source in TOLD}
        before = {source: max(0, mark - 1) for source, mark in last.items()}
        found, share = await self._page(before)
        await self._check(found, marks, last)
        if share == 1:  # that row was the marked one
            found = await self._rows(last, SOURCES)
        elif any(_hides(found[source], last[source], share) for source in TOLD):
            found, share = await self._page(before, WIDE)
        fresh = [_whole(found[source], last[source], share) for source in TOLD]
        return list(heapq.merge(*fresh, key=lambda event: event.timestamp))[:limit]

    async def _check(self, found: Rows, marks: Marks, last: Mapping[str, int]) -> None:
        back = [
            source for source in TOLD if _went_back(found[source], last[source], marks.get(source + AT, 0))
        ]
        if not back:
            return
        # Without knowing when the last one happened everything counts as read.
        now = await ends(self._page, {source: marks.get(source + AT) or None for source in back})
        if any(now[source] != last[source] for source in back):
            where = ", ".join(f"{source} from {last[source]} to {now[source]}" for source in back)
            raise LogWentBack(f"The kernel's event log was set back ({where}).", marks={**marks, **now})

    async def _page(self, after: Mapping[str, int], *wider: int) -> tuple[Rows, int]:
        """As much as can be swallowed, and how many rows of a source may not be all it has."""
        for limit in (*wider, *LIMITS):
            try:
                return await self._rows(after, limit), limit // SOURCES
            except BrokeOff as error:
                broken = error
                log.warning("events.too_much", limit=limit, reason=str(error))
        raise broken

    async def _rows(self, after: Mapping[str, int], limit: int) -> Rows:
        """Rows behind these ids by source, in the order of their ids; sources not named are kept away."""
        since = {source: after.get(source, NEVER) for source in TOLD}
        asked = command(
            "events.tail",
            limit=limit,
            since_phase=since["phase"],
            since_discovery=since["discovery"],
            since_review=since["review"],
            since_dispatch=NEVER,
            since_coordination=NEVER,
        )
        result = await self._runner.ask(flagged(asked, "all"))
        rows: dict[str, dict[int, KernelEvent]] = {source: {} for source in TOLD}
        for data in objects(result.out):
            event = event_of(data, TIMELESS)
            if event is not None and event.id > since.get(event.source, NEVER):
                rows[event.source][event.id] = event
        return {source: [found[number] for number in sorted(found)] for source, found in rows.items()}


def event_of(data: Data, timeless: datetime) -> KernelEvent | None:
    """One line of `ic events tail`, whatever it holds; None for what has no place in a log."""
    number, source = number_of(data, "id"), text_of(data, "source")
    if number <= 0 or not source:
        return None
    run, envelope = text_of(data, "run_id"), data.get("envelope")
    reason, key = unmarked(text_of(data, "reason"))
    kept = dict(envelope) if isinstance(envelope, dict) else {}
    return KernelEvent(
        id=number,
        source=source,
        type=line_of(data, "type"),
        run_id=run if _ID.fullmatch(run) else "",
        from_state=line_of(data, "from_state"),
        to_state=line_of(data, "to_state"),
        reason=reason,
        # A key of ours is only ever in the mark: whoever writes envelopes is not us.
        envelope={name: value for name, value in kept.items() if name != "key"}
        | ({"key": key} if key else {}),
        timestamp=moment_of(data, "timestamp") or timeless,
    )


def _went_back(found: Sequence[KernelEvent], last: int, at: int) -> bool:
    """Whether the last event read is gone, or another one stands in its place."""
    if not last:
        return False
    again = next((event for event in found if event.id == last), None)
    if again is None:
        return not found  # rows behind it and not itself: it was cleared away, or hides behind a full page
    return bool(at) and second(again) != at


def _hides(found: Sequence[KernelEvent], last: int, share: int) -> bool:
    """Whether a full page may lack the very next row, because that has a later time than those behind it."""
    fresh = [event for event in found if event.id > last]
    return len(found) >= share and bool(fresh) and fresh[0].id != last + 1


def _whole(found: Sequence[KernelEvent], last: int, share: int) -> Sequence[KernelEvent]:
    """What is behind the mark; of a full page only what has nothing missing in it, the rest comes again."""
    fresh = [event for event in found if event.id > last]
    if len(found) < share:
        return fresh
    return [event for place, event in enumerate(fresh) if event.id == fresh[0].id + place]
