"""Somebody who hears events: straight into its connection, or into a queue while it is not ready for them.

Nothing here waits. What a listener cannot take is bounded; beyond that it is let go, with the advice to come
back with its cursor.
"""

import asyncio
from collections.abc import Callable, Sequence

from intermute.events.frames import Frame, stream_frame
from intermute.events.interest import Interest

BACKLOG = 256 * 1024  #: bytes that wait for a listener

#: called when a listener is let go
Lost = Callable[[], None]


class Listener:
    """`agent` hears what is for it and for everybody; without one it hears everything, and no names."""

    def __init__(self, *, project: str, agent: str, interest: Interest) -> None:
        self.project = project
        self.agent = agent
        self.interest = interest
        self.after = 0  #: hears only what lies behind this cursor
        self.gone = False

    def form(self, frame: Frame) -> bytes:
        """The event as it goes to this listener."""
        raise NotImplementedError

    def take(self, pieces: Sequence[bytes]) -> None:
        """Hear these, in their order. Never waits."""
        raise NotImplementedError

    def go_live(self) -> bool:
        """The past has been told. False: more came meanwhile than waits, it must be read again."""
        raise NotImplementedError

    def let_go(self) -> None:
        """It is too slow, or must start again."""
        self.gone = True


class _Queue:
    """What waits for a listener. Beyond the bound it holds nothing, and says so."""

    __slots__ = ("_pieces", "_size", "overflown")

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0
        self.overflown = False

    def add(self, pieces: Sequence[bytes]) -> None:
        if self.overflown:
            return
        self._pieces += pieces
        self._size += sum(map(len, pieces))
        if self._size > BACKLOG:
            self.overflown = True
            self._pieces = []

    def empty(self) -> bytes:
        everything = b"".join(self._pieces)
        self._pieces, self._size, self.overflown = [], 0, False
        return everything


class SocketListener(Listener):
    """A WebSocket. While it is sent what it missed, the new waits."""

    def __init__(
        self, transport: asyncio.Transport, *, project: str, agent: str, interest: Interest, lost: Lost
    ) -> None:
        super().__init__(project=project, agent=agent, interest=interest)
        self._transport = transport
        self._lost = lost
        self._waiting: _Queue | None = _Queue()

    def form(self, frame: Frame) -> bytes:
        return frame.socket(self.agent)

    def take(self, pieces: Sequence[bytes]) -> None:
        if self._waiting is not None:
            self._waiting.add(pieces)
        elif self._transport.get_write_buffer_size() > BACKLOG:
            self.let_go()
        elif not self._transport.is_closing():
            self._transport.write(b"".join(pieces))

    def go_live(self) -> bool:
        if self._waiting is None:
            return True
        if self._waiting.overflown:
            self._waiting.empty()
            return False
        if (waited := self._waiting.empty()) and not self._transport.is_closing():
            self._transport.write(waited)
        self._waiting = None
        return True

    def let_go(self) -> None:
        super().let_go()
        self._lost()


class StreamListener(Listener):
    """A stream of server-sent events, which fetches what waits for it."""

    def __init__(self, *, project: str, agent: str, interest: Interest) -> None:
        super().__init__(project=project, agent=agent, interest=interest)
        self._waiting = _Queue()
        self._ready = asyncio.Event()

    def form(self, frame: Frame) -> bytes:
        return stream_frame(frame.event.cursor, frame.text(self.agent))

    def take(self, pieces: Sequence[bytes]) -> None:
        self._waiting.add(pieces)
        self._ready.set()

    def go_live(self) -> bool:
        if self._waiting.overflown:
            self._waiting.empty()
            return False
        return True

    async def fetch(self) -> bytes | None:
        """What came since, as soon as there is something; None: more than waits, this is the end."""
        await self._ready.wait()
        self._ready.clear()
        return None if self._waiting.overflown or self.gone else self._waiting.empty()

    def let_go(self) -> None:
        super().let_go()
        self._ready.set()
