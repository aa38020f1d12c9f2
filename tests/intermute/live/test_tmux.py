"""Typing into the panes of a real tmux."""

import asyncio
import stat
from pathlib import Path

import pytest

from intermute.limits import LiveRules
from intermute.live.envelope import wrap
from intermute.live.tmux import NotTyped, Tmux
from storage.ids import NewId
from tests.intermute.live.terminals import Terminal, needs_tmux

pytestmark = needs_tmux


def typist(terminal: Terminal, new_id: NewId, *program: str) -> Tmux:
    rules = LiveRules(enabled=True, agents=("claude",), socket=str(terminal.socket))
    return Tmux(rules, new_id, program=program or ("tmux",))


async def test_a_message_is_typed_and_entered(terminal: Terminal, new_id: NewId) -> None:
    await terminal.session("work")
    await typist(terminal, new_id).type(
        "work", wrap("alice", "t-1", "please rebase $(touch /tmp/x) `id` ; é")
    )
    shown = await terminal.screen("work", until="PEER-MESSAGE END")
    assert "START [from=alice, thread=t-1, trust=LOW]" in shown
    assert "please rebase $(touch /tmp/x) `id` ; é" in shown
    # The agent repeats a line once Enter was pressed behind it.
    assert (await terminal.screen("work", until="END ---\n--- INTERMUTE")).count("PEER-MESSAGE END") >= 1
    assert await terminal.buffers() == ""


async def test_a_pane_is_found_by_window_and_number(terminal: Terminal, new_id: NewId) -> None:
    await terminal.session("work", "/bin/cat", "-")
    await terminal.tmux("new-window", "-d", "-t", "=work:", "-n", "desk", str(terminal.agent), "-")
    await terminal.tmux("split-window", "-d", "-t", "=work:=desk", str(terminal.agent), "-")
    for place, words in (("work:desk.1", "second pane"), ("work:1.0", "first pane")):
        await typist(terminal, new_id).type(place, words)
        async with asyncio.timeout(10):
            while words not in await terminal.tmux("capture-pane", "-p", "-t", f"={place}"):
                pass


@pytest.mark.parametrize("place", ["wor", "work:9", "work:des", "work.7", "gone", "work:0.5"])
async def test_a_place_that_only_begins_alike_is_none(terminal: Terminal, new_id: NewId, place: str) -> None:
    await terminal.session("work")
    await terminal.tmux("rename-window", "-t", "=work:", "desk")
    with pytest.raises(NotTyped):
        await typist(terminal, new_id).type(place, "hello")
    assert "hello" not in await terminal.screen("work")


async def test_a_shell_is_never_typed_into(terminal: Terminal, new_id: NewId) -> None:
    await terminal.session("work", "/bin/sh")
    with pytest.raises(NotTyped, match="no agent"):
        await typist(terminal, new_id).type("work", "echo harm")
    assert "harm" not in await terminal.screen("work")


async def test_a_shell_that_comes_at_the_last_moment_is_not_typed_into(
    terminal: Terminal, new_id: NewId, tmp_path: Path
) -> None:
    await terminal.session("work")
    late = tmp_path / "tmux"
    late.write_text(
        "#!/bin/sh\n"
        'case " $* " in *" if-shell "*)\n'
        f"  tmux -S {terminal.socket} respawn-pane -k -t =work: /bin/sh -i\n"
        "esac\n"
        'exec tmux "$@"\n'
    )
    late.chmod(stat.S_IRWXU)
    with pytest.raises(NotTyped, match="changed"):
        await typist(terminal, new_id, str(late)).type("work", "echo harm")
    await terminal.until_running("work", "sh")
    assert "harm" not in await terminal.screen("work")
    assert await terminal.buffers() == ""


async def test_a_pane_that_shows_its_history_is_left_alone(terminal: Terminal, new_id: NewId) -> None:
    await terminal.session("work")
    await terminal.tmux("copy-mode", "-t", "=work:")
    with pytest.raises(NotTyped, match="no input"):
        await typist(terminal, new_id).type("work", "hello")


async def test_panes_that_type_together_are_left_alone(terminal: Terminal, new_id: NewId) -> None:
    await terminal.session("work")
    await terminal.tmux("split-window", "-d", "-t", "=work:", "/bin/sh")
    await terminal.tmux("set-option", "-w", "-t", "=work:", "synchronize-panes", "on")
    with pytest.raises(NotTyped, match="no input"):
        await typist(terminal, new_id).type("work", "hello")


async def test_a_tmux_that_is_not_there_is_a_reason(terminal: Terminal, new_id: NewId) -> None:
    with pytest.raises(NotTyped, match="cannot be started"):
        await typist(terminal, new_id, "/nowhere/tmux").type("work", "hello")
    rules = LiveRules(enabled=True, agents=("claude",), socket="/nowhere/socket")
    with pytest.raises(NotTyped, match="failed"):
        await Tmux(rules, new_id).type("work", "hello")


async def test_a_tmux_that_does_not_answer_is_not_waited_for(
    terminal: Terminal, new_id: NewId, tmp_path: Path
) -> None:
    silent = tmp_path / "tmux"
    silent.write_text("#!/bin/sh\nexec sleep 60\n")
    silent.chmod(stat.S_IRWXU)
    async with asyncio.timeout(5):
        with pytest.raises(NotTyped, match="did not answer"):
            await typist(terminal, new_id, str(silent)).type("work", "hello")


async def test_two_messages_at_once_are_typed_one_after_the_other(terminal: Terminal, new_id: NewId) -> None:
    await terminal.session("work")
    tmux = typist(terminal, new_id)
    async with asyncio.TaskGroup() as tasks:
        for number in range(5):
            tasks.create_task(tmux.type("work", f"first {number}\nlast {number}"))
    shown = [line for line in (await terminal.screen("work", until="last 4")).splitlines() if line]
    for number in range(5):
        assert shown[shown.index(f"first {number}") + 1] in (f"last {number}", f"first {number}")
