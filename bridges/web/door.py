"""How a browser gets in: a one-time link is traded for a cookie, which then names the visitor."""

import structlog
from aiohttp import web

from bridges.web.assets import Page
from bridges.web.pace import Pace
from bridges.web.port import Clock, Doorkeeper, Visitor

log = structlog.get_logger()

FAILURES = 10  # wrong links ...
PERIOD = 60.0  # ... within so many seconds, then nobody tries for a while


class Door:
    """Knows the cookie's name; the host knows what it is worth."""

    def __init__(self, *, doorkeeper: Doorkeeper, page: Page, clock: Clock, port: int) -> None:
        self._doorkeeper = doorkeeper
        self._page = page
        self._clock = clock
        self._cookie = f"intercom_{port}"  # cookies know no ports, two installs on one machine do
        self._failures = Pace(FAILURES, PERIOD)

    async def visitor(self, request: web.Request) -> Visitor | None:
        cookie = request.cookies.get(self._cookie, "")
        return await self._doorkeeper.who(cookie) if 0 < len(cookie) <= 512 else None

    async def enter(self, request: web.Request) -> web.Response:
        """Trade the link's token for a cookie."""
        if "prefetch" in request.headers.get("Sec-Purpose", ""):
            raise web.HTTPServiceUnavailable(text="A link that works once is not fetched ahead.")
        now = self._clock.now()
        if wait := self._failures.wait("", now):
            return self._locked(429, {"Retry-After": str(int(wait) + 1)})
        token = request.query.get("token", "")
        cookie = await self._doorkeeper.redeem(token) if 0 < len(token) <= 512 else None
        if cookie is None:
            return await self._not_traded(request)
        response = self._onward()
        response.set_cookie(
            self._cookie, cookie.value, max_age=cookie.max_age, path="/", httponly=True, samesite="Strict"
        )
        log.info("web.link_used")
        return response

    async def _not_traded(self, request: web.Request) -> web.Response:
        if await self.visitor(request):  # an old link in a browser that is already in
            return self._onward()
        self._failures.count("", self._clock.now())
        log.info("web.link_refused")
        return self._locked(401)

    def _onward(self) -> web.Response:
        # Not a redirect: after a link in another site's page the browser would follow it as that site's
        # request and hold the SameSite=Strict cookie back. This page goes on by itself, as our own.
        return self._page.response("enter.html")

    def locked(self) -> web.Response:
        """What a browser without a cookie sees."""
        return self._locked(401)

    def _locked(self, status: int, headers: dict[str, str] | None = None) -> web.Response:
        return self._page.response("locked.html", status=status, headers=headers)
