"""The web server's addresses: the page, its data, and how the host is."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bridges.web import wire
from bridges.web.assets import Page
from bridges.web.door import Door
from bridges.web.guard import LIVE, add_headers, from_this_machine, guard
from bridges.web.live import Live
from bridges.web.port import Health, NoSuchRoom, Rooms, Visitor
from bridges.web.uploads import Uploads

OLDEST_PAGE = 200  # items of history in one answer, at most
USUAL_PAGE = 50

Answer = Callable[[web.Request, Visitor], Awaitable[web.StreamResponse]]


class Routes:
    """One method per address."""

    def __init__(
        self, *, page: Page, door: Door, rooms: Rooms, health: Health, live: Live, uploads: Uploads
    ) -> None:
        self._page = page
        self._door = door
        self._rooms = rooms
        self._health = health
        self._live = live
        self._uploads = uploads

    def app(self, hosts: frozenset[str]) -> web.Application:
        app = web.Application(middlewares=[guard(hosts)], client_max_size=64 * 1024)
        app.on_response_prepare.append(add_headers)
        add = app.router.add_get
        add("/", self.home)
        add("/open", self._door.enter)
        add("/page/{name}", self._page.file)
        add("/api/rooms", self._known(self.rooms))
        add("/api/rooms/{folder}/history", self._known(self.history))
        add("/api/rooms/{folder}/side", self._known(self.side))
        add("/api/pictures/{id}", self._known(self.picture))
        add("/api/files/{id}", self._known(self._uploads.give))
        app.router.add_post("/api/rooms/{folder}/files", self._known(self._uploads.take))
        add(LIVE, self._known(self._live.serve))
        add("/healthz", _for_this_machine(self.healthz))
        add("/readyz", _for_this_machine(self.readyz))
        add("/metrics", _for_this_machine(self.metrics))
        return app

    async def home(self, request: web.Request) -> web.StreamResponse:
        if "token" in request.query:
            return await self._door.enter(request)
        if await self._door.visitor(request) is None:
            return self._door.locked()
        return self._page.response("index.html")

    async def rooms(self, _request: web.Request, visitor: Visitor) -> web.StreamResponse:
        rooms = await self._rooms.rooms(visitor.person)
        return web.json_response(
            {
                "name": visitor.name,
                "rooms": [wire.room(room) for room in rooms],
                "notes": list(self._health.banner()),
            }
        )

    async def history(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        limit = _limit(request.query.get("limit", ""))
        before = request.query.get("before", "")[:128] or None
        items = await self._rooms.history(visitor.person, request.match_info["folder"], before, limit)
        return web.json_response(wire.history(items, limit, visitor.person))

    async def side(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        side = await self._rooms.side(visitor.person, request.match_info["folder"])
        return web.json_response(wire.side(side, visitor.person))

    async def picture(self, request: web.Request, visitor: Visitor) -> web.StreamResponse:
        png = await self._rooms.picture(visitor.person, request.match_info["id"][:128])
        if png is None:
            raise web.HTTPNotFound(text="There is no such picture.")
        keep = {"Cache-Control": "private, max-age=86400, immutable"}
        return web.Response(body=png, content_type="image/png", headers=keep)

    async def healthz(self, _request: web.Request) -> web.StreamResponse:
        return web.json_response({"alive": True})

    async def readyz(self, _request: web.Request) -> web.StreamResponse:
        readiness = await self._health.ready()
        parts = {name: {"ok": part.ok, "reason": part.reason} for name, part in readiness.parts.items()}
        return web.json_response(
            {"ready": readiness.ready, "parts": parts}, status=200 if readiness.ready else 503
        )

    async def metrics(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(
            body=self._health.metrics(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
        )

    def _known(self, answer: Answer) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """For visitors with a cookie; a room they may not see is one that does not exist."""

        async def handle(request: web.Request) -> web.StreamResponse:
            visitor = await self._door.visitor(request)
            if visitor is None:
                raise web.HTTPUnauthorized(
                    text="This browser is not signed in. Run `intercom link` for a new link."
                )
            try:
                return await answer(request, visitor)
            except NoSuchRoom:
                raise web.HTTPNotFound(text="There is no such room.") from None

        return handle


def _limit(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        return USUAL_PAGE
    return min(OLDEST_PAGE, max(1, int(text)))


def _for_this_machine(
    answer: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def handle(request: web.Request) -> web.StreamResponse:
        if not from_this_machine(request):
            raise web.HTTPForbidden(text="Only programs on this machine may read this.")
        return await answer(request)

    return handle
