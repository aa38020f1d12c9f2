"""Takes in the bodies of one container's requests: never too much of them at once, never too slowly."""

import asyncio

from aiohttp import web

from container.broker.bounds import Bounds
from container.broker.port import NotAllowed


class Intake:
    """Counts the bytes of all requests under way."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._held = 0

    async def body(self, request: web.BaseRequest) -> bytes:
        """All of it; it counts until `release`. Raises NotAllowed, and then nothing counts."""
        if request.headers.get("content-encoding", "identity") != "identity":
            raise NotAllowed("The request was not sent: its body is packed, and packed bodies are not read.")
        body = bytearray()
        try:
            async with asyncio.timeout(self._bounds.upload):
                while piece := await request.content.readany():
                    body += piece
                    self._held += len(piece)
                    self._check(len(body))
            return bytes(body)
        except BaseException as error:
            self._held -= len(body)
            if isinstance(error, TimeoutError):
                raise NotAllowed("The request was not sent: it came in too slowly.") from None
            raise

    def _check(self, size: int) -> None:
        if size > self._bounds.body:
            raise NotAllowed(
                f"The request was not sent: it is larger than {self._bounds.body >> 20} MB. "
                "Start anew with /reset, or leave out large files."
            )
        if self._held > self._bounds.bodies:
            raise NotAllowed(
                "The request was not sent: too many large requests of this agent are under way. "
                "Ask again when they are done."
            )

    def release(self, size: int) -> None:
        self._held -= size
