"""A real tmux of the test's own."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

TMUX = shutil.which("tmux")
needs_tmux = pytest.mark.skipif(TMUX is None, reason="tmux is not installed")

PATIENCE = 10.0


class Terminal:
    """`agent` is the path of a program called claude that repeats what is typed."""

    def __init__(self, socket: Path, agent: Path) -> None:
        self.socket = socket
        self.agent = agent

    async def tmux(self, *arguments: str) -> str:
        process = await asyncio.create_subprocess_exec(
            TMUX or "tmux",
            "-S",
            str(self.socket),
            "-f",
            "/dev/null",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await process.communicate()
        assert process.returncode == 0, told.decode()
        return told.decode()

    async def session(self, name: str, *command: str) -> None:
        """A session with the command in its only pane; without one with the agent. Waits until it runs."""
        words = command or (str(self.agent), "-")
        await self.tmux("new-session", "-d", "-s", name, "-x", "200", "-y", "50", *words)
        await self.until_running(name, Path(words[0]).name)

    async def until_running(self, name: str, command: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while await self.running(name) != command:
                pass

    async def running(self, name: str) -> str:
        told = await self.tmux("display-message", "-p", "-t", f"={name}:", "#{pane_current_command}")
        return told.strip()

    async def screen(self, name: str, *, until: str = "") -> str:
        """What its pane shows, once the words are there."""
        async with asyncio.timeout(PATIENCE):
            while until not in (shown := await self.tmux("capture-pane", "-p", "-t", f"={name}:")):
                pass
        return shown

    async def buffers(self) -> str:
        return await self.tmux("list-buffers")


@asynccontextmanager
async def opened(folder: Path) -> AsyncIterator[Terminal]:
    """Its server ends with the test."""
    agent = folder / "claude"
    shutil.copy("/bin/cat", agent)
    terminal = Terminal(folder / "tmux", agent)
    await terminal.session("keep", "/bin/cat", "-")  # a server without a session ends
    try:
        yield terminal
    finally:
        await terminal.tmux("kill-server")
