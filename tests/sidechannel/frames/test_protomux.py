"""Frames are those of Protomux, and frames that lie are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidechannel.errors import BadFrame
from sidechannel.frames.protomux import (
    Close,
    Frame,
    Message,
    Open,
    Reject,
    body_json,
    json_body,
    read_frames,
    write_batch,
    write_frame,
)
from sidechannel.frames.varint import Reader, write_uint
from sidechannel.names import protocol_of
from tests.sidechannel.captured import VECTORS

CAPTURED = {name: bytes.fromhex(text) for name, text in VECTORS["frames"].items()}
A, B = Message(1, 0, json_body(b'{"a":1}')), Message(1, 0, json_body(b'{"b":2}'))

uints = st.integers(0, 2**64 - 1)
messages = st.builds(Message, st.integers(1, 2**40), uints, st.binary(max_size=50))
frames = (
    messages
    | st.builds(
        Open, uints, st.text(max_size=20), st.none() | st.binary(min_size=1, max_size=40), st.binary()
    )
    | st.builds(Reject, uints)
    | st.builds(Close, uints)
)


@pytest.mark.parametrize(
    ("name", "frame"),
    [
        ("open 0000intercom as local id 1", Open(1, protocol_of("0000intercom"))),
        ('message {"a":1}', A),
        ("close", Close(1)),
    ],
)
def test_a_captured_frame_is_read_and_written(name: str, frame: Frame) -> None:
    assert read_frames(CAPTURED[name]) == [frame]
    assert write_frame(frame) == CAPTURED[name]


def test_a_captured_batch_is_read_and_written() -> None:
    data = CAPTURED['batch of {"a":1} and {"b":2}, corked']

    assert read_frames(data) == [A, B]
    assert write_batch([A, B]) == data


@given(frames)
def test_any_frame_is_read_as_it_was_written(frame: Frame) -> None:
    assert read_frames(write_frame(frame)) == [frame]


@given(st.lists(messages, min_size=1, max_size=8))
def test_any_batch_is_read_as_it_was_written(batch: list[Message]) -> None:
    assert read_frames(write_batch(batch)) == batch


@given(uints)
def test_a_number_takes_as_few_bytes_as_it_can(number: int) -> None:
    data = write_uint(number)

    assert Reader(data).uint() == number
    assert len(data) == next(
        n for n, most in ((1, 0xFC), (3, 2**16 - 1), (5, 2**32 - 1), (9, 2**64)) if number <= most
    )


@given(st.binary(max_size=60) | st.binary(max_size=40).map(lambda tail: b"\x00\x00" + tail))
def test_any_bytes_are_frames_or_refused(data: bytes) -> None:
    try:
        read = read_frames(data)
    except BadFrame:
        return
    assert all(isinstance(frame, Open | Close | Reject | Message) for frame in read)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00",
        b"\x00\x04\x01",
        b"\x00\x01\x01\xff" + b"\xff" * 8,
        b"\x00\x01\x01\xfd\xff\xff/",
        b"\x00\x01\x01\x02\xff\xfe\x00",
        b"\x00\x03",
        b"\x00\x03\x01\x01",
        b"\x00\x00\x01\x09\x00",
        b"\x00\x00\x00\x02\x00\x00",
        b"\xfd\x01",
        b"\x00\x00\x01" + b"\x01\x00" * 10_001,
        b"\x01" * 2**24,
        write_frame(Open(1, "x" * 1025)),
    ],
)
def test_a_frame_that_lies_is_refused(data: bytes) -> None:
    with pytest.raises(BadFrame):
        read_frames(data)


def test_a_body_is_bounded_before_it_is_taken() -> None:
    assert body_json(json_body(b"123"), max_bytes=3) == b"123"
    for body in (json_body(b"1234"), b"\xff" + b"\xff" * 8, b"\x03{}", b"\x01{}", b""):
        with pytest.raises(BadFrame):
            body_json(body, max_bytes=3)


@pytest.mark.parametrize("number", [-1, 2**64])
def test_a_number_the_wire_does_not_know_is_refused(number: int) -> None:
    with pytest.raises(BadFrame):
        write_uint(number)
