"""The forwarder with real sockets: a loopback port leads to the host's socket, both ways."""

import asyncio
import os
import socket
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from container.image import forward

PATIENCE = 20
SETTLED = 0.5  #: seconds without a byte are a stop
Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
Call = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


@asynccontextmanager
async def forwarding(path: Path) -> AsyncIterator[int]:
    """A forwarder in a thread, to a host that listens at `path`; its port."""
    listener = forward.listen(0)
    ended, end = os.pipe()
    forwarder = forward.Forwarder({listener.fileno(): (listener, str(path))})
    thread = threading.Thread(target=forwarder.run, args=(ended,))
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        os.write(end, b".")
        await asyncio.to_thread(thread.join, PATIENCE)
        for descriptor in (ended, end):
            os.close(descriptor)
        listener.close()
    assert not thread.is_alive()


@asynccontextmanager
async def host(path: Path, serve: Serve) -> AsyncIterator[Call]:
    """A host, the forwarder to it, and how to call it as an agent does."""
    async with (
        asyncio.timeout(PATIENCE),
        await asyncio.start_unix_server(serve, path),
        forwarding(path) as port,
    ):
        yield lambda: asyncio.open_connection("127.0.0.1", port)


async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(1 << 16):
        writer.write(data)
        await writer.drain()
    writer.close()


async def test_every_piece_passes_at_once_and_a_half_close_is_passed_on(folder: Path) -> None:
    async with host(folder / "s", echo) as call:
        reader, writer = await call()
        for word in (b"one\n", b"two\n", b"three\n"):
            writer.write(word)
            assert await reader.readline() == word
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()


async def test_megabytes_pass_both_ways_whole(folder: Path) -> None:
    load = os.urandom(1 << 20) * 8
    async with host(folder / "s", echo) as call:
        reader, writer = await call()
        async with asyncio.TaskGroup() as group:
            received = group.create_task(reader.read())
            writer.write(load)
            await writer.drain()
            writer.write_eof()
        assert received.result() == load
        writer.close()


async def test_what_was_written_before_the_host_closed_arrives(folder: Path) -> None:
    async def tell(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"x" * 1_000_000)
        writer.close()

    async with host(folder / "s", tell) as call:
        reader, writer = await call()
        assert len(await reader.read()) == 1_000_000
        writer.close()


async def test_a_reader_that_stops_stops_the_writer(folder: Path) -> None:
    """What waits in between is the kernel's buffers and one piece."""
    written = 0
    stopped = asyncio.Event()

    async def flood(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal written
        try:
            while True:
                writer.write(bytes(1 << 16))
                async with asyncio.timeout(SETTLED):
                    await writer.drain()
                written += 1 << 16
        except TimeoutError:
            stopped.set()
        writer.transport.abort()

    async with host(folder / "s", flood) as call:
        _, writer = await call()
        await stopped.wait()
        assert written < 32 << 20
        writer.transport.abort()


async def test_a_side_that_goes_away_ends_the_other(folder: Path) -> None:
    gone = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readline() == b"stay\n":
            assert await reader.read() == b""
            gone.set()
        writer.close()

    async with host(folder / "s", serve) as call:
        reader, writer = await call()
        writer.write(b"leave\n")
        assert await reader.read() == b""
        writer.close()
        _, writer = await call()
        writer.write(b"stay\n")
        await writer.drain()
        writer.close()
        await gone.wait()


async def test_a_host_that_does_not_listen_is_a_closed_connection(folder: Path) -> None:
    async with asyncio.timeout(PATIENCE), forwarding(folder / "nobody") as port:
        for _ in range(3):  # and the forwarder goes on
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            assert await reader.read() == b""
            writer.close()


async def test_connections_beyond_the_bound_wait_for_their_turn(folder: Path) -> None:
    served = 0
    news = asyncio.Condition()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal served
        async with news:
            served += 1
            news.notify_all()
        await reader.read()
        writer.close()

    async with host(folder / "s", serve) as call:
        writers = [(await call())[1] for _ in range(forward.CONNECTIONS + 3)]
        async with news:
            await news.wait_for(lambda: served == forward.CONNECTIONS)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(SETTLED), news:
                await news.wait_for(lambda: served > forward.CONNECTIONS)
        for writer in writers[:3]:
            writer.close()
        async with news:
            await news.wait_for(lambda: served == len(writers))
        for writer in writers[3:]:
            writer.close()


async def test_a_call_and_its_answer_take_far_less_than_a_millisecond_more(folder: Path) -> None:
    async with host(folder / "s", echo) as call:
        _, writer = await call()
        port = writer.get_extra_info("peername")[1]
        writer.close()
        assert await asyncio.to_thread(_median, port) < 0.005  # 0.2 ms on a quiet machine


def _median(port: int) -> float:
    took = []
    with socket.create_connection(("127.0.0.1", port), PATIENCE) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(200):
            begun = time.perf_counter()
            connection.sendall(b"x" * 200)
            assert len(connection.recv(4096)) == 200
            took.append(time.perf_counter() - begun)
    return sorted(took)[len(took) // 2]
