"""Newline-delimited JSON on descriptors, for a program that is one select loop."""

import json
import os

LONGEST = 8 * 1024 * 1024  #: bytes of one line
CHUNK = 64 * 1024


class Lines:
    """Cuts what was read into lines. A line that is too long is dropped whole and counted."""

    def __init__(self, longest: int = LONGEST) -> None:
        self._longest = longest
        self._pieces: list[bytes] = []
        self._size = 0
        self._dropping = False
        self.dropped = 0

    def feed(self, data: bytes) -> list[bytes]:
        *ends, rest = data.split(b"\n")
        lines = []
        for end in ends:
            self._keep(end)
            if self._dropping:
                self.dropped += 1
            elif line := b"".join(self._pieces).strip():
                lines.append(line)
            self._pieces, self._size, self._dropping = [], 0, False
        self._keep(rest)
        return lines

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._longest:
            self._pieces, self._dropping = [], True
        elif piece and not self._dropping:
            self._pieces.append(piece)


def parse(line: bytes) -> dict[str, object] | None:
    """The JSON object in a line, or None when it is anything else."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, dict) else None


def write(descriptor: int, message: dict[str, object]) -> None:
    """Write one line, all of it; the descriptor blocks."""
    rest = memoryview(json.dumps(message, separators=(",", ":")).encode() + b"\n")
    while rest:
        rest = rest[os.write(descriptor, rest) :]
