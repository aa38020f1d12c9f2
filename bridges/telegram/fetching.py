"""Fetches files that people sent: asks where one is, then streams it, and never more of it than allowed."""

import asyncio
import re
from urllib.parse import quote, urlencode

import httpx
import structlog
from telegram.error import TelegramError

from bridges.port import BridgeError, BridgeUnavailable, ContentRefused, DeliveryUnknown, FileRefused
from bridges.telegram.errors import translate
from bridges.telegram.request import TelegramRequest
from bridges.telegram.settings import TelegramSettings

log = structlog.get_logger()

_PATH = re.compile(r"[\w.][\w. -]*(/[\w.][\w. -]*)*", re.ASCII)
_TRIES = 2  #: a place is good for an hour; one that is gone is asked for anew, once


class _PlaceGone(Exception):
    """Nothing is at the place any more."""


class Fetching:
    """Speaks to the two halves of the Bot API that serve files. No address is ever logged or told."""

    def __init__(self, settings: TelegramSettings, request: TelegramRequest) -> None:
        self._settings = settings
        self._request = request

    async def fetch(self, handle: str, most: int) -> bytes:
        """The file. Raises FileRefused, BridgeUnavailable."""
        try:
            async with asyncio.timeout(self._settings.file_patience):
                return await self._fetch(handle, min(most, self._settings.file_limit))
        except TimeoutError as error:
            raise BridgeUnavailable("Telegram is too slow with the file") from error

    async def _fetch(self, handle: str, most: int) -> bytes:
        for _ in range(_TRIES):
            path = await self._locate(handle, most)
            try:
                return await self._download(path, most)
            except _PlaceGone:
                log.debug("telegram.place_gone")
        raise FileRefused("Telegram does not have it any more")

    async def _locate(self, handle: str, most: int) -> str:
        """Where the file is, by Telegram's word for it."""
        query = urlencode({"file_id": handle})
        url = f"{self._settings.method_base}{self._settings.token}/getFile?{query}"
        try:
            found = await self._request.post(url)
        except TelegramError as error:
            raise _refusal(translate(error, self._settings.token)) from error
        if not isinstance(found, dict):
            raise BridgeUnavailable("what answers there does not speak Telegram's Bot API")
        size, path = found.get("file_size"), found.get("file_path")
        if isinstance(size, int) and size > most:
            raise FileRefused(too_large(most))
        # Believed is only a path as Telegram makes them: no way up, nothing of this machine's disk.
        if not isinstance(path, str) or not _PATH.fullmatch(path) or ".." in path.split("/"):
            raise FileRefused("Telegram did not say where it is")
        return path

    async def _download(self, path: str, most: int) -> bytes:
        url = f"{self._settings.file_base}{self._settings.token}/{quote(path)}"
        try:
            status, body = await self._request.download(url, most)
        except httpx.HTTPError as error:
            # Not chained: httpx names the address, and with it the token, in some of its errors.
            raise BridgeUnavailable(f"the file did not arrive whole ({type(error).__name__})") from None
        if status == httpx.codes.NOT_FOUND:
            raise _PlaceGone
        if status != httpx.codes.OK:
            raise BridgeUnavailable(f"Telegram answers HTTP {status} where the file should be")
        if body is None:
            raise FileRefused(too_large(most))
        return body


def too_large(most: int) -> str:
    return f"it is larger than {most / 1_000_000:g} MB"


def _refusal(error: BridgeError) -> BridgeError:
    """Asking where a file is has no effect, so what is unsure may simply be asked again."""
    if isinstance(error, ContentRefused):
        words = str(error).lower()
        if "too big" in words:
            return FileRefused("it is larger than Telegram hands to bots (20 MB)")
        return FileRefused("Telegram does not know it")
    return BridgeUnavailable(str(error)) if isinstance(error, DeliveryUnknown) else error
