"""Requests to the service and their answers, over TCP or a Unix socket."""

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import quote

import aiohttp
from pydantic import TypeAdapter, ValidationError
from yarl import URL

from intermute.client.errors import Strange, Unreachable, refused

PATIENCE = 10.0  #: seconds for a request, as the Go client has them
MOST = 64 * 2**20  #: bytes of an answer that are read

Answer = TypeVar("Answer")
Query = Mapping[str, str | int | None]


class Wire:
    """One session; who speaks goes along with every request."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    @classmethod
    @asynccontextmanager
    async def open(
        cls, url: str, *, key: str = "", agent: str = "", token: str = "", socket: str = ""
    ) -> AsyncIterator["Wire"]:
        """`socket` is the path of a Unix socket; it takes the place of the address in the URL."""
        headers = {
            "Authorization": f"Bearer {key}" if key else "",
            "X-Agent-ID": agent,
            "X-Agent-Token": token,
        }
        connector = aiohttp.UnixConnector(path=socket) if socket else aiohttp.TCPConnector()
        async with aiohttp.ClientSession(
            connector=connector,
            headers={name: value for name, value in headers.items() if value},
            timeout=aiohttp.ClientTimeout(total=PATIENCE),
            auto_decompress=False,
        ) as session:
            yield cls(session, "http://localhost" if socket else url.rstrip("/"))

    async def ask(
        self,
        shape: TypeAdapter[Answer],
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
    ) -> Answer:
        """What the service answers, as this shape. Raises ClientError."""
        content = await self.do(method, path, query=query, body=body)
        try:
            return shape.validate_json(content)
        except ValidationError as error:
            raise Strange(f"{method} {path} was answered with something else.") from error

    async def do(self, method: str, path: str, *, query: Query | None = None, body: Any = None) -> bytes:
        """The bytes of a good answer. Raises ClientError."""
        parameters = _given(query)
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = None if body is None else {"Content-Type": "application/json"}
        try:
            async with self._session.request(
                method,
                URL(self._base + path, encoded=True),
                params=parameters,
                data=data,
                headers=headers,
                allow_redirects=False,
            ) as answer:
                content = await _bounded(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{method} {path} was not answered: {_reason(error)}.") from error
        if answer.status >= 400:
            raise refused(answer.status, content)
        if answer.status >= 300:
            raise Strange(f"{method} {path} was answered with a redirect.")
        return content

    async def socket(self, path: str, *, query: Query) -> tuple[aiohttp.ClientWebSocketResponse, int | None]:
        """An open WebSocket, and where the log was when it was opened. Raises ClientError."""
        url = URL(self._base + path, encoded=True)
        try:
            socket = await self._session.ws_connect(url, params=_given(query), heartbeat=30.0)
        except aiohttp.WSServerHandshakeError as error:
            raise refused(error.status, b"") from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise Unreachable(f"{path} was not opened: {_reason(error)}.") from error
        head = socket._response.headers.get("X-Cursor", "")  # noqa: SLF001 - there is no public way to them
        return socket, int(head) if head.isdecimal() else None


def part(name: str) -> str:
    """An id as one part of a path."""
    return quote(name, safe="")


def _reason(error: Exception) -> str:
    """In words: people read it as well."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    if isinstance(cause, TimeoutError):
        return f"nothing came within {PATIENCE:.0f} seconds"
    if isinstance(cause, OSError) and cause.errno:
        return os.strerror(cause.errno) if cause.errno > 0 else str(cause.strerror)
    return str(cause) or type(cause).__name__


def _given(query: Query | None) -> dict[str, str]:
    """The parameters that say something."""
    return {name: str(value) for name, value in (query or {}).items() if value not in (None, "")}


async def _bounded(answer: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in answer.content.iter_any():
        content += chunk
        if len(content) > MOST:
            raise Strange("The answer is larger than what is read.")
    return bytes(content)
