"""Lines from a side that may send anything, whole or in pieces."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container.image.local import wire as inside
from container.wire import AgentStream, Allowance, Line, LineBuffer, LineTooLong, rpc_message

Unread = tuple[asyncio.StreamReader, asyncio.StreamWriter]
PIECES = st.lists(st.binary(max_size=40), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=7), inner, max_size=3),
    max_leaves=6,
)


@given(PIECES)
def test_lines_are_the_same_however_the_bytes_arrive(pieces: list[bytes]) -> None:
    whole = b"".join(pieces) + b"\n"
    buffer, other = LineBuffer(1000), inside.Lines(1000)
    lines = [line for piece in (*pieces, b"\n") for line in buffer.feed(piece)]
    assert lines == [line.strip() for line in whole.split(b"\n") if line.strip()]
    assert [line for piece in (*pieces, b"\n") for line in other.feed(piece)] == lines


@given(PIECES, st.integers(1, 60))
def test_a_line_never_grows_beyond_its_bound(pieces: list[bytes], longest: int) -> None:
    buffer = LineBuffer(longest)
    longest_sent = max(len(line) for line in b"".join(pieces).split(b"\n"))
    try:
        for piece in pieces:
            assert all(len(line) <= longest for line in buffer.feed(piece))
    except LineTooLong:
        assert longest_sent > longest
    else:
        assert longest_sent <= longest


@given(PIECES, st.integers(1, 60))
def test_the_agent_drops_a_long_line_and_reads_on(pieces: list[bytes], longest: int) -> None:
    lines = inside.Lines(longest)
    kept = [line for piece in (*pieces, b"\nend\n"[:longest]) for line in lines.feed(piece)]
    sent = b"".join([*pieces, b"\nend\n"[:longest]]).split(b"\n")[:-1]
    assert kept == [line.strip() for line in sent if line.strip() and len(line) <= longest]
    assert lines.dropped == sum(len(line) > longest for line in sent)


@given(st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()))
def test_anything_is_a_sound_message_or_none(line: bytes) -> None:
    message = rpc_message(line)
    if message is not None:
        assert isinstance(message.get("method", ""), str)
        assert isinstance(message.get("id", 0), str | int | None)
        assert not isinstance(message.get("id"), bool)


@pytest.mark.parametrize(
    "line",
    [b"[" * 100_000, b'{"id": ' + b"9" * 10_000 + b"}", b'{"id":{},"result":1}', b'{"id":[1],"error":1}'],
)
def test_what_would_upset_the_parser_is_no_message(line: bytes) -> None:
    assert rpc_message(line) is None


def test_a_malformed_error_becomes_a_sound_one() -> None:
    message = rpc_message(b'{"id": 1, "error": {"code": "x", "message": 7}}')
    assert message == {"id": 1, "error": {"code": -32603, "message": "Error", "data": None}}


def test_an_allowance_gives_a_burst_and_then_a_rate() -> None:
    now = 0.0
    allowance = Allowance(10, 3, now=lambda: now)
    assert [allowance.take() for _ in range(3)] == [0, 0, 0]
    assert allowance.take() == pytest.approx(0.1)
    now = 0.1
    assert allowance.take() == 0
    assert allowance.take() > 0
    now = 100.0
    assert [allowance.take() > 0 for _ in range(4)] == [False, False, False, True]


async def test_a_side_that_does_not_read_is_given_up(unread: Unread) -> None:
    line = Line(*unread, patience=0.05)
    with pytest.raises(ConnectionError, match="does not read"):
        await line.send(b"x" * 10_000_000)
    with pytest.raises(ConnectionError):
        await line.send(b"x")


async def test_a_reply_nobody_waits_for_any_more_is_no_failure(unread: Unread) -> None:
    stream = AgentStream(Line(*unread))
    await stream.close()
    await stream.send({"id": 1, "result": {}})
    with pytest.raises(ConnectionError):
        await stream.send({"id": 1, "method": "session/prompt"})


@pytest.fixture
async def unread() -> AsyncIterator[Unread]:
    """One end of a connection whose other end nobody reads."""
    ours, theirs = socket.socketpair()
    with theirs:
        reader, writer = await asyncio.open_connection(sock=ours)
        yield reader, writer
        writer.transport.abort()
