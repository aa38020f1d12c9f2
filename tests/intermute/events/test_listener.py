"""What a connection is given, and what waits for it."""

import asyncio

from intermute.events.frames import Frame
from intermute.events.interest import Interest
from intermute.events.listener import BACKLOG, SocketListener
from tests.intermute.events.telling import event


class Wire(asyncio.Transport):
    """A transport whose other end reads nothing by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.written: list[bytes] = []
        self.unread = 0
        self.closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written.append(bytes(data))
        self.unread += len(data)

    def get_write_buffer_size(self) -> int:
        return self.unread

    def is_closing(self) -> bool:
        return self.closing


class Ended:
    times = 0

    def __call__(self) -> None:
        self.times += 1


def made(wire: Wire, ended: Ended) -> SocketListener:
    return SocketListener(wire, project="alpha", agent="ann", interest=Interest(), lost=ended)


def test_what_comes_during_the_replay_follows_it_in_one_piece() -> None:
    wire = Wire()
    listener = made(wire, Ended())
    listener.take([b"a", b"b"])
    listener.take([b"c"])
    assert wire.written == []
    assert listener.go_live()
    assert listener.go_live()
    listener.take([b"d", b"e"])
    assert wire.written == [b"abc", b"de"]


def test_more_than_may_wait_is_forgotten_and_that_is_said_once() -> None:
    wire = Wire()
    listener = made(wire, Ended())
    listener.take([b"x" * BACKLOG])
    listener.take([b"y"])
    listener.take([b"z"])
    assert not listener.go_live()
    listener.take([b"d"])
    assert listener.go_live()
    assert wire.written == [b"d"]


def test_who_leaves_too_much_unread_is_let_go() -> None:
    wire, ended = Wire(), Ended()
    listener = made(wire, ended)
    assert listener.go_live()
    listener.take([b"x" * BACKLOG])
    listener.take([b"y"])
    assert not listener.gone
    listener.take([b"z"])
    assert listener.gone
    assert (len(wire.written), ended.times) == (2, 1)


def test_nothing_is_written_to_a_connection_that_closes() -> None:
    wire = Wire()
    listener = made(wire, Ended())
    listener.take([b"a"])
    wire.closing = True
    assert listener.go_live()
    listener.take([b"b"])
    assert wire.written == []


def test_a_socket_gets_whole_frames() -> None:
    listener = made(Wire(), Ended())
    told = Frame(event(1, audience=("ann",)))
    assert listener.form(told) == bytes([0x81, len(told.text("ann"))]) + told.text("ann")
