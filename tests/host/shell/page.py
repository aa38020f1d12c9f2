"""A browser's side of the page: opens the link, keeps the cookie, talks over the WebSocket."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import aiohttp

Json = dict[str, Any]


class Page:
    """One open page."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, socket: aiohttp.ClientWebSocketResponse
    ) -> None:
        self._http = http
        self._url = url
        self._socket = socket
        self.frames: list[Json] = []

    async def say(self, text: str, room: str = "main", files: Sequence[str] = ()) -> None:
        frame = {"type": "say", "client_id": uuid4().hex, "room": room, "text": text, "files": list(files)}
        await self._socket.send_json(frame)

    async def hand_over(self, name: str, data: bytes, mime: str, room: str = "main") -> Json:
        """Add a file to the message that will be sent."""
        form = aiohttp.FormData()
        form.add_field("file", data, filename=name, content_type=mime)
        address, headers = f"{self._url}/api/rooms/{room}/files", {"Origin": self._url}
        async with self._http.post(address, data=form, headers=headers) as answer:
            assert answer.status == 201, await answer.text()
            upload: Json = await answer.json()
            return upload

    async def file(self, id_: str) -> bytes:
        async with self._http.get(f"{self._url}/api/files/{id_}") as answer:
            assert answer.status == 200, await answer.text()
            return await answer.read()

    async def tap(self, item: Json, verb: str) -> None:
        data = next(
            button["data"]
            for row in item["buttons"]
            for button in row
            if button["data"].startswith(f"{verb}:")
        )
        frame = {
            "type": "tap",
            "client_id": uuid4().hex,
            "room": item["room"],
            "item": item["id"],
            "data": data,
        }
        await self._socket.send_json(frame)

    async def frame(self, fits: Callable[[Json], bool], within: float = 30.0) -> Json:
        """The first frame that fits, of those received and those to come."""
        async with asyncio.timeout(within):
            while True:
                for frame in self.frames:
                    if fits(frame):
                        return frame
                self.frames.append(await self._socket.receive_json())

    async def item(self, fits: Callable[[Json], bool], within: float = 30.0) -> Json:
        """The first item that fits."""
        frame = await self.frame(lambda frame: frame["type"] == "item" and fits(frame["item"]), within)
        item: Json = frame["item"]
        return item

    async def get(self, path: str) -> Json:
        async with self._http.get(f"{self._url}{path}") as answer:
            assert answer.status == 200, await answer.text()
            found: Json = await answer.json()
            return found


def words(item: Json) -> str:
    """All text of an item, whatever its shape."""
    return _text(item["title"]) + " " + _text(item["body"])


def offers(item: Json, verb: str) -> bool:
    """Whether the button is there and may be pressed yet."""
    buttons = [button["data"] for row in item["buttons"] for button in row]
    return item["tappable"] and any(data.startswith(f"{verb}:") for data in buttons)


def _text(node: object) -> str:
    if isinstance(node, str):
        return node
    if isinstance(node, dict):
        return " ".join(_text(value) for value in node.values())
    return " ".join(_text(each) for each in node) if isinstance(node, list) else ""


@asynccontextmanager
async def opened(link: str) -> AsyncIterator[Page]:
    """Follow a one-time link and stay connected."""
    url = link.partition("/open")[0]
    jar = aiohttp.CookieJar(unsafe=True)  # cookies of an address without a name
    async with aiohttp.ClientSession(cookie_jar=jar) as http:
        async with http.get(link) as entered:
            assert entered.status == 200, await entered.text()
        live = f"{url}/api/live?page={uuid4().hex}"
        async with http.ws_connect(live, headers={"Origin": url}) as socket:
            page = Page(http, url, socket)
            await page.frame(lambda frame: frame["type"] == "hello")
            yield page
