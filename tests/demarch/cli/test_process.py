"""Running commands: bounded in time and output, killed with all they started, each failure told apart."""

import asyncio
import os
import signal
from itertools import accumulate
from pathlib import Path

import pytest

from demarch.cli.commands import Command, Row, command
from demarch.cli.failures import BrokeOff, Failed, NotStarted
from demarch.cli.process import PARALLEL, Runner
from demarch.cli.surroundings import surroundings
from demarch.errors import KernelUnavailable
from tests.demarch.cli.binaries import Binaries, Life

#: holds its life open, and leaves a child that does too
_HANGING = '#!/bin/sh\nexec 3>"$0.life"\nsleep 20 &\necho up >&3\nwait\n'


def quick(program: str = "ic", timeout: float = 0.3) -> Command:
    return Command(row=Row(program=program, words=("run", "status"), timeout=timeout), argv=("run", "status"))


async def test_a_command_gets_its_words_the_folder_and_a_clean_environment(
    binaries: Binaries, project: Path
) -> None:
    given = binaries.environment | {"TELEGRAM_TOKEN": "secret", "LC_ALL": "C"}
    runner = Runner(project, surroundings(given, binaries.folder))
    binaries.script("ic", '#!/bin/sh\npwd; printf "%s\\n" "$@"; env\n')
    result = await runner.run(command("gate.override", "abcd1234", reason="it's $HOME; `id` * “so”"))
    where, *said = result.out.splitlines()
    assert where == str(project)
    assert said[:6] == [
        "--json", "--timeout=5s", "gate", "override", "abcd1234", "--reason=it's $HOME; `id` * “so”",
    ]  # fmt: skip
    assert "LC_ALL=C" in said
    assert not any("secret" in line for line in said)


async def test_what_is_given_on_stdin_arrives(binaries: Binaries, runner: Runner) -> None:
    binaries.script("ic", "#!/bin/sh\ncat\n")
    payload = b"x" * 1_000_000
    result = await runner.run(command("state.set", "gate-decision", "abcd1234", stdin=payload))
    assert result.out.encode() == payload


async def test_a_command_that_does_not_read_its_stdin_ends_all_the_same(
    binaries: Binaries, runner: Runner
) -> None:
    binaries.script("ic", "#!/bin/sh\nexit 0\n")
    assert (await runner.run(command("state.set", "k", "s", stdin=b"x" * 1_000_000))).code == 0


async def test_exit_codes_are_values_and_stderr_alone_is_no_failure(
    binaries: Binaries, runner: Runner
) -> None:
    for code in (0, 1, 2, 3):
        binaries.answer("ic gate check", "{}", code=code, err="DEPRECATION: something")
        assert (await runner.run(command("gate.check", "abcd1234"))).code == code
    binaries.answer("ic gate check", "{}", code=1)
    assert (await runner.ask(command("gate.check", "abcd1234"))).code == 1
    binaries.answer("ic health", code=1, err="not well")
    with pytest.raises(Failed, match="ic health failed: not well") as failed:
        await runner.ask(command("ic.health"))
    assert failed.value.code == 1


async def test_wrong_usage_and_a_locked_database_have_sentences_of_their_own(
    binaries: Binaries, runner: Runner
) -> None:
    binaries.answer("ic run list", code=3, err="run: unknown subcommand")
    with pytest.raises(Failed, match="does not understand ic run list"):
        await runner.ask(command("run.list"))
    binaries.answer("ic run list", code=2, err='level=ERROR msg="run list failed" error="database is locked"')
    with pytest.raises(Failed, match="locked by somebody else"):
        await runner.ask(command("run.list"))


async def test_a_hanging_command_is_killed_with_all_it_started(binaries: Binaries, runner: Runner) -> None:
    binaries.script("ic", _HANGING)
    life = Life(binaries.folder / "ic.life")
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(life.begun())
        with pytest.raises(BrokeOff, match="did not answer within"):
            await runner.run(quick(timeout=2))
    await life.over()


async def test_a_cancelled_call_kills_its_command(binaries: Binaries, runner: Runner) -> None:
    binaries.script("ic", _HANGING)
    life = Life(binaries.folder / "ic.life")
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(runner.run(quick(timeout=60)))
        await life.begun()
        task.cancel()
    await life.over()


async def test_a_call_cancelled_while_its_command_starts_leaves_nothing(
    binaries: Binaries, runner: Runner
) -> None:
    binaries.script("ic", _HANGING)
    life = Life(binaries.folder / "ic.life")
    await runner.locate("ic")
    for steps in range(8):  # of the loop, until the command is cancelled
        async with asyncio.timeout(10), asyncio.TaskGroup() as group:
            task = group.create_task(runner.run(quick(timeout=60)))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        task = group.create_task(runner.run(quick(timeout=60)))
        await life.begun()
        task.cancel()
    await life.over()


async def test_endless_output_is_cut_off_and_its_command_killed(binaries: Binaries, runner: Runner) -> None:
    binaries.script("ic", '#!/bin/sh\nexec 3>"$0.life"\necho up >&3\nexec yes "a line that never ends"\n')
    life = Life(binaries.folder / "ic.life")
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(life.begun())
        with pytest.raises(BrokeOff, match="more than 8192 KB"):
            await runner.run(quick(timeout=15))
    await life.over()


async def test_endless_complaints_are_let_go_by(binaries: Binaries, runner: Runner) -> None:
    binaries.script("ic", "#!/bin/sh\nhead -c 20000000 /dev/zero | tr '\\0' x >&2\necho fine\n")
    result = await runner.run(quick(timeout=30))
    assert result.out == "fine\n"
    assert len(result.err) == 64 * 1024


async def test_a_killed_command_is_no_answer(binaries: Binaries, runner: Runner) -> None:
    binaries.script("ic", "#!/bin/sh\necho '{}'\nkill -9 $$\n")
    with pytest.raises(BrokeOff, match="was killed"):
        await runner.run(quick())


async def test_what_a_command_leaves_running_neither_delays_nor_dies(
    binaries: Binaries, runner: Runner
) -> None:
    """`bd` may leave a server behind that keeps the pipe open."""
    binaries.script("bd", "#!/bin/sh\nsleep 20 &\necho $!\n")
    async with asyncio.timeout(5):
        result = await runner.run(quick("bd", timeout=60))
    os.kill(int(result.out), signal.SIGKILL)  # raises if it was not there any more


async def test_a_missing_binary_has_certainly_done_nothing(binaries: Binaries, runner: Runner) -> None:
    binaries.answer("ic health", "ok")
    await runner.run(command("ic.health"))
    binaries.remove("ic")
    with pytest.raises(NotStarted, match="could not be started"):
        await runner.run(command("ic.health"))
    with pytest.raises(NotStarted, match="ic is not installed"):
        await runner.run(command("ic.health"))
    binaries.script("ic", "#!/bin/sh\necho back\n")
    assert (await runner.run(command("ic.health"))).out == "back\n"


@pytest.mark.parametrize("text", ["not a program", "#!/no/such/interpreter\n"])
async def test_a_binary_that_is_none_is_not_started(binaries: Binaries, runner: Runner, text: str) -> None:
    binaries.script("ic", text)
    with pytest.raises(NotStarted):
        await runner.run(command("ic.health"))


async def test_a_project_folder_that_is_gone_is_said_so(
    binaries: Binaries, runner: Runner, project: Path
) -> None:
    await asyncio.to_thread(project.rmdir)
    with pytest.raises(NotStarted, match="folder is gone"):
        await runner.run(command("ic.health"))


@pytest.mark.parametrize("reason", ["half \ud800 a character", "x" * 3_000_000])
async def test_words_the_system_does_not_take_are_not_started(
    binaries: Binaries, runner: Runner, reason: str
) -> None:
    binaries.answer("ic gate override", "{}")
    with pytest.raises(NotStarted):
        await runner.run(command("gate.override", "abcd1234", reason=reason))
    assert not binaries.calls()


async def test_what_is_no_text_does_not_break_the_result(binaries: Binaries, runner: Runner) -> None:
    binaries.script("ic", "#!/bin/sh\nprintf 'caf\\351 \\377\\376'\n")
    assert (await runner.run(quick())).out.startswith("caf\ufffd")


async def test_many_commands_run_side_by_side_but_not_all_at_once(binaries: Binaries, runner: Runner) -> None:
    binaries.script("ic", '#!/bin/sh\necho 1 >> "$0.log"\nsleep 0.2\necho -1 >> "$0.log"\n')
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(runner.run(quick(timeout=10)))
    log = await asyncio.to_thread((binaries.folder / "ic.log").read_text)
    running = list(accumulate(int(line) for line in log.split()))
    assert 1 < max(running) <= PARALLEL
    assert (len(running), running[-1]) == (40, 0)


async def test_every_failure_is_one_the_host_knows() -> None:
    for failure in (NotStarted("x"), BrokeOff("x"), Failed("x", code=2)):
        assert isinstance(failure, KernelUnavailable)
