"""Copies bytes both ways between two connections: each side may end first, and neither may rest for ever."""

import asyncio
from dataclasses import dataclass

CHUNK = 64 * 1024
FAREWELL = 5.0  #: seconds for the last bytes to go out


@dataclass(frozen=True, slots=True)
class End:
    """One connection."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def close(self) -> None:
        """Let what was written go out, but not for long."""
        self.writer.close()
        try:
            async with asyncio.timeout(FAREWELL):
                await self.writer.wait_closed()
        except (OSError, TimeoutError):
            pass
        finally:
            self.writer.transport.abort()


class Tunnel:
    """One tunnel. A side that does not read stops the other from being read."""

    def __init__(self, client: End, server: End, *, idle: float, total: float) -> None:
        self._client = client
        self._server = server
        self._idle = idle
        self._end = asyncio.get_running_loop().time() + total
        self._limit: asyncio.Timeout | None = None
        self.sent = 0
        self.received = 0

    async def run(self, first: bytes) -> None:
        """Pass `first` on and then everything, until both sides have ended, one broke, or time is over."""
        try:
            async with asyncio.timeout_at(self._deadline()) as self._limit, asyncio.TaskGroup() as pumps:
                pumps.create_task(self._up(first))
                pumps.create_task(self._down())
        except* (OSError, TimeoutError):
            pass

    async def _up(self, first: bytes) -> None:
        data = first
        while data:
            self._server.writer.write(data)
            self.sent += len(data)
            await self._server.writer.drain()
            data = await self._client.reader.read(CHUNK)
            self._touch()
        _half_close(self._server)

    async def _down(self) -> None:
        while data := await self._server.reader.read(CHUNK):
            self._touch()
            self._client.writer.write(data)
            self.received += len(data)
            await self._client.writer.drain()
        _half_close(self._client)

    def _touch(self) -> None:
        if self._limit is not None and not self._limit.expired():
            self._limit.reschedule(self._deadline())

    def _deadline(self) -> float:
        return min(self._end, asyncio.get_running_loop().time() + self._idle)


def _half_close(end: End) -> None:
    if end.writer.can_write_eof() and not end.writer.is_closing():
        end.writer.write_eof()
