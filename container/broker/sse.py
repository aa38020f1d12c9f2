"""Finds the data of server-sent events in a stream that passes by in pieces."""

LONGEST_EVENT = 8 * 1024 * 1024


class Events:
    """Fed with bytes, gives the data of each event that is whole; one that is too long is left out."""

    def __init__(self, longest: int = LONGEST_EVENT) -> None:
        self._longest = longest
        self._rest = bytearray()  #: the line that is not whole yet
        self._data: list[bytes] = []
        self._size = 0
        self._skipping = False  #: inside a line that is too long
        self.skipped = 0  #: events left out

    def feed(self, chunk: bytes) -> list[bytes]:
        """The data of the events that this chunk ends."""
        lines = chunk.split(b"\n")
        if len(lines) == 1:
            self._keep(chunk)
            return []
        self._keep(lines[0])
        found = self._line(self._taken())
        for line in lines[1:-1]:
            found += self._line(line)
        self._keep(lines[-1])
        return found

    def _keep(self, piece: bytes) -> None:
        if self._skipping or len(self._rest) + len(piece) > self._longest:
            self._skipping = True
            self._rest.clear()
        else:
            self._rest += piece

    def _taken(self) -> bytes:
        line = b"data:" if self._skipping else bytes(self._rest)
        if self._skipping:
            self._size = self._longest + 1  # the event has lost a line: it is not whole any more
        self._skipping = False
        self._rest.clear()
        return line

    def _line(self, line: bytes) -> list[bytes]:
        line = line.removesuffix(b"\r")
        if line.startswith(b"data:"):
            piece = line[5:].removeprefix(b" ")
            self._size += len(piece)
            if self._size <= self._longest:
                self._data.append(piece)
            return []
        if line:
            return []
        return self._event()

    def _event(self) -> list[bytes]:
        whole, data = self._size <= self._longest, b"\n".join(self._data)
        self._data.clear()
        self._size = 0
        if not whole:
            self.skipped += 1
            return []
        return [data] if data else []
