"""Calls the service over HTTP as a program would."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

PATIENCE = aiohttp.ClientTimeout(total=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: Any  #: decoded JSON; None where the body is empty
    headers: Mapping[str, str]
    text: str

    def __getitem__(self, name: str | int) -> Any:
        return self.body[name]


class Http:
    """`http.url` and `http.session` are there for WebSockets and streams."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def request(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: Mapping[str, str] | None = None,
        data: bytes | None = None,
        **query: Any,
    ) -> Answer:
        """`body` is sent as JSON, `data` as it is; keyword arguments become query parameters."""
        encoded = data if data is not None else None if body is None else json.dumps(body).encode()
        content = None if encoded is None else io.BytesIO(encoded)  # bytes over 1 MiB make aiohttp warn
        parameters = {name: _written(value) for name, value in query.items()}
        async with self.session.request(
            method, self.url + path, data=content, params=parameters, headers=headers, allow_redirects=False
        ) as response:
            text = await response.text()
            decoded = (
                json.loads(text) if text and "json" in response.headers.get("Content-Type", "") else None
            )
            return Answer(status=response.status, body=decoded, headers=response.headers, text=text)

    async def get(self, path: str, **rest: Any) -> Answer:
        return await self.request("GET", path, **rest)

    async def post(self, path: str, body: Any = None, **rest: Any) -> Answer:
        return await self.request("POST", path, body, **rest)

    async def put(self, path: str, body: Any = None, **rest: Any) -> Answer:
        return await self.request("PUT", path, body, **rest)

    async def patch(self, path: str, body: Any = None, **rest: Any) -> Answer:
        return await self.request("PATCH", path, body, **rest)

    async def delete(self, path: str, **rest: Any) -> Answer:
        return await self.request("DELETE", path, **rest)


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
