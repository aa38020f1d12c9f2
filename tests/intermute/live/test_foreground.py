"""Which program has a terminal."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from intermute.live import foreground


def test_a_program_is_known_by_what_tmux_calls_it() -> None:
    assert foreground.names(1, "claude") == ("claude",)
    assert foreground.names(1, "bash") == ("bash",)


def test_an_interpreter_nobody_can_look_at_is_itself() -> None:
    assert foreground.names(2**22 + 1, "node") == ("node",)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the system has no /proc")
async def test_an_interpreters_script_counts(tmp_path: Path) -> None:
    script = tmp_path / "gemini.js"
    script.write_text("import sys; print('up', flush=True); sys.stdin.read()")
    leader, follower = os.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(script),
        stdin=follower,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,
        preexec_fn=lambda: _take_terminal(follower),
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(10):
            await process.stdout.readline()
        assert foreground.names(process.pid, "python3") == ("python3", "gemini")
        assert foreground.names(process.pid, "vim") == ("vim",)
    finally:
        process.kill()
        await process.communicate()
        os.close(leader)
        os.close(follower)


def _take_terminal(terminal: int) -> None:
    import fcntl
    import termios

    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize(
    ("words", "script"),
    [
        (["node", "/usr/bin/gemini"], ("gemini",)),
        (["node", "--no-warnings", "/usr/lib/codex.js"], ("codex",)),
        (["node", "-e", "claude"], ()),
        (["node", ""], ()),
        (["node"], ()),
    ],
)
def test_a_script_is_the_first_argument_that_is_no_option(words: list[str], script: tuple[str, ...]) -> None:
    assert tuple(foreground._script(words)) == script
