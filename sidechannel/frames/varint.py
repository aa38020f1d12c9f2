"""Unsigned integers of the wire: one byte up to 0xfc, else a mark and 2, 4 or 8 bytes, little end first."""

from sidechannel.errors import BadFrame

_WIDTHS = {0xFD: 2, 0xFE: 4, 0xFF: 8}


def write_uint(value: int) -> bytes:
    """Encode a number below 2^64."""
    if 0 <= value <= 0xFC:
        return bytes((value,))
    for mark, width in _WIDTHS.items():
        if 0 <= value < 1 << 8 * width:
            return bytes((mark,)) + value.to_bytes(width, "little")
    raise BadFrame("A number of the wire is from 0 to 2^64 - 1.")


class Reader:
    """Takes numbers and byte strings off the front of a frame, never beyond its end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def take(self, length: int) -> bytes:
        if length > self.left:
            raise BadFrame("The frame ends before what it announces.")
        self._at += length
        return self._data[self._at - length : self._at]

    def uint(self) -> int:
        first = self.take(1)[0]
        width = _WIDTHS.get(first)
        return first if width is None else int.from_bytes(self.take(width), "little")

    def counted(self) -> bytes:
        """A byte string with its length in front."""
        return self.take(self.uint())

    def rest(self) -> bytes:
        return self.take(self.left)


def counted(data: bytes) -> bytes:
    """A byte string with its length in front."""
    return write_uint(len(data)) + data
