"""A socket's door: so many inside, so many a second, and everybody out at the end."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from container.agent import Service
from container.sockets import MOST_SERVICE_CONNECTIONS, SocketFolder


class Echo(asyncio.Protocol):
    """Says back what it hears, and remembers what became of it."""

    def __init__(self) -> None:
        self.lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.transport.write(data)

    def eof_received(self) -> bool:
        self.transport.write(b".")
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost.set()


@asynccontextmanager
async def served(folder: Path, service: Service) -> AsyncIterator[Path]:
    async with asyncio.timeout(20), SocketFolder.open(folder / "s", "k", {"x.sock": service}) as sockets:
        yield sockets.path / "x.sock"


async def test_a_service_is_spoken_to_as_over_any_socket(folder: Path) -> None:
    async with served(folder, Echo) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        writer.write_eof()
        assert await reader.read() == b"."
        writer.close()


async def test_a_stream_of_the_standard_library_serves_too(folder: Path) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write((await reader.readline()).upper() * 100_000)
        await writer.drain()
        writer.close()

    def service() -> asyncio.BaseProtocol:
        return asyncio.StreamReaderProtocol(asyncio.StreamReader(), talk)

    async with served(folder, service) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"hello\n")
        assert await reader.read() == b"HELLO\n" * 100_000
        writer.close()


async def test_more_callers_than_fit_are_hung_up_on_and_room_is_made_by_leaving(folder: Path) -> None:
    async with served(folder, Echo) as path:
        inside = [await _call(path) for _ in range(MOST_SERVICE_CONNECTIONS)]
        reader, writer = await asyncio.open_unix_connection(path)
        assert await _ended(reader)
        writer.close()
        inside.pop()[1].close()
        while await _ended((late := await asyncio.open_unix_connection(path))[0], b"x", late[1]):
            late[1].close()
        late[1].close()
        for _, writer in inside:
            writer.close()


async def test_a_service_that_fails_costs_one_call(folder: Path) -> None:
    calls = 0

    def service() -> asyncio.BaseProtocol:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise LookupError("a fault of ours")
        return Echo()

    async with served(folder, service) as path:
        reader, writer = await asyncio.open_unix_connection(path)
        assert await _ended(reader)
        writer.close()
        _, writer = await _call(path)
        writer.close()


async def test_everybody_is_out_when_the_agent_ends(folder: Path) -> None:
    made: list[Echo] = []

    def service() -> asyncio.BaseProtocol:
        made.append(Echo())
        return made[-1]

    async with served(folder, service) as path:
        reader, writer = await _call(path)
    async with asyncio.timeout(5):
        await made[0].lost.wait()
        assert await _ended(reader)
    writer.close()


async def test_callers_in_a_hurry_are_let_in_more_slowly(folder: Path) -> None:
    let_in = 0

    def service() -> asyncio.BaseProtocol:
        nonlocal let_in
        let_in += 1
        return Echo()

    loop = asyncio.get_running_loop()
    async with served(folder, service) as path:
        began = loop.time()
        await asyncio.to_thread(_hurry, path, 400)
        assert let_in <= 200 + 200 * (loop.time() - began) + 1
        assert loop.time() - began > 0.7


def _hurry(path: Path, number: int) -> None:
    """Call and hang up, one after the other; the system makes us wait when it gets too much."""
    for _ in range(number):
        with socket.socket(socket.AF_UNIX) as one:
            one.connect(str(path))


async def _call(path: Path) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A call that is answered."""
    reader, writer = await asyncio.open_unix_connection(path)
    writer.write(b"x")
    assert await reader.readexactly(1) == b"x"
    return reader, writer


async def _ended(
    reader: asyncio.StreamReader, said: bytes = b"", writer: asyncio.StreamWriter | None = None
) -> bool:
    """Whether the host hung up instead of answering."""
    try:
        if writer is not None:
            writer.write(said)
        return await reader.read(1) == b""
    except ConnectionError:
        return True
