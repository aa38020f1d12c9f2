"""Takes in the bodies of one container's requests: never too much of them at once, never too slowly."""

import asyncio

from aiohttp import web

from container.broker.bounds import MIB, Bounds
from container.broker.port import NotAllowed
from container.wire import Allowance


class Intake:
    """Counts the bytes of all requests under way."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._held = 0
        self._requests = Allowance(bounds.requests, max(1, int(4 * bounds.requests)))
        self._megabytes = Allowance(bounds.megabytes, max(1, int(8 * bounds.megabytes)))
        self._unpaid = 0  #: bytes taken in since the last whole megabyte

    async def turn(self) -> None:
        """Wait until one more request may be looked at: the host has others to serve."""
        await self._requests.wait()

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
                    await self._pace(len(piece))
            return bytes(body)
        except BaseException as error:
            self._held -= len(body)
            if isinstance(error, TimeoutError):
                raise NotAllowed("The request was not sent: it came in too slowly.") from None
            raise

    async def _pace(self, size: int) -> None:
        self._unpaid += size
        while self._unpaid >= MIB:
            self._unpaid -= MIB
            await self._megabytes.wait()

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
