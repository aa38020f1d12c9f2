"""A strict Bot API server: real HTTP, state like Telegram's, and the hands of all its users."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from aiohttp import web

from tests.servers.telegram.faults import Fault, Faults
from tests.servers.telegram.methods import METHODS
from tests.servers.telegram.people import People
from tests.servers.telegram.records import Answer, Call, Sent
from tests.servers.telegram.refusal import Refusal
from tests.servers.telegram.world import Chat, Draft, Json, Shown, World

TOKEN = "12345:TEST-token_of_the_fake_bot"

T = TypeVar("T")

_DELIVERING = {
    "sendMessage",
    "sendPhoto",
    "sendDocument",
    "editMessageText",
    "editMessageCaption",
    "editMessageReplyMarkup",
}
_LARGEST = 50 * 1024 * 1024


class TelegramServer(People):
    """Start it with `TelegramServer.running()`; `url` is the bridge's api_base."""

    def __init__(self, token: str = TOKEN) -> None:
        super().__init__(World())
        self.token = token
        self.url = ""
        self.calls: list[Call] = []
        self.sent: list[Sent] = []  #: new messages
        self.edits: list[Sent] = []
        self.answers: list[Answer] = []
        self._faults = Faults()
        self._app = web.Application(client_max_size=_LARGEST)
        self._app.router.add_route("*", "/bot{token}/{method}", self._handle)
        self._app.router.add_get("/file/bot{token}/{path:.+}", self._file)

    @property
    def app(self) -> web.Application:
        return self._app

    @classmethod
    @asynccontextmanager
    async def running(cls, token: str = TOKEN, port: int = 0) -> AsyncIterator["TelegramServer"]:
        server = cls(token)
        async with server.serving(port):
            yield server

    @asynccontextmanager
    async def serving(self, port: int = 0) -> AsyncIterator[None]:
        # Cancelled handlers are what lets it end while polls are open.
        runner = web.AppRunner(self._app, handler_cancellation=True, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port)
        await site.start()
        host, bound = runner.addresses[0][:2]
        self.url = f"http://{host}:{bound}"
        try:
            yield
        finally:
            await runner.cleanup()

    # What tests see

    def messages(self, chat: int, thread: int | None = None) -> list[Shown]:
        """What the bot shows in a chat now, oldest first."""
        known = self.world.chats.get(chat)
        shown = known.messages.values() if known else ()
        return [
            message
            for message in shown
            if message.by_bot and not message.deleted and thread in (None, message.thread)
        ]

    async def wait_for(self, predicate: Callable[[], T], within: float = 5.0) -> T:
        """Wait until the predicate is true, looking whenever something happened here."""
        async with asyncio.timeout(within):
            while not (result := predicate()):
                await self.world.changed().wait()
            return result

    async def wait_for_message(
        self, chat: int, text: str = "", *, count: int = 1, within: float = 5.0
    ) -> Shown:
        """The newest message of the bot containing the text, once there are that many."""

        def found() -> list[Shown]:
            fitting = [message for message in self.messages(chat) if text in message.text]
            return fitting if len(fitting) >= count else []

        return (await self.wait_for(found, within))[-1]

    # What a network does

    def flood(self, chat: int, seconds: float) -> None:
        """429 for this chat until then."""
        self.world.chat(chat).held_until = time.monotonic() + seconds

    def drop_next(self, method: str, *, after: bool = False, times: int = 1) -> None:
        """Break the connection of the next call, before or after it took effect."""
        self._faults.add(method, Fault(drop_before=not after, drop_after=after), times)

    def slow_next(self, method: str, seconds: float, times: int = 1) -> None:
        self._faults.add(method, Fault(seconds=seconds), times)

    def hold_next(self, method: str) -> asyncio.Event:
        """The next call is not begun before the returned event is set."""
        gate = asyncio.Event()
        self._faults.add(method, Fault(gate=gate))
        return gate

    def fail_next(self, method: str, status: int, description: str, times: int = 1) -> None:
        self._faults.add(method, Fault(status=status, description=description), times)

    def garble_next(self, method: str, text: str) -> None:
        """The next call is answered by something that is not Telegram, such as a hotel's sign-in page."""
        self._faults.add(method, Fault(garbage=text))

    # HTTP

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        at = time.monotonic()
        method = request.match_info["method"]
        params = await _params(request)
        fault = self._faults.take(method) or Fault()
        if fault.gate is not None:
            await fault.gate.wait()
        if fault.garbage:
            self.calls.append(Call(method=method, params=params, at=at, status=200))
            return web.Response(text=fault.garbage)
        status, body = 0, {"ok": False}
        if not fault.drop_before:
            status, body = await self._answer(request, method, params, fault, at)
        self.calls.append(Call(method=method, params=params, at=at, status=status))
        self.world.notify()
        if fault.drop_before or fault.drop_after:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)
        if fault.seconds:
            await asyncio.sleep(fault.seconds)
        return web.json_response(body, status=status)

    async def _answer(
        self, request: web.Request, method: str, params: Json, fault: Fault, at: float
    ) -> tuple[int, Json]:
        try:
            if fault.status:
                raise Refusal(fault.status, fault.description)
            if request.match_info["token"] != self.token:
                raise Refusal(401, "Unauthorized")
            if method not in METHODS:
                raise Refusal(404, "Not Found: method not found")
            result = await METHODS[method](self.world, params)
        except Refusal as refusal:
            return refusal.code, refusal.wire()
        except KeyError as error:
            return 400, Refusal(400, f"Bad Request: parameter {error} is required").wire()
        self._record(method, params, result, at)
        return 200, {"ok": True, "result": result}

    def _record(self, method: str, params: Json, result: Any, at: float) -> None:
        if method in _DELIVERING:
            shown = self.world.chats[int(params["chat_id"])].messages[result["message_id"]]
            record = Sent(
                method=method,
                chat=shown.chat,
                thread=shown.thread,
                message_id=shown.message_id,
                text=shown.text,
                buttons=tuple(shown.data),
                at=at,
            )
            (self.sent if method.startswith("send") else self.edits).append(record)
        elif method == "answerCallbackQuery":
            tap = self.world.taps[params["callback_query_id"]]
            self.answers.append(
                Answer(
                    tap_id=tap.id,
                    chat=tap.chat,
                    message_id=tap.message_id,
                    user=tap.user,
                    text=params.get("text", ""),
                    alert=params.get("show_alert") == "true",
                    at=at,
                )
            )

    async def _file(self, request: web.Request) -> web.StreamResponse:
        """A download. A fault for "file" works here as for a method; `drop_after` cuts it in the middle."""
        path = request.match_info["path"]
        self.calls.append(Call(method="file", params={"path": path}, at=time.monotonic(), status=200))
        fault = self._faults.take("file") or Fault()
        if fault.gate is not None:
            await fault.gate.wait()
        kept = next((each for each in self.world.files.values() if each.path == path), None)
        if request.match_info["token"] != self.token or kept is None or fault.status:
            return web.Response(status=fault.status or 404, text="Not Found")
        response = web.StreamResponse(headers={"Content-Length": str(len(kept.data))})
        await response.prepare(request)
        if fault.drop_after and request.transport is not None:
            await response.write(kept.data[: len(kept.data) // 2])
            request.transport.abort()
            return response
        await response.write(kept.data)
        return response

    def draft(self, chat: int) -> Draft | None:
        """What the chat shows as being written at this moment."""
        draft = self.world.chat(chat).draft
        return draft if draft is not None and draft.until > time.monotonic() else None

    def chat(self, chat: int) -> Chat:
        return self.world.chat(chat)


async def _params(request: web.Request) -> Json:
    """Query and form together; files as bytes."""
    params: Json = dict(request.query)
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            params[f"{name}.filename"] = value.filename
        params[name] = value.file.read() if isinstance(value, web.FileField) else value
    return params
