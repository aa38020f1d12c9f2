"""The local chat page as a chat network: listens, brings in what people write, shows what is answered."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog
from aiohttp import web

from bridges.messages import Content, Part
from bridges.port import (
    BridgeMisconfigured,
    BridgeState,
    BridgeUnavailable,
    ChatGone,
    ContentRefused,
    FileRefused,
    Intake,
)
from bridges.web.assets import Page
from bridges.web.audience import Audience
from bridges.web.door import Door
from bridges.web.guard import known_hosts
from bridges.web.letterbox import Letterbox, TapId
from bridges.web.live import Live
from bridges.web.pace import Pace
from bridges.web.port import Clock, Doorkeeper, Files, Health, Rooms
from bridges.web.routes import Routes
from bridges.web.settings import WebSettings
from bridges.web.uploads import Uploads
from storage.ids import NewId

log = structlog.get_logger()


class WebBridge:
    """Implements `bridges.port.ChatBridge` for addresses that start with "web:".

    The page shows what the host has stored, so a message is delivered the moment its row exists;
    `Rooms.changes` carries it to the browsers.
    """

    def __init__(
        self,
        *,
        settings: WebSettings,
        rooms: Rooms,
        files: Files,
        doorkeeper: Doorkeeper,
        health: Health,
        clock: Clock,
        new_id: NewId,
    ) -> None:
        self._settings = settings
        self._rooms = rooms
        self._files = files
        self._doorkeeper = doorkeeper
        self._health = health
        self._clock = clock
        self._new_id = new_id
        self._audience = Audience()
        self._pace = Pace(settings.messages, settings.period)
        self._listening = asyncio.Event()
        self._url = ""

    @property
    def name(self) -> str:
        return "web"

    def state(self) -> BridgeState:
        if self._listening.is_set():
            return BridgeState(ok=True)
        return BridgeState(ok=False, reason="the page is not being served yet")

    async def url(self) -> str:
        """Where the page is ("http://127.0.0.1:8765"), once it is served."""
        await self._listening.wait()
        return self._url

    async def run(self, intake: Intake) -> None:
        page = await asyncio.to_thread(Page.read)
        listener = await asyncio.to_thread(_listen, self._settings.host, self._settings.port)
        with listener:
            port: int = listener.getsockname()[1]
            app = self._routes(intake, page, port).app(
                known_hosts(self._settings.host, port, self._settings.names)
            )
            async with _serving(app, listener, self._audience):
                self._url = f"http://{_printable(self._settings.host)}:{port}"
                self._listening.set()
                log.info("web.listening", url=self._url)
                try:
                    await asyncio.Event().wait()
                finally:
                    self._listening.clear()

    def _routes(self, intake: Intake, page: Page, port: int) -> Routes:
        letterbox = Letterbox(
            settings=self._settings,
            name=self.name,
            rooms=self._rooms,
            files=self._files,
            intake=intake,
            pace=self._pace,
            clock=self._clock,
        )
        live = Live(
            settings=self._settings,
            rooms=self._rooms,
            health=self._health,
            letterbox=letterbox,
            audience=self._audience,
        )
        door = Door(doorkeeper=self._doorkeeper, page=page, clock=self._clock, port=port)
        uploads = Uploads(settings=self._settings, rooms=self._rooms, files=self._files, clock=self._clock)
        return Routes(
            page=page, door=door, rooms=self._rooms, health=self._health, live=live, uploads=uploads
        )

    def parts(self, content: Content) -> Sequence[Part]:
        """Always one: a page has no limit worth splitting at."""
        return [
            Part(
                body=content.text,
                fallback=content.text,
                headline=content.headline,
                buttons=content.buttons,
                picture=content.picture,
                document=content.document,
                silent=content.silent,
                reply_to=content.reply_to,
            )
        ]

    async def send(self, address: str, part: Part) -> str:
        if not address.startswith("web:"):
            raise ChatGone(f"{address} is not an address of the page")
        if len(part.body) > self._settings.text_limit:
            raise ContentRefused(f"more than {self._settings.text_limit:,} characters")
        if not self._listening.is_set():
            raise BridgeUnavailable("the page is not being served yet")
        return str(self._new_id())

    async def edit(self, address: str, ref: str, part: Part) -> None:
        """Nothing to carry: the stored content is what the page shows."""

    async def delete(self, address: str, ref: str) -> None:
        """Nothing to carry: `Rooms.changes` says that the item is gone."""

    async def draft(self, address: str, number: int, content: Content) -> bool:
        """What grows is shown from its row."""
        return False

    async def fetch(self, handle: str, most: int) -> bytes:
        document = await self._files.handed_over(handle)
        if document is None:
            raise FileRefused("it is not kept any more")
        if len(document.data) > most:
            raise FileRefused(f"it is larger than {most / 1_000_000:g} MB")
        return document.data

    async def answer(self, tap_id: str, text: str, *, alert: bool = False) -> None:
        if tap := TapId.read(tap_id):
            frame = {"type": "answer", "client_id": tap.client_id, "text": text, "alert": alert}
            self._audience.tell(tap.person, tap.page, frame)

    async def typing(self, address: str) -> None:
        self._audience.tell_all({"type": "typing", "address": address, "on": True})


@asynccontextmanager
async def _serving(app: web.Application, listener: socket.socket, audience: Audience) -> AsyncIterator[None]:
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=2.0)
    await runner.setup()
    try:
        await web.SockSite(runner, listener).start()
        yield
    finally:
        await audience.close()
        await runner.cleanup()


def _listen(host: str, port: int) -> socket.socket:
    """Bind, in a thread because a name may have to be looked up. Raises BridgeMisconfigured."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=128)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            words = f"port {port} on {host} is taken by another program: stop it or set INTERCOM_WEB__PORT"
        else:
            words = f"cannot listen on {host} port {port} ({error.strerror}): check INTERCOM_WEB__HOST"
        raise BridgeMisconfigured(words) from error


def _printable(host: str) -> str:
    if host in {"0.0.0.0", "::"}:  # noqa: S104 - compared with, not bound to
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
