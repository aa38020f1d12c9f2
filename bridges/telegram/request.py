"""The HTTP below the Bot: 429 and 5xx told apart early, the token kept out of every log."""

import json
import logging
from http import HTTPStatus
from typing import Any

import httpx
from telegram.request import HTTPXRequest

from bridges.telegram.errors import FloodWait, GatewayTimeout, ServerTrouble

_DEFAULT_WAIT = 5.0  #: seconds, when a 429 does not say

# httpx logs every URL at INFO, python-telegram-bot its base URL at DEBUG, and both contain the token;
# what they log at ERROR is raised as well.
_TALKATIVE = ("httpx", "httpcore", "telegram")


class TelegramRequest(HTTPXRequest):
    """One pool of connections to the Bot API."""

    async def do_request(self, *args: Any, **kwargs: Any) -> tuple[int, bytes]:
        code, payload = await super().do_request(*args, **kwargs)
        if code == HTTPStatus.TOO_MANY_REQUESTS:
            raise FloodWait(_retry_after(payload))
        if code == HTTPStatus.GATEWAY_TIMEOUT:
            raise GatewayTimeout(f"HTTP {code:d}")
        if code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise ServerTrouble(f"HTTP {code:d}")
        return code, payload

    async def download(self, url: str, most: int) -> tuple[int, bytes | None]:
        """GET a file: the status and its bytes, None when they are too many. Raises httpx.HTTPError."""
        pieces: list[bytes] = []
        size = 0
        async with self._client.stream("GET", url, follow_redirects=False) as response:
            if response.status_code != HTTPStatus.OK:
                return response.status_code, b""
            async for piece in response.aiter_bytes():
                size += len(piece)
                if size > most:
                    return response.status_code, None
                pieces.append(piece)
        return HTTPStatus.OK, b"".join(pieces)

    async def renew(self) -> None:
        """Drop every connection and begin with new ones."""
        await self.shutdown()
        await self.initialize()


def open_request(timeout: float, connections: int, tls: object) -> TelegramRequest:
    """A pool whose idle connections outlive the pauses of a conversation."""
    return TelegramRequest(
        connect_timeout=min(timeout, 10.0),
        read_timeout=timeout,
        write_timeout=timeout,
        media_write_timeout=timeout,
        pool_timeout=timeout,
        httpx_kwargs={
            "verify": tls,
            "limits": httpx.Limits(max_connections=connections, keepalive_expiry=30.0),
        },
    )


def hush() -> None:
    """Keep the libraries that would write the token into the log from doing so."""
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(logging.CRITICAL)


def _retry_after(payload: bytes) -> float:
    try:
        return max(0.1, float(json.loads(payload)["parameters"]["retry_after"]))
    except (ValueError, KeyError, TypeError):
        return _DEFAULT_WAIT
