"""The first words of TLS: which host a client says it wants, read from its ClientHello. Pure and bounded.

A name that is allowed may share its address with others (they sit behind the same front); a tunnel to it is
for this name only, so what TLS asks for must be the same.
"""

LARGEST = 32 * 1024  #: bytes of a ClientHello with everything around it
_RECORD, _HANDSHAKE_HEAD = 5, 4
_HANDSHAKE, _CLIENT_HELLO = 22, 1
_LARGEST_RECORD = 16 * 1024
_SERVER_NAME, _HOST_NAME = 0, 0
_ENCRYPTED_CLIENT_HELLO = 0xFE0D


class NotHello(Exception):
    """This does not begin a TLS connection we can see the target of; the message says why."""


def server_name(data: bytes) -> str | None:
    """The host the client asks for, as it wrote it; None while more is needed. Raises NotHello."""
    if len(data) > LARGEST:
        raise NotHello("the beginning of TLS is too long")
    message = _message(data)
    if message is None:
        return None
    words = _Words(message)
    words.take(2 + 32)  # version, random
    for width in (1, 2, 1):  # session, cipher suites, compression
        words.vector(width)
    extensions = _Words(words.vector(2))
    words.end()
    return _named(extensions)


def _message(data: bytes) -> bytes | None:
    """The ClientHello without the records it is cut into."""
    message = bytearray()
    at = 0
    while True:
        head = data[at : at + _RECORD]
        _check_record(head)
        if len(head) < _RECORD:
            return None
        length = int.from_bytes(head[3:5], "big")
        if not 0 < length <= _LARGEST_RECORD:
            raise NotHello("this is not TLS")
        body = data[at + _RECORD : at + _RECORD + length]
        message += body
        if message and message[0] != _CLIENT_HELLO:
            raise NotHello("TLS begins with another message")
        size = int.from_bytes(message[1:_HANDSHAKE_HEAD], "big")
        if len(message) >= _HANDSHAKE_HEAD + size and len(message) >= _HANDSHAKE_HEAD:
            return bytes(message[_HANDSHAKE_HEAD : _HANDSHAKE_HEAD + size])
        if len(body) < length:
            return None
        at += _RECORD + length


def _check_record(head: bytes) -> None:
    """What has come of a record's head must be that of a handshake."""
    if head[:1] not in (b"", bytes([_HANDSHAKE])) or head[1:2] not in (b"", b"\x03"):
        raise NotHello("this is not TLS")


def _named(extensions: "_Words") -> str:
    seen: dict[int, bytes] = {}
    while not extensions.over:
        kind = extensions.number(2)
        if kind in seen:
            raise NotHello("an extension comes twice")
        seen[kind] = extensions.vector(2)
    if _ENCRYPTED_CLIENT_HELLO in seen:
        raise NotHello("the host is hidden (encrypted ClientHello)")
    if _SERVER_NAME not in seen:
        raise NotHello("no host is named (SNI)")
    names = _Words(seen[_SERVER_NAME])
    entry = _Words(names.vector(2))
    names.end()
    kind, name = entry.number(1), entry.vector(2)
    entry.end()
    if kind != _HOST_NAME or not name.isascii():
        raise NotHello("the host's name is not readable")
    return name.decode("ascii")


class _Words:
    """Reads numbers and counted pieces; what ends too early or too late is no ClientHello."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def over(self) -> bool:
        return self._at == len(self._data)

    def take(self, size: int) -> bytes:
        piece = self._data[self._at : self._at + size]
        if len(piece) < size:
            raise NotHello("the beginning of TLS is broken")
        self._at += size
        return piece

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def vector(self, width: int) -> bytes:
        return self.take(self.number(width))

    def end(self) -> None:
        if not self.over:
            raise NotHello("the beginning of TLS is broken")
