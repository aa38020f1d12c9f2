"""Newline-delimited JSON between the host and an agent that may send anything: bounded in every direction."""

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

LONGEST_LINE = 8 * 1024 * 1024  #: bytes
CHUNK = 64 * 1024
GARBAGE = 100  #: lines in a row that are no message, before we hang up
SEND_TIMEOUT = 30.0  #: seconds an agent may leave its input unread
_REASONABLE = (str, int)


class LineTooLong(Exception):
    """More bytes came than a line may have."""


class LineBuffer:
    """Cuts bytes into lines without blanks; raises LineTooLong before it holds more than one line's bound."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._pieces: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[bytes]:
        *ends, rest = data.split(b"\n")
        lines = []
        for end in ends:
            self._keep(end)
            line = b"".join(self._pieces).strip()
            self._pieces, self._size = [], 0
            if line:
                lines.append(line)
        self._keep(rest)
        return lines

    def _keep(self, piece: bytes) -> None:
        self._size += len(piece)
        if self._size > self._longest:
            self._pieces = []
            raise LineTooLong
        if piece:
            self._pieces.append(piece)


class Allowance:
    """A token bucket: so many at once, so many a second."""

    def __init__(self, rate: float, burst: int, now: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = burst
        self._now = now
        self._left = float(burst)
        self._at = now()

    def take(self) -> float:
        """Take one. 0: there was one. More: none was taken, there will be one in so many seconds."""
        now = self._now()
        self._left = min(self._burst, self._left + (now - self._at) * self._rate)
        self._at = now
        if self._left >= 1:
            self._left -= 1
            return 0.0
        return (1 - self._left) / self._rate

    async def wait(self) -> None:
        """Take one as soon as there is one."""
        pause = self.take()
        while pause > 0:
            await asyncio.sleep(pause)
            pause = self.take()


class Line:
    """One connection, read and written line by line."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        *,
        longest: int = LONGEST_LINE,
        allowance: Allowance | None = None,
        patience: float = SEND_TIMEOUT,
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = LineBuffer(longest)
        self._ready: deque[bytes] = deque()
        self._allowance = allowance
        self._patience = patience

    async def receive(self) -> bytes | None:
        """The next line, None at the end. Raises LineTooLong. A sender that hurries is read more slowly."""
        while not self._ready:
            try:
                data = await self._reader.read(CHUNK)
            except OSError:  # reset: an end like any other
                return None
            if not data:
                return None
            self._ready.extend(self._buffer.feed(data))
        if self._allowance is not None:
            await self._allowance.wait()
        return self._ready.popleft()

    async def send(self, line: bytes) -> None:
        """Write a line. Raises ConnectionError when the other side is gone or stopped reading."""
        if self._writer.is_closing():
            raise ConnectionError("closed")
        self._writer.write(line + b"\n")
        try:
            async with asyncio.timeout(self._patience):
                await self._writer.drain()
        except TimeoutError as error:
            self.close()
            raise ConnectionError("the other side does not read") from error
        except OSError as error:
            raise ConnectionError("the other side is gone") from error

    def close(self) -> None:
        """Drop the connection with whatever was not sent yet."""
        self._writer.transport.abort()


class AgentStream:
    """The transport under ACP, in the shape `acp` expects: messages in, messages out, and why it ended."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._garbage = 0
        self.ended = asyncio.Event()
        self.fault = ""  #: what the agent did wrong, when that is why it ended

    async def send(self, message: dict[str, Any]) -> None:
        try:
            await self._line.send(json.dumps(message, separators=(",", ":")).encode())
        except ConnectionError:
            if "method" in message:  # a reply that nobody waits for any more is no failure
                raise

    async def receive(self) -> dict[str, Any] | None:
        message = None
        try:
            message = await self._next()
        except LineTooLong:
            self.fault = f"it sent a line of more than {LONGEST_LINE // 1024 // 1024} MiB"
        finally:
            if message is None:
                self.ended.set()
        if message is None:
            self._line.close()
        return message

    async def close(self) -> None:
        self._line.close()
        self.ended.set()

    async def _next(self) -> dict[str, Any] | None:
        while (line := await self._line.receive()) is not None:
            message = rpc_message(line)
            if message is not None:
                self._garbage = 0
                return message
            self._garbage += 1
            if self._garbage >= GARBAGE:
                self.fault = "it sent what is no message again and again"
                return None
        return None


def rpc_message(line: bytes) -> dict[str, Any] | None:
    """A line as a JSON-RPC message whose outer shape can be relied on, or None."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(message, dict) or not _is_id(message.get("id", 0)):
        return None
    if "method" in message:
        return message if isinstance(message["method"], str) else None
    if "id" not in message:
        return None
    if "result" not in message:
        message["error"] = _error(message.get("error"))
    return message


def _is_id(value: object) -> bool:
    return value is None or (isinstance(value, _REASONABLE) and not isinstance(value, bool))


def _error(value: object) -> Mapping[str, Any]:
    error = value if isinstance(value, dict) else {}
    code, text = error.get("code"), error.get("message")
    return {
        "code": code if isinstance(code, int) and not isinstance(code, bool) else -32603,
        "message": text if isinstance(text, str) else "Error",
        "data": error.get("data"),
    }
