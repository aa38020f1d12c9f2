"""Requests as Go's net/http and encoding/json put them on the wire."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from tests.intermute.conformance.decoding import Shape, decode

#: Go's zero time, which its clients send for times that are not set
ZERO_TIME = "0001-01-01T00:00:00Z"


class Failed(AssertionError):
    """The client would give its caller an error."""

    def __init__(self, status: int, content: str) -> None:
        super().__init__(f"{status} {content[:300]}")
        self.status = status
        self.content = content


def path_escape(name: str) -> str:
    return quote(name, safe="$&+=:@")


def encode(values: Mapping[str, str]) -> str:
    """url.Values.Encode: sorted by name, spaces as plus signs."""
    return urlencode(sorted(values.items()))


def marshal(value: Any) -> bytes:
    """json.Marshal: no spaces, and what a page could read as markup is escaped."""
    said = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for sign in "<>&\u2028\u2029":
        said = said.replace(sign, f"\\u{ord(sign):04x}")
    return said.encode()


class Program:
    """A Go program with an http.Client and fixed headers."""

    def __init__(self, session: aiohttp.ClientSession, base: str, headers: Mapping[str, str]) -> None:
        self._session = session
        self._base = base.rstrip("/")
        self._headers = {"User-Agent": "Go-http-client/1.1", "Accept-Encoding": "gzip", **headers}

    async def do(self, method: str, target: str, body: Any = None) -> tuple[int, str]:
        headers = {**self._headers, **({} if body is None else {"Content-Type": "application/json"})}
        async with self._session.request(
            method,
            URL(self._base + target, encoded=True),
            data=None if body is None else marshal(body),
            headers=headers,
            allow_redirects=False,
            skip_auto_headers=("Accept", "Content-Type"),
        ) as answer:
            return answer.status, await answer.text()

    async def ok(self, method: str, target: str, body: Any, status: int, shape: Shape | None) -> Any:
        """Exactly this status, and an answer of this shape."""
        got, content = await self.do(method, target, body)
        if got != status:
            raise Failed(got, content)
        return None if shape is None else decode(shape, content)
