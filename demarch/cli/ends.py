"""Where a log ends, now or at a time: found by halving, however long it is."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from demarch.feed import AT
from demarch.kernel import KernelEvent

Rows = Mapping[str, Sequence[KernelEvent]]
#: rows behind ids, by source and in the order of their ids; and with how many rows a source may have more
Page = Callable[[Mapping[str, int]], Awaitable[tuple[Rows, int]]]


@dataclass(slots=True)
class _Search:
    """One source: the end lies from `low` to `high`."""

    until: int | None  #: second of the last event that counts; None: all do
    low: int = 0
    high: int | None = None  #: unknown as yet
    time: int = 0  #: second of the event at `low`

    @property
    def open(self) -> bool:
        return self.high is None or self.low < self.high

    @property
    def next(self) -> int:
        return self.low * 2 if self.high is None else (self.low + self.high) // 2

    def narrow(self, tried: int, rows: Sequence[KernelEvent], share: int) -> None:
        counted = [row for row in rows if self._counts(row)]
        if not counted:
            self.high = tried
            return
        newest = counted[-1]
        self.low, self.time = newest.id, second(newest)
        if len(rows) < share:
            self.high = newest.id

    def _counts(self, row: KernelEvent) -> bool:
        # What has come behind the end since it was found is not searched any more.
        known = self.high is None or row.id <= self.high
        return known and (self.until is None or second(row) <= self.until)


def second(event: KernelEvent) -> int:
    return int(event.timestamp.timestamp())


async def ends(page: Page, until: Mapping[str, int | None]) -> dict[str, int]:
    """Marks behind which no event of these sources happened by the given second."""
    searches = {source: _Search(last) for source, last in until.items()}
    while tried := {source: search.next for source, search in searches.items() if search.open}:
        rows, share = await page(tried)
        for source, after in tried.items():
            searches[source].narrow(after, rows[source], share)
    marks: dict[str, int] = {}
    for source, search in searches.items():
        marks[source] = search.high or 0
        marks[source + AT] = search.time if search.low == search.high else 0
    return marks
