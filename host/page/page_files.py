"""Files of the page. Implements `bridges.web.port.Files` on the database.

What is handed over stays with the message it is sent with; what is never sent is forgotten after a day.
"""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from bridges.messages import Document
from bridges.web.port import NoSuchRoom, Upload, UploadRefused
from host.incoming.file_names import safe_name
from host.incoming.file_types import recognise
from host.people.registry import Registry
from storage import sql
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId

KEPT = timedelta(days=1)
MOST_UNSENT = 200_000_000  #: bytes one person may hand over without sending

_SQL = sql.load("host", "page_files")


class PageFiles:
    def __init__(self, *, database: Database, registry: Registry, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._registry = registry
        self._clock = clock
        self._new_id = new_id
        self._decoding = asyncio.Semaphore(1)

    async def keep(self, person: str, folder: str, document: Document) -> Upload:
        if self._registry.role(folder, person) is None:
            raise NoSuchRoom(folder)
        now = self._clock.now()
        async with self._decoding:
            found = await asyncio.to_thread(recognise, document.data, document.mime)
        name, size = safe_name(document.name), len(document.data)
        upload = Upload(id=str(self._new_id()), name=name, mime=found.mime, size=size)
        async with self._database.transaction() as conn:
            await conn.execute(_SQL["page_files.forget"], now - KEPT)
            if size + await conn.fetchval(_SQL["page_files.unsent"], person) > MOST_UNSENT:
                raise UploadRefused("Too many files wait to be sent. Send them first, or come back tomorrow.")
            row = (UUID(upload.id), person, folder, upload.name, upload.mime, document.data, now)
            await conn.execute(_SQL["page_files.keep"], *row)
        return upload

    async def kept(self, person: str, folder: str, ids: Sequence[str]) -> Sequence[Upload]:
        wanted = [found for each in ids if (found := _id(each)) is not None]
        rows = await self._database.fetch(_SQL["page_files.kept"], person, folder, wanted)
        by_id = {row["id"]: row for row in rows}
        return [
            Upload(id=str(row["id"]), name=row["name"], mime=row["mime"], size=row["size"])
            for each in dict.fromkeys(wanted)
            if (row := by_id.get(each)) is not None
        ]

    async def handed_over(self, handle: str) -> Document | None:
        wanted = _id(handle)
        return None if wanted is None else await self._document("page_files.handed_over", wanted)

    async def file(self, person: str, file: str) -> Document | None:
        wanted = _id(file)
        if wanted is None:
            return None
        folders = list(self._registry.roles_of(person))
        sent = await self._document("page_files.sent", wanted, folders)
        return sent or await self._document("page_files.uploaded", wanted, folders, person)

    async def _document(self, query: str, *values: object) -> Document | None:
        row = await self._database.fetchrow(_SQL[query], *values)
        return None if row is None else Document(name=row["name"], mime=row["mime"], data=row["content"])


def _id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
