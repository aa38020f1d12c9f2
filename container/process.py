"""The sandbox without locks: the agent of the runtime `local` as a child process, for want of Docker."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from container.crowd import crowd_of_family
from container.planning import PROGRAMS, PYTHON, SESSION_COMMAND, SOCKETS, TOOLS_COMMAND
from container.runtimes import LOCAL_COMMAND
from container.sandbox import AgentDied, Running, SandboxSpec, SandboxUnavailable, StartFailed

IMAGE = Path(__file__).parent / "image"
LABEL = "INTERCOM_AGENT"  #: in a child's environment, so that it is found again after a crash
LONGEST_WORDS = 2000
LOOK_EVERY = 0.02  #: seconds
_KNOWN = ((*SESSION_COMMAND, *LOCAL_COMMAND), TOOLS_COMMAND)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Child:
    process: asyncio.subprocess.Process
    key: str
    stderr: IO[bytes]


class ProcessSandbox:
    """Children of this process, each in a session of its own. They end by themselves with their socket."""

    name = "process"
    isolated = False

    def __init__(self, install: str, processes: Path = Path("/proc")) -> None:
        self._install = install
        self._processes = processes
        self._children: dict[str, _Child] = {}

    async def check(self) -> None:
        if not (IMAGE / "local_agent.py").is_file():
            raise SandboxUnavailable(f"The local agent is missing: {IMAGE / 'local_agent.py'}")

    async def start(self, spec: SandboxSpec) -> str:
        command = self.inside(spec.command, spec.sockets)
        for running in await self.running():
            if running.key == spec.key:
                await self.stop(running.id)
        stderr = await asyncio.to_thread(tempfile.TemporaryFile)
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=stderr,
                env={**spec.environment, LABEL: f"{self._install}:{spec.key}", "LC_ALL": "C.UTF-8"},
                start_new_session=True,
            )
        except BaseException as error:
            stderr.close()
            if isinstance(error, OSError):
                raise StartFailed(f"The agent's process does not start: {error.strerror}.") from error
            raise
        self._children[str(process.pid)] = _Child(process=process, key=spec.key, stderr=stderr)
        return str(process.pid)

    async def stop(self, sandbox_id: str, grace: float = 2.0) -> None:
        child = self._children.pop(sandbox_id, None)
        if child is None:
            await self._stop_stranger(int(sandbox_id), grace)
            return
        try:
            if grace > 0:
                _signal(child.process.pid, signal.SIGTERM)
                _signal(child.process.pid, signal.SIGCONT)  # a frozen one hears of its end only then
                with suppress(TimeoutError):
                    async with asyncio.timeout(grace):
                        await child.process.wait()
        finally:
            if child.process.returncode is None:  # afterwards the number may be another's
                _signal(child.process.pid, signal.SIGKILL)
            child.stderr.close()
            await child.process.wait()

    async def pause(self, sandbox_id: str) -> None:
        self._signal_child(sandbox_id, signal.SIGSTOP)

    async def unpause(self, sandbox_id: str) -> None:
        self._signal_child(sandbox_id, signal.SIGCONT)

    async def leader(self, sandbox_id: str) -> int:
        return int(sandbox_id)

    async def crowd(self, sandbox_id: str, leader: int) -> int:
        return await asyncio.to_thread(crowd_of_family, leader or int(sandbox_id))

    async def exit_status(self, sandbox_id: str) -> int | None:
        child = self._children.get(sandbox_id)
        if child is not None:
            return child.process.returncode
        return None if sandbox_id in {running.id for running in await self.running()} else -1

    async def last_words(self, sandbox_id: str) -> str:
        child = self._children.get(sandbox_id)
        return await asyncio.to_thread(_tail, child.stderr) if child is not None else ""

    async def running(self) -> Sequence[Running]:
        found = await asyncio.to_thread(self._find)
        ours = [Running(id=name, key=child.key) for name, child in self._children.items()]
        return [*ours, *(running for running in found if running.id not in self._children)]

    def inside(self, words: Sequence[str], sockets: Path) -> tuple[str, ...]:
        """Where the image's programs and sockets are here; only the local agent's are known."""
        if tuple(words) not in _KNOWN:
            raise SandboxUnavailable(
                "Only the runtime `local` runs without Docker: anything else must be locked in. "
                "Install Docker: apt-get install docker.io"
            )
        places = {PYTHON[0]: sys.executable, PROGRAMS: str(IMAGE), SOCKETS: str(sockets)}
        return tuple(_place(word, places) for word in words)

    def _signal_child(self, sandbox_id: str, number: signal.Signals) -> None:
        child = self._children.get(sandbox_id)
        if child is None or child.process.returncode is not None:
            raise AgentDied("The agent's process has ended.")
        _signal(child.process.pid, number)

    def _find(self) -> list[Running]:
        """Agents of this install among all processes, those an earlier host left behind too."""
        marks = f"{LABEL}={self._install}:".encode()
        found = []
        for folder in self._processes.iterdir():
            if not folder.name.isdigit() or int(folder.name) == os.getpid():
                continue
            with suppress(OSError):  # ended meanwhile, or another user's
                entries = (folder / "environ").read_bytes().split(b"\0")
                keys = [entry.removeprefix(marks) for entry in entries if entry.startswith(marks)]
                found += [Running(id=folder.name, key=key.decode(errors="replace")) for key in keys]
        return found

    async def _stop_stranger(self, pid: int, grace: float) -> None:
        """End an agent that is not our child: it can not be waited for, only looked for."""
        for number, patience in ((signal.SIGTERM, grace), (signal.SIGKILL, 5.0)):
            with suppress(TimeoutError):
                async with asyncio.timeout(patience):
                    while await self._is_there(pid):
                        _signal(pid, number)
                        _signal(pid, signal.SIGCONT)
                        await asyncio.sleep(LOOK_EVERY)
                    return

    async def _is_there(self, pid: int) -> bool:
        return str(pid) in {running.id for running in await self.running()}


def _place(word: str, places: dict[str, str]) -> str:
    for inside, here in places.items():
        if word == inside or word.startswith(f"{inside}/"):
            return here + word[len(inside) :]
    return word


def _signal(pid: int, number: signal.Signals) -> None:
    """Signal the group a session's leader left, if anything of it is there."""
    with suppress(ProcessLookupError):
        os.killpg(pid, number)


def _tail(file: IO[bytes]) -> str:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - LONGEST_WORDS))
    return file.read().decode(errors="replace").strip()
