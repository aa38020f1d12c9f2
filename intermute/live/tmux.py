"""Types text into a pane of tmux, and only where an agent is listening."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from intermute.limits import LiveRules
from intermute.live import foreground, target
from storage.ids import NewId

PATIENCE = 1.0  #: seconds for one answer of tmux

#: dead, showing its history, not taking input, typing into others too
_STATE = "#{pane_dead}#{pane_in_mode}#{pane_input_off}#{pane_synchronized}"
_READY = "0000"
_ASKED = f"#{{pane_index}} #{{pane_active}} #{{pane_id}} #{{pane_pid}} {_STATE} #{{pane_current_command}}"
_PLAIN = re.compile(r"[A-Za-z0-9_.+-]+")

TYPED = "typed"
REFUSED = "refused"


class NotTyped(Exception):
    """Nothing was typed. The message is the reason, for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pane:
    id: str
    pid: int
    state: str
    command: str


class Tmux:
    def __init__(self, rules: LiveRules, new_id: NewId, *, program: Sequence[str] = ("tmux",)) -> None:
        self._agents = frozenset(rules.agents)
        self._new_id = new_id
        self._program = (*program, *(("-S", rules.socket) if rules.socket else ()))

    async def type(self, place: str, text: str) -> None:
        """Paste the text and press Enter. Raises NotTyped."""
        pane = await self._pane(place)
        await self._check(pane)
        buffer = f"intermute-{self._new_id().hex}"
        await self._run("load-buffer", "-b", buffer, "-", given=text.encode(errors="replace"))
        try:
            told = await self._paste(pane, buffer)
        except BaseException:
            await self._drop(buffer)
            raise
        if told.strip() != TYPED:
            await self._drop(buffer)
            raise NotTyped("the pane's program changed at this moment")

    async def _pane(self, place: str) -> _Pane:
        if not target.valid(place):
            raise NotTyped("the window has no valid target")
        told = await self._run("list-panes", "-t", target.window(place), "-F", _ASKED)
        wanted = target.pane(place)
        for line in told.splitlines():
            index, active, id_, pid, state, command = (line.split(" ", 5) + [""] * 6)[:6]
            if (index == wanted if wanted else active == "1") and pid.isdecimal():
                return _Pane(id=id_, pid=int(pid), state=state, command=command)
        raise NotTyped("there is no such pane")

    async def _check(self, pane: _Pane) -> None:
        if pane.state != _READY:
            raise NotTyped("the pane takes no input for itself alone")
        names = await asyncio.to_thread(foreground.names, pane.pid, pane.command)
        if self._agents.isdisjoint(names) or not _PLAIN.fullmatch(pane.command):
            raise NotTyped("the foreground program is no agent")

    async def _paste(self, pane: _Pane, buffer: str) -> str:
        """tmux looks once more and types in one step: in between, the agent cannot give way to a shell."""
        same = f"#{{==:{_STATE}#{{pane_current_command}},{_READY}{pane.command}}}"
        paste = f"paste-buffer -p -d -b {buffer} -t {pane.id}"
        then = f"{paste} ; send-keys -t {pane.id} Enter ; display-message -p {TYPED}"
        return await self._run("if-shell", "-F", "-t", pane.id, same, then, f"display-message -p {REFUSED}")

    async def _drop(self, buffer: str) -> None:
        with suppress(NotTyped):  # pasting may have used it up
            await self._run("delete-buffer", "-b", buffer)

    async def _run(self, *arguments: str, given: bytes | None = None) -> str:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._program,
                *arguments,
                stdin=asyncio.subprocess.PIPE if given is not None else asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd="/",
            )
        except OSError as error:
            raise NotTyped(f"tmux cannot be started: {error}") from error
        try:
            async with asyncio.timeout(PATIENCE):
                told, complaint = await process.communicate(given)
        except TimeoutError:
            raise NotTyped(f"tmux did not answer {arguments[0]}") from None
        finally:
            await _end(process)
        if process.returncode != 0:
            words = complaint.decode(errors="replace").strip()[:200]
            raise NotTyped(f"tmux {arguments[0]} failed: {words}")
        return told.decode(errors="replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
