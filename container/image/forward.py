"""Passes loopback ports on to the host's sockets, for agents whose programs speak TCP only.

One small process and one loop: bytes go through as they come, in pieces of at most 64 KiB, and a side that
does not read stops the other one. Loopback is up in a container without a network.
"""

import _socket
import os
import select
from contextlib import suppress

MODEL_PORT, EGRESS_PORT = 8181, 8182
PORTS = ((MODEL_PORT, "model.sock"), (EGRESS_PORT, "egress.sock"))
CONNECTIONS = 64  #: at once, of both ports; the next ones wait in the kernel
BACKLOG = 128
CHUNK = 64 * 1024
LOOPBACK = "127.0.0.1"

READ, WRITE = select.EPOLLIN, select.EPOLLOUT
GONE = select.EPOLLERR | select.EPOLLHUP  #: told whether it was asked for or not


class End:
    """One end of a connection, and what waits to be written to it."""

    __slots__ = ("ended", "events", "other", "shut", "socket", "waiting")

    def __init__(self, socket: _socket.socket) -> None:
        self.socket = socket
        self.other = self
        self.waiting = memoryview(b"")
        self.ended = False  #: it has sent all it will send
        self.shut = False  #: it was told that nothing more comes
        self.events = 0  #: what is being waited for


class Forwarder:
    """Listens and copies until the process it serves has ended."""

    def __init__(self, listeners: dict[int, tuple[_socket.socket, str]]) -> None:
        self._listeners = listeners  #: by descriptor: where it listens, and the socket that is meant
        self._ends: dict[int, End] = {}
        self._poll = select.epoll()
        self._taking = True
        for descriptor in listeners:
            self._poll.register(descriptor, READ)

    def run(self, served: int = -1) -> None:
        """`served` is a descriptor that is readable when nobody needs this any more."""
        if served >= 0:
            self._poll.register(served, READ)
        with self._poll:
            while self._serve(served):
                pass
        for end in self._ends.values():
            end.socket.close()

    def _serve(self, served: int) -> bool:
        """What is to be done now; False at the end."""
        called = []
        for descriptor, events in self._poll.poll():
            if descriptor == served:
                return False
            if descriptor in self._listeners:
                called.append(descriptor)
            elif end := self._ends.get(descriptor):
                self._move(end, events)
        for descriptor in called:  # last: a new descriptor has the number of one that was closed
            self._take(*self._listeners[descriptor])
        return True

    def _take(self, listener: _socket.socket, path: str) -> None:
        try:
            descriptor, _ = listener._accept()  # type: ignore[attr-defined] # noqa: SLF001 - it has no other
        except OSError:  # it went away again
            return
        near = _socket.socket(fileno=descriptor)
        far = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
        try:
            far.connect(path)  # waits at most until the host has taken the ones before
            near.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        except OSError:
            near.close()
            far.close()
            return
        a, b = End(near), End(far)
        a.other, b.other = b, a
        for end in (a, b):
            end.socket.setblocking(False)
            self._ends[end.socket.fileno()] = end
            self._poll.register(end.socket.fileno(), READ | select.EPOLLONESHOT)
            end.events = READ
        self._take_more()

    def _move(self, end: End, events: int) -> None:
        end.events = 0
        try:
            if events & (WRITE | GONE):
                self._write(end)
            if events & (READ | GONE) and not end.ended and not end.other.waiting:
                self._read(end)
        except BlockingIOError:
            pass
        except OSError:  # one side is gone: nobody is there for the rest
            return self._close(end)
        if end.shut and end.other.shut:
            return self._close(end)
        self._watch(end)
        self._watch(end.other)
        return None

    def _read(self, end: End) -> None:
        data = end.socket.recv(CHUNK)
        if data:
            end.other.waiting = memoryview(data)
        else:
            end.ended = True
        with suppress(BlockingIOError):
            self._write(end.other)

    def _write(self, end: End) -> None:
        if end.waiting:
            end.waiting = end.waiting[end.socket.send(end.waiting) :]
        if end.other.ended and not end.waiting and not end.shut:
            end.shut = True
            end.socket.shutdown(_socket.SHUT_WR)

    def _watch(self, end: End) -> None:
        """Ask for the next event; one is told once, so that an end that is gone does not tell it for ever."""
        wanted = WRITE if end.waiting else 0
        if not end.ended and not end.other.waiting:
            wanted |= READ
        if wanted and wanted != end.events:
            self._poll.modify(end.socket.fileno(), wanted | select.EPOLLONESHOT)
            end.events = wanted

    def _close(self, end: End) -> None:
        for each in (end, end.other):
            descriptor = each.socket.fileno()
            del self._ends[descriptor]
            self._poll.unregister(descriptor)
            each.socket.close()
        self._take_more()

    def _take_more(self) -> None:
        """Take connections as long as there may be more of them."""
        taking = len(self._ends) < 2 * CONNECTIONS
        if taking != self._taking:
            self._taking = taking
            for descriptor in self._listeners:
                self._poll.modify(descriptor, READ if taking else 0)


def listen(port: int) -> _socket.socket:
    listener = _socket.socket(_socket.AF_INET, _socket.SOCK_STREAM)
    listener.setsockopt(_socket.SOL_SOCKET, _socket.SO_REUSEADDR, 1)
    listener.bind((LOOPBACK, port))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener


def start(folder: str) -> None:
    """Listen for the sockets that are in `folder`, and leave a child behind that serves them.

    It ends with the process that called this, which goes on to become the agent.
    """
    wanted = [(port, f"{folder}/{name}") for port, name in PORTS if os.access(f"{folder}/{name}", os.F_OK)]
    listening = [(listen(port), path) for port, path in wanted]
    served = os.getpid()
    if os.fork():
        for listener, _ in listening:
            listener.close()
        return
    status = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)  # what the agent will read and write is not ours
        os.dup2(0, 1)
        Forwarder({listener.fileno(): (listener, path) for listener, path in listening}).run(_end_of(served))
        status = 0
    finally:
        os._exit(status)


def _end_of(process: int) -> int:
    """A descriptor that tells the end of a process; without one, the end of the container is ours."""
    try:
        descriptor = os.pidfd_open(process)
    except OSError:
        return -1
    if os.getppid() != process:  # it ended before we looked
        os._exit(0)
    return descriptor
