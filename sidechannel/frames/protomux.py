"""Protomux: open, reject, close and message frames, alone or in a batch, and JSON inside one."""

from dataclasses import dataclass

from sidechannel.errors import BadFrame
from sidechannel.frames.varint import Reader, counted, write_uint

MAX_FRAME = 2**24 - 1
MAX_BATCH = 10_000
MAX_PROTOCOL = 1024

_BATCH, _OPEN, _REJECT, _CLOSE = range(4)


@dataclass(frozen=True, slots=True)
class Open:
    """A channel is offered: `local` is the sender's number for it."""

    local: int
    protocol: str
    id: bytes | None = None
    handshake: bytes = b""


@dataclass(frozen=True, slots=True)
class Reject:
    """The offered channel is not spoken here."""

    remote: int


@dataclass(frozen=True, slots=True)
class Close:
    """The channel ends."""

    local: int


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a type of a channel; `local` is the sender's number for the channel."""

    local: int
    type: int
    body: bytes


Frame = Open | Reject | Close | Message


def json_body(text: bytes) -> bytes:
    """The body of a message that carries JSON."""
    return counted(text)


def body_json(body: bytes, *, max_bytes: int) -> bytes:
    """The JSON text in a body; refused before it is touched where it is longer than max_bytes or lies."""
    reader = Reader(body)
    length = reader.uint()
    if length > max_bytes:
        raise BadFrame(f"More than {max_bytes} bytes of JSON.")
    text = reader.take(length)
    if reader.left:
        raise BadFrame("Something follows the JSON.")
    return text


def write_frame(frame: Frame) -> bytes:
    """Encode one frame."""
    if isinstance(frame, Message):
        return write_uint(frame.local) + _message(frame)
    if isinstance(frame, Open):
        body = write_uint(_OPEN) + write_uint(frame.local) + counted(frame.protocol.encode())
        return b"\0" + body + counted(frame.id or b"") + frame.handshake
    if isinstance(frame, Reject):
        return b"\0" + write_uint(_REJECT) + write_uint(frame.remote)
    return b"\0" + write_uint(_CLOSE) + write_uint(frame.local)


def write_batch(messages: list[Message]) -> bytes:
    """Encode messages as one frame; an empty item announces the channel of those that follow."""
    parts = [b"\0" + write_uint(_BATCH)]
    local: int | None = None
    for message in messages:
        if message.local != local:
            parts.append((b"\0" if local is not None else b"") + write_uint(message.local))
            local = message.local
        parts.append(counted(_message(message)))
    return b"".join(parts)


def read_frames(data: bytes) -> list[Frame]:
    """Decode what came as one piece: one frame, or the frames of a batch."""
    if len(data) > MAX_FRAME:
        raise BadFrame("A frame has at most 16 MiB.")
    reader = Reader(data)
    local = reader.uint()
    if local or data[1:2] != bytes((_BATCH,)):
        return [_frame(local, reader)]
    reader.uint()
    return _batch(reader)


def _batch(reader: Reader) -> list[Frame]:
    frames: list[Frame] = []
    local = reader.uint()
    while reader.left:
        item = reader.counted()
        if not item:
            local = reader.uint()
            continue
        if len(frames) == MAX_BATCH:
            raise BadFrame(f"A batch has at most {MAX_BATCH} frames.")
        frames.append(_frame(local, Reader(item)))
    return frames


def _frame(local: int, reader: Reader) -> Frame:
    if local:
        return Message(local, reader.uint(), reader.rest())
    kind = reader.uint()
    if kind == _OPEN:
        return _opened(reader)
    if kind not in (_REJECT, _CLOSE):
        raise BadFrame("A batch in a batch, or an unknown control frame.")
    number = reader.uint()
    if reader.left:
        raise BadFrame("Something follows the frame.")
    return Reject(number) if kind == _REJECT else Close(number)


def _opened(reader: Reader) -> Open:
    local, protocol, identifier = reader.uint(), reader.counted(), reader.counted()
    if len(protocol) > MAX_PROTOCOL:
        raise BadFrame(f"A protocol's name has at most {MAX_PROTOCOL} bytes.")
    try:
        name = protocol.decode()
    except UnicodeDecodeError as error:
        raise BadFrame("The protocol's name is not UTF-8.") from error
    return Open(local, name, identifier or None, reader.rest())


def _message(message: Message) -> bytes:
    return write_uint(message.type) + message.body
