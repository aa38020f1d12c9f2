"""Files of the page: taken in one by one while a person still writes, and given out as nothing but files."""

import asyncio
import io
import math
import re
from urllib.parse import quote

import structlog
from aiohttp import BodyPartReader, hdrs, web

from bridges.messages import Document
from bridges.web import wire
from bridges.web.pace import Pace
from bridges.web.port import Clock, Files, Rooms, UploadRefused, Visitor
from bridges.web.settings import WebSettings

log = structlog.get_logger()

#: what a browser may show; everything else is for saving only
PICTURES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
_AT_ONCE = 4  #: uploads that are held in memory at the same time
_PATIENCE = 300.0  #: seconds one may take
_OVERHEAD = 64 * 1024  #: bytes of a form around its file
_CHUNK = 256 * 1024


class Uploads:
    """Two addresses: one that takes, one that gives."""

    def __init__(self, *, settings: WebSettings, rooms: Rooms, files: Files, clock: Clock) -> None:
        self._settings = settings
        self._rooms = rooms
        self._files = files
        self._clock = clock
        self._pace = Pace(settings.uploads, settings.upload_period)
        self._turns = asyncio.Semaphore(_AT_ONCE)

    async def take(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """POST one file as multipart/form-data."""
        folder = request.match_info["folder"]
        room = await self._rooms.room(visitor.person, folder)
        if room.address is None:
            raise web.HTTPForbidden(text="This room is read-only here. Send the file in its own chat.")
        now = self._clock.now()
        if wait := self._pace.wait(visitor.person, now):
            raise web.HTTPTooManyRequests(text=f"Too many files. Try again in {math.ceil(wait)} s.")
        self._pace.count(visitor.person, now)
        if (request.content_length or 0) > self._settings.file_limit + _OVERHEAD:
            raise self._too_large(request.content_length or 0)
        try:
            async with asyncio.timeout(_PATIENCE), self._turns:
                document = await self._read(request)
                upload = await self._files.keep(visitor.person, folder, document)
        except TimeoutError:
            raise web.HTTPRequestTimeout(text="The file took too long to arrive. Try again.") from None
        except UploadRefused as refusal:
            raise web.HTTPConflict(text=str(refusal)) from None
        log.info("web.file_taken", person=visitor.person, size=upload.size)
        return web.json_response(wire.upload(upload), status=201)

    async def give(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        """GET a file: to be saved; only pictures have a type a browser shows, and then only as a picture."""
        document = await self._files.file(visitor.person, request.match_info["id"][:128])
        if document is None:
            raise web.HTTPNotFound(text="There is no such file.")
        shown = document.mime if document.mime in PICTURES else "application/octet-stream"
        headers = {
            hdrs.CONTENT_DISPOSITION: _to_save(document.name),
            hdrs.CACHE_CONTROL: "private, max-age=86400, immutable",
        }
        # As a stream: whole, it would hold up everything else while it is written.
        return web.Response(body=io.BytesIO(document.data), content_type=shown, headers=headers)

    async def _read(self, request: web.Request) -> Document:
        """The first file of the form, and never more of it than allowed."""
        if request.content_type != "multipart/form-data":
            raise web.HTTPUnsupportedMediaType(text="A file is sent as a form.")
        try:
            async for part in await request.multipart():
                if isinstance(part, BodyPartReader) and part.filename:
                    return await self._read_part(part)
        except ValueError as error:
            raise web.HTTPBadRequest(text="The form could not be read.") from error
        raise web.HTTPBadRequest(text="There is no file in the form.")

    async def _read_part(self, part: BodyPartReader) -> Document:
        data = bytearray()
        while chunk := await part.read_chunk(_CHUNK):
            data += chunk
            if len(data) > self._settings.file_limit:
                raise self._too_large(len(data))
        if not data:
            raise web.HTTPBadRequest(text="The file is empty.")
        mime = part.headers.get(hdrs.CONTENT_TYPE, "")[:128]
        return Document(name=(part.filename or "")[:255], mime=mime, data=bytes(data))

    def _too_large(self, size: int) -> web.HTTPException:
        limit = self._settings.file_limit
        return web.HTTPRequestEntityTooLarge(
            limit, size, text=f"A file may have {limit / 1_000_000:g} MB at most."
        )


def _to_save(name: str) -> str:
    plain = re.sub(r"[^A-Za-z0-9 ._-]", "_", name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
