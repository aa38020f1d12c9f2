"""Runs commands in a project's folder: no shell, bounded in time and output, killed with all they started."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import structlog

from demarch.cli.commands import BD, IC, LARGEST, Command
from demarch.cli.failures import BrokeOff, Failed, NotStarted
from demarch.cli.listening import Listening
from demarch.cli.parsing import complaint
from demarch.cli.spawning import spawned

log = structlog.get_logger()

_BUSY = ("database is locked", "database locked", "sqlite_busy", "database is busy")
_USAGE = 3  #: how `ic` says that it was called wrongly
PARALLEL = 8  #: commands of one binary and project at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """How a command ended. What stands in `err` says nothing about whether it failed."""

    code: int
    out: str
    err: str


class Runner:
    """The binaries of one project. Reads may run side by side; who writes keeps order himself."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        *,
        largest: int = LARGEST,
        patience: float = 1.0,
    ) -> None:
        """`environment` comes from `surroundings(...)`; `patience` stretches all timeouts of the table."""
        self.folder = folder
        self.environment = environment
        self._largest = largest
        self._patience = patience
        # A binary that hangs must not keep the other one waiting.
        self._slots = {program: asyncio.Semaphore(PARALLEL) for program in (IC, BD)}
        self._found: dict[str, str] = {}

    async def locate(self, program: str, *, anew: bool = False) -> str:
        """Where the binary lies. Raises NotStarted when it is nowhere."""
        if anew or program not in self._found:
            self._found.pop(program, None)
            found = await asyncio.to_thread(shutil.which, program, path=self.environment.get("PATH", ""))
            if found is None:
                raise NotStarted(f"The program {program} is not installed, or not where it is looked for.")
            self._found[program] = found
        return self._found[program]

    async def ask(self, command: Command) -> Result:
        """A result whose exit code is an answer. Raises Failed for any other code, and what `run` raises."""
        result = await self.run(command)
        if result.code == 0 or result.code in command.row.negatives:
            return result
        why = complaint(result.out, result.err) or f"exit code {result.code}"
        log.warning("command.failed", command=command.shown, code=result.code, why=why)
        raise Failed(_sentence(command, result.code, why), code=result.code)

    async def run(self, command: Command) -> Result:
        """Whatever its exit code. Raises NotStarted or BrokeOff."""
        async with self._slots[command.row.program]:
            return await self._heard(command, await self.locate(command.row.program))

    async def _heard(self, command: Command, binary: str) -> Result:
        seconds = command.row.timeout * self._patience
        async with self._started(command, binary) as (transport, heard):
            try:
                async with asyncio.timeout(seconds):
                    await heard.ended
            except TimeoutError as error:
                log.warning("command.too_slow", command=command.shown, seconds=seconds)
                raise BrokeOff(f"{command.shown} did not answer within {seconds:g} seconds.") from error
            if heard.endless:
                log.warning("command.endless", command=command.shown, bytes=self._largest)
                raise BrokeOff(
                    f"{command.shown} printed more than {self._largest // 1024} KB and was stopped."
                )
            code = transport.get_returncode()
        if code is None or code < 0:
            log.warning("command.killed", command=command.shown, code=code)
            raise BrokeOff(f"{command.shown} was killed before it answered.")
        log.debug("command.ran", command=command.shown, code=code)
        return Result(code=code, out=_text(heard.out), err=_text(heard.err))

    @asynccontextmanager
    async def _started(
        self, command: Command, binary: str
    ) -> AsyncIterator[tuple[asyncio.SubprocessTransport, Listening]]:
        heard = Listening(self._largest)
        async with AsyncExitStack() as stack:
            stack.callback(heard.close)
            try:
                transport, _ = await stack.enter_async_context(self._spawned(command, binary, heard))
            except (OSError, ValueError) as error:
                self._found.pop(command.row.program, None)
                raise NotStarted(await asyncio.to_thread(self._why_not, command, error)) from error
            if command.stdin is not None:
                entrance = transport.get_pipe_transport(0)
                assert isinstance(entrance, asyncio.WriteTransport)  # noqa: S101 - what PIPE gives
                entrance.write(command.stdin)
                entrance.close()
            yield transport, heard

    def _spawned(
        self, command: Command, binary: str, heard: Listening
    ) -> AbstractAsyncContextManager[tuple[asyncio.SubprocessTransport, Listening]]:
        return spawned(
            lambda: heard,
            binary,
            *command.argv,
            folder=self.folder,
            environment=self.environment,
            stdin=asyncio.subprocess.DEVNULL if command.stdin is None else asyncio.subprocess.PIPE,
        )

    def _why_not(self, command: Command, error: Exception) -> str:
        if not self.folder.is_dir():
            return "The project's folder is gone."
        why = (
            os.strerror(error.errno or 0)
            if isinstance(error, OSError)
            else "it has half of a character in it"
        )
        return f"{command.shown} could not be started ({why})."


def _sentence(command: Command, code: int, why: str) -> str:
    if any(sign in why.lower() for sign in _BUSY):
        return f"The kernel's database is locked by somebody else; {command.shown} gave up. Try again."
    if command.row.program == IC and code == _USAGE:
        return f"The kernel does not understand {command.shown} ({why}); its version may be another one."
    return f"{command.shown} failed: {why}"


def _text(raw: bytearray) -> str:
    return raw.decode("utf-8", "replace")
