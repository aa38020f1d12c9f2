"""Hears one process out: what it prints, up to a limit, and that it ended."""

import asyncio

from demarch.cli.spawning import Hearer

LINGER = 0.25  #: seconds for output that a process left in the pipe, or that its own children hold open
LONGEST_COMPLAINT = 64 * 1024  #: of stderr that much is kept, the rest is let go by


class Listening(Hearer):
    """`ended` is done when the process has ended and was heard, or at once when it prints too much."""

    def __init__(self, largest: int) -> None:
        super().__init__()
        self._loop = asyncio.get_running_loop()
        self._largest = largest
        self._open = {1, 2}
        self._linger: asyncio.TimerHandle | None = None
        self.out = bytearray()
        self.err = bytearray()
        self.endless = False
        self.ended: asyncio.Future[None] = self._loop.create_future()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        if fd == 2:
            self.err += data[: max(0, LONGEST_COMPLAINT - len(self.err))]
        elif len(self.out) + len(data) > self._largest:
            self.endless = True
            self._end()
        else:
            self.out += data

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self._open.discard(fd)
        if self.left.done() and not self._open:
            self._end()

    def process_exited(self) -> None:
        super().process_exited()
        if not self._open:
            self._end()
        elif not self.ended.done():
            # A server that the command started in the background may keep the pipe open for hours.
            self._linger = self._loop.call_later(LINGER, self._end)

    def close(self) -> None:
        if self._linger is not None:
            self._linger.cancel()

    def _end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)
