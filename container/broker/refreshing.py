"""Exchanges a refresh token for a new access token (OAuth 2.0, RFC 6749 section 6)."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import aiohttp

from container.broker.oauth_files import Tokens, expiry_of

LONGEST_ANSWER = 64 * 1024
WITHIN = 20.0  #: seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """Where new tokens are, and as whom to ask for them."""

    url: str
    client_id: str = ""
    client_secret: str = ""
    as_form: bool = False  #: the standard's own form; otherwise JSON

    def __repr__(self) -> str:
        return f"Refresher(url={self.url!r})"

    async def refresh(
        self, http: aiohttp.ClientSession, old: Tokens, now: datetime
    ) -> tuple[Tokens | None, str]:
        """New tokens, or why there are none."""
        asked = {"grant_type": "refresh_token", "refresh_token": old.refresh, "client_id": self.client_id}
        if self.client_secret:
            asked["client_secret"] = self.client_secret
        try:
            async with (
                asyncio.timeout(WITHIN),
                http.post(
                    self.url,
                    data=asked if self.as_form else None,
                    json=None if self.as_form else asked,
                    allow_redirects=False,
                ) as response,
            ):
                answer = await response.content.read(LONGEST_ANSWER)
                while len(answer) < LONGEST_ANSWER and not response.content.at_eof():
                    answer += await response.content.read(LONGEST_ANSWER)
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None, "the sign-in service could not be reached"
        if response.status != 200:
            return None, f"the sign-in service answered {response.status}"
        return _tokens(answer, old, now)


def _tokens(answer: bytes, old: Tokens, now: datetime) -> tuple[Tokens | None, str]:
    try:
        told = json.loads(answer)
    except (ValueError, RecursionError):
        told = None
    access = told.get("access_token") if isinstance(told, Mapping) else None
    if not isinstance(access, str) or not access or not access.isprintable():
        return None, "the sign-in service gave no token"
    renewed = told.get("refresh_token")
    age = told.get("expires_in")
    expires = now + timedelta(seconds=min(age, 10**9)) if isinstance(age, int) else expiry_of(access)
    return Tokens(
        access=access,
        refresh=renewed if isinstance(renewed, str) and renewed else old.refresh,
        expires=expires,
        account=old.account,
    ), ""
