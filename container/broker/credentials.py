"""What the broker shows the provider instead of what the container sent: a key, or a token."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

import structlog
from aiohttp import ClientSession

from container.agent import ModelApi
from container.broker.oauth_files import Shape, Tokens, read_tokens, writable, write_tokens
from container.broker.refreshing import Refresher

EARLY = timedelta(minutes=2)  #: before its end a token is renewed already
LONGEST_KEY = 8192

log = structlog.get_logger()


class NoCredential(Exception):
    """There is nothing to show; the message completes "… because …" and says what to do."""


class Credential(Protocol):
    """Gives the headers that open a provider's door."""

    async def headers(self, http: ClientSession) -> Mapping[str, str]:
        """Raises NoCredential."""
        ...

    async def renew(self, http: ClientSession, refused: Mapping[str, str]) -> bool:
        """The provider refused these headers; True when there are others now. Raises NoCredential."""
        ...


def key_headers(api: ModelApi, key: str) -> dict[str, str]:
    match api:
        case ModelApi.ANTHROPIC:
            return {"x-api-key": key}
        case ModelApi.OPENAI:
            return {"authorization": f"Bearer {key}"}
        case ModelApi.GEMINI:
            return {"x-goog-api-key": key}


def token_headers(api: ModelApi, token: str, account: str = "") -> dict[str, str]:
    headers = {"authorization": f"Bearer {token}"}
    if api is ModelApi.ANTHROPIC:
        headers["anthropic-beta"] = "oauth-2025-04-20"
    if api is ModelApi.OPENAI and account:
        headers["chatgpt-account-id"] = account
    return headers


class Fixed:
    """A key or a token that stays as it was set."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = headers

    async def headers(self, http: ClientSession) -> Mapping[str, str]:
        return self._headers

    async def renew(self, http: ClientSession, refused: Mapping[str, str]) -> bool:
        return False


class Missing:
    """Nothing was set."""

    def __init__(self, setting: str) -> None:
        self._setting = setting

    async def headers(self, http: ClientSession) -> Mapping[str, str]:
        raise NoCredential(f"there is no key for it. An owner sets {self._setting} and starts the host again")

    async def renew(self, http: ClientSession, refused: Mapping[str, str]) -> bool:
        return False


class KeyFile:
    """An API key in a file; read again when the provider refuses it, since it may have been changed."""

    def __init__(self, api: ModelApi, path: Path) -> None:
        self._api = api
        self._path = path
        self._headers: Mapping[str, str] | None = None

    async def headers(self, http: ClientSession) -> Mapping[str, str]:
        if self._headers is None:
            self._headers = key_headers(self._api, await asyncio.to_thread(self._read))
        return self._headers

    async def renew(self, http: ClientSession, refused: Mapping[str, str]) -> bool:
        self._headers = None
        return await self.headers(http) != refused

    def _read(self) -> str:
        try:
            with self._path.open("rb") as file:
                key = file.read(LONGEST_KEY).decode().strip()
        except (OSError, UnicodeDecodeError):
            key = ""
        if not key or not key.isprintable():
            raise NoCredential(f"there is no key in {self._path}. An owner writes it there")
        return key


class OAuthFile:
    """Tokens in the file of the provider's own program; renewed in time, and when they are refused."""

    def __init__(
        self, api: ModelApi, path: Path, shape: Shape, refresher: Refresher, now: Callable[[], datetime]
    ) -> None:
        self._api = api
        self._path = path
        self._shape = shape
        self._refresher = refresher
        self._now = now
        self._tokens: Tokens | None = None
        self._alone = asyncio.Lock()  #: a refresh token is good for one use: nobody else meanwhile

    async def headers(self, http: ClientSession) -> Mapping[str, str]:
        tokens = self._tokens
        if tokens is None or self._ends(tokens):
            async with self._alone:
                tokens = await self._fresh(http)
        return self._shown(tokens)

    async def renew(self, http: ClientSession, refused: Mapping[str, str]) -> bool:
        async with self._alone:
            tokens = self._tokens
            if tokens is None or self._shown(tokens) == refused:
                tokens = await self._read()  # the provider's own program may have renewed it
                if self._shown(tokens) == refused or self._ends(tokens):
                    tokens = await self._refreshed(http, tokens)
                self._tokens = tokens
        return self._shown(tokens) != refused

    async def _fresh(self, http: ClientSession) -> Tokens:
        tokens = self._tokens
        if tokens is None or self._ends(tokens):
            tokens = await self._read()
            if self._ends(tokens):
                tokens = await self._refreshed(http, tokens)
            self._tokens = tokens
        return tokens

    async def _read(self) -> Tokens:
        try:
            return await asyncio.to_thread(read_tokens, self._path, self._shape)
        except (OSError, ValueError):
            raise NoCredential(f"there are no tokens in {self._path}. {self._shape.remedy}") from None

    async def _refreshed(self, http: ClientSession, old: Tokens) -> Tokens:
        fault = f"our sign-in has expired and could not be renewed ({{why}}). {self._shape.remedy}"
        if not old.refresh:
            raise NoCredential(fault.format(why="the file has no refresh token"))
        if not await asyncio.to_thread(writable, self._path):
            # A refresh token is used up by using it: without a place for the next one we would be locked out.
            raise NoCredential(
                f"our sign-in has expired, and {self._path} cannot be written. An owner makes that possible"
            )
        tokens, why = await self._refresher.refresh(http, old, self._now())
        if tokens is None:
            raise NoCredential(fault.format(why=why))
        self._tokens = tokens  # good from now on, whether or not the disk takes it
        try:
            await asyncio.to_thread(write_tokens, self._path, self._shape, tokens)
        except (OSError, ValueError) as error:
            log.warning("credential.unwritten", path=str(self._path), error=type(error).__name__)
        return tokens

    def _ends(self, tokens: Tokens) -> bool:
        return tokens.expires is not None and tokens.expires - EARLY <= self._now()

    def _shown(self, tokens: Tokens) -> dict[str, str]:
        return token_headers(self._api, tokens.access, tokens.account)
