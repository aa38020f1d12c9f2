"""The page's files, read once and served from memory."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

FOLDER = Path(__file__).parent / "page"

_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    body: bytes
    content_type: str
    etag: str


class Page:
    """A flat folder of files by name."""

    def __init__(self, assets: Mapping[str, Asset]) -> None:
        self._assets = assets

    @classmethod
    def read(cls, folder: Path = FOLDER) -> "Page":
        """Blocking: call it in a thread."""
        files = (path for path in folder.iterdir() if path.suffix in _TYPES)
        return cls({path.name: _asset(path) for path in files})

    def response(
        self, name: str, *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> web.Response:
        """One of the documents, never cached."""
        asset = self._assets[name]
        return web.Response(
            body=asset.body,
            status=status,
            content_type=asset.content_type,
            charset="utf-8",
            headers={"Cache-Control": "no-store", **(headers or {})},
        )

    async def file(self, request: web.Request) -> web.StreamResponse:
        """GET /page/{name}: scripts and styles, revalidated so that an update shows at once."""
        asset = self._assets.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound(text="There is no such file.")
        headers = {"Cache-Control": "no-cache", "ETag": f'"{asset.etag}"'}
        if asset.etag in re.findall(r'"([^"]*)"', request.headers.get("If-None-Match", "")):
            return web.Response(status=304, headers=headers)
        return web.Response(
            body=asset.body, content_type=asset.content_type, charset="utf-8", headers=headers
        )


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(body=body, content_type=_TYPES[path.suffix], etag=hashlib.sha256(body).hexdigest()[:16])
