"""The provider's OAuth endpoint: it gives a fresh access token for a refresh token, once each."""

import itertools
from collections.abc import Mapping
from typing import Any

from aiohttp import web


class Identity:
    """Tokens that may be expired by a test. A refresh token is used up by refreshing."""

    def __init__(self) -> None:
        self.tokens: set[str] = set()  #: access tokens that are accepted now
        self.refreshers: set[str] = set()
        self.refreshed = 0
        self.expires_in = 3600
        self._numbers = itertools.count(1)

    def issue(self) -> tuple[str, str]:
        """A new pair: access token, refresh token."""
        number = next(self._numbers)
        access, refresh = f"sk-oat-access-{number:04}", f"sk-ort-refresh-{number:04}"
        self.tokens.add(access)
        self.refreshers.add(refresh)
        return access, refresh

    def expire(self) -> None:
        """All access tokens; the refresh tokens stay."""
        self.tokens.clear()

    async def handle(self, request: web.Request) -> web.Response:
        """A JSON body or a form, as the providers take them."""
        given: Mapping[str, Any]
        given = await request.json() if request.content_type == "application/json" else await request.post()
        refresh = str(given.get("refresh_token", ""))
        if given.get("grant_type") != "refresh_token":
            return _refused("unsupported_grant_type", "only refresh_token is served here")
        if not given.get("client_id"):
            return _refused("invalid_request", "client_id is required")
        if refresh not in self.refreshers:
            return _refused("invalid_grant", "Refresh token not found or invalid")
        self.refreshers.discard(refresh)
        access, refresh = self.issue()
        self.refreshed += 1
        return web.json_response(
            {
                "token_type": "Bearer",
                "access_token": access,
                "refresh_token": refresh,
                "expires_in": self.expires_in,
            }
        )


def _refused(error: str, description: str) -> web.Response:
    return web.json_response({"error": error, "error_description": description}, status=400)
