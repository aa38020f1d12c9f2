"""The bridge as the program it is: between an agent's stdio and real sockets."""

import asyncio
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from pathlib import Path

from container.process import IMAGE

BRIDGE = (sys.executable, "-I", "-S", str(IMAGE / "bridge.py"))
ECHO = "import sys; [print(line.strip()[::-1], flush=True) for line in sys.stdin]"


class Listening:
    """A socket that takes one connection."""

    def __init__(self) -> None:
        self.reader = asyncio.StreamReader()
        self.writer: asyncio.StreamWriter | None = None
        self._taken = asyncio.Event()

    async def open(self, path: Path) -> asyncio.Server:
        return await asyncio.start_unix_server(self._take, path, limit=1 << 24)

    async def called(self) -> asyncio.StreamWriter:
        async with asyncio.timeout(10):
            await self._taken.wait()
        assert self.writer is not None
        return self.writer

    def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._taken.set()


async def _start(*words: str) -> Process:
    return await asyncio.create_subprocess_exec(*BRIDGE, *words, stdin=PIPE, stdout=PIPE, stderr=PIPE)


async def test_the_agent_talks_to_the_host_as_to_its_stdio_and_ends_with_it(folder: Path) -> None:
    host = Listening()
    async with await host.open(folder / "s"):
        bridge = await asyncio.create_subprocess_exec(
            *BRIDGE, "session", str(folder / "s"), "--", sys.executable, "-c", ECHO, stdin=DEVNULL
        )
        writer = await host.called()
        writer.write(b"abc\n")
        async with asyncio.timeout(10):
            assert await host.reader.readline() == b"cba\n"
            writer.close()
            assert await bridge.wait() == 0


async def test_a_socket_that_comes_late_is_waited_for(folder: Path) -> None:
    host = Listening()
    bridge = await _start("tools", str(folder / "s"))
    async with await host.open(folder / "s"):
        writer = await host.called()
        writer.close()
        async with asyncio.timeout(10):
            assert await bridge.communicate() == (b"", b"")


async def test_megabytes_pass_both_ways_at_once_and_a_half_close_is_passed_on(folder: Path) -> None:
    host, load = Listening(), b"x" * (8 << 20)
    async with await host.open(folder / "s"):
        bridge = await _start("tools", str(folder / "s"))
        assert bridge.stdin is not None
        assert bridge.stdout is not None
        writer = await host.called()

        async def send() -> None:
            assert bridge.stdin is not None
            bridge.stdin.write(load)
            await bridge.stdin.drain()
            bridge.stdin.close()

        async def answer() -> None:
            writer.write(load)
            await writer.drain()

        async with asyncio.timeout(20), asyncio.TaskGroup() as group:
            group.create_task(send())
            received = group.create_task(host.reader.read())  # to the end: the half-close
            sent = group.create_task(bridge.stdout.readexactly(len(load)))
            group.create_task(answer())
        assert (len(received.result()), len(sent.result())) == (len(load), len(load))
        writer.close()
        assert await bridge.wait() == 0


async def test_the_bridge_ends_when_the_host_does_although_the_agent_does_not(folder: Path) -> None:
    host = Listening()
    async with await host.open(folder / "s"):
        bridge = await _start("tools", str(folder / "s"))
        (await host.called()).close()
        async with asyncio.timeout(10):
            assert await bridge.wait() == 0
        assert bridge.stdin is not None
        bridge.stdin.close()


async def test_wrong_use_is_answered_with_the_usage() -> None:
    bridge = await _start("tools")
    _, said = await bridge.communicate()
    assert b"usage" in said
    assert bridge.returncode == 1


async def test_a_host_that_is_not_there_is_a_line_and_not_a_traceback(folder: Path) -> None:
    async with asyncio.timeout(20):
        bridge = await _start("tools", str(folder / "nobody"))
        _, said = await bridge.communicate()
    assert said.startswith(b"bridge: ")
    assert b"Traceback" not in said
