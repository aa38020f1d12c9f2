"""The load client: compiled from bench/load where Go is at hand, so that it is not what is measured."""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

_SOURCE = Path(__file__).with_name("load")
_PATIENCE = 300.0  #: seconds for one measure


class NoLoader(Exception):
    """There is no load client here, and why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """From a request's first byte to its answer's last, in milliseconds."""

    seconds: float
    samples: Sequence[float]
    answers: Sequence[float]  #: of a push: the same of the sends

    @property
    def rate(self) -> float:
        return len(self.samples) / self.seconds


class Loader:
    """One compiled client for one service."""

    def __init__(self, program: Path, port: int) -> None:
        self._program = program
        self._address = f"127.0.0.1:{port}"

    async def send(self, *, seconds: float, recipients: int, senders: int = 32) -> Measured:
        """Durable messages of 512 bytes from many senders, each one at a time."""
        during = ("-during", f"{seconds}s", "-recipients", str(recipients), "-senders", str(senders))
        return await self._run("send", *during)

    async def get(self, paths: Sequence[str], rounds: int = 1) -> Measured:
        """One request after the other."""
        return await self._run("get", "-count", str(rounds), words="\n".join(paths).encode())

    @asynccontextmanager
    async def listening(self, sockets: int, messages: int) -> AsyncIterator["Listening"]:
        """A client that has that many WebSockets open and is about to send that many messages."""
        process = await self._start("push", "-sockets", str(sockets), "-count", str(messages))
        try:
            async with asyncio.timeout(_PATIENCE):
                assert process.stdout is not None
                if await process.stdout.readline() != b"open\n":
                    raise AssertionError((await process.communicate())[1].decode())
            yield Listening(process)
        finally:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _run(self, *arguments: str, words: bytes = b"") -> Measured:
        process = await self._start(*arguments)
        try:
            async with asyncio.timeout(_PATIENCE):
                return _measured(process, *await process.communicate(words))
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _start(self, mode: str, *arguments: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            self._program,
            mode,
            "-address",
            self._address,
            "-run",
            uuid4().hex,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )


class Listening:
    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def push(self) -> Measured:
        """Send the messages, one after the other, and time each until its frame is there."""
        async with asyncio.timeout(_PATIENCE):
            return _measured(self._process, *await self._process.communicate(b"go\n"))


def _measured(process: asyncio.subprocess.Process, out: bytes, err: bytes) -> Measured:
    assert process.returncode == 0, err.decode()
    found = json.loads(out)
    return Measured(
        seconds=found["seconds"],
        samples=[each / 1000 for each in found["micros"]],
        answers=[each / 1000 for each in found.get("answers", ())],
    )


async def build(folder: Path) -> Path:
    """The compiled client. Raises NoLoader."""
    go = shutil.which("go") or shutil.which("go", path="/usr/local/go/bin")
    if go is None:
        raise NoLoader("its load client is compiled by Go, which is not installed")
    program = folder / "load"
    process = await asyncio.create_subprocess_exec(
        go,
        "build",
        "-o",
        program,
        ".",
        cwd=_SOURCE,
        env={**os.environ, "GOWORK": "off", "GOFLAGS": "", "GOTOOLCHAIN": "local"},  # noqa: TID251 - the compiler's own settings
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode != 0:
        raise NoLoader(f"its load client does not compile here: {said.decode()[-300:]}")
    return program
