"""The transcript as a room shows it: what stands in several chats of a group is one entry."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from host.outgoing.outbox import PostKind
from host.page.transcript import Entry, Transcript
from storage import sql
from storage.database import Database

MOST_CARDS = 100
AT_ONCE = timedelta(seconds=5)  #: lines with the same words this close are one line

_SQL = sql.load("host", "pages")


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenCard:
    entry: Entry
    run: str  #: whose gate or budget it is about, or ""
    project: str  #: which one's run


class RoomEntries:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._transcript = Transcript(db)

    async def page(self, folder: str, before: UUID | None, limit: int) -> Sequence[Entry]:
        entries = [entry for entry in await self._transcript.page(folder, before, limit) if not entry.gone]
        here = [entry for entry in entries if _is_line(entry) and _on_page(entry)]
        return [entry for entry in entries if not any(_is_copy(entry, line) for line in here)]

    async def entry(self, folder: str, entry: UUID) -> Entry | None:
        return await self._transcript.entry(folder, entry)

    async def shown(self, folder: str, changed: UUID) -> Entry | None:
        """The entry a changed row is shown as; None when it is not shown."""
        entry = await self._transcript.entry(folder, changed)
        if entry is None:
            return None
        if _is_line(entry) and not _on_page(entry):
            return None if await self._db.fetchval(_SQL["pages.told_here"], entry.id) else entry
        if entry.kind is not PostKind.DECISION or entry.approval is None:
            return entry
        preferred = await self._db.fetchval(_SQL["pages.preferred"], entry.approval, folder)
        return entry if preferred == entry.id else await self._transcript.entry(folder, preferred)

    async def last(self, folder: str) -> UUID | None:
        newest = await self._transcript.page(folder, None, 1)
        return newest[0].id if newest else None

    async def picture(self, folder: str, picture: UUID) -> bytes | None:
        return await self._transcript.picture(folder, picture)

    async def open_cards(self, folder: str) -> Sequence[OpenCard]:
        """Newest first."""
        rows = await self._db.fetch(_SQL["pages.open_cards"], folder, MOST_CARDS)
        found = [(row, await self._transcript.entry(folder, row["post"])) for row in rows if row["post"]]
        return [
            OpenCard(entry=entry, run=row["run"] or "", project=row["project"])
            for row, entry in found
            if entry is not None
        ]

    async def open_counts(self) -> dict[str, int]:
        """Folder to the number of open questions."""
        return {row["folder"]: row["open"] for row in await self._db.fetch(_SQL["pages.open_counts"])}


def _on_page(entry: Entry) -> bool:
    return entry.address.startswith("web:")


def _is_line(entry: Entry) -> bool:
    return entry.kind is PostKind.NOTICE


def _is_copy(entry: Entry, line: Entry) -> bool:
    """The same line of the host, in another chat of the group."""
    return (
        _is_line(entry)
        and not _on_page(entry)
        and entry.content.text == line.content.text
        and abs(entry.at - line.at) < AT_ONCE
    )
