"""What every command shares: opening the kernel, who acts, printing, exit codes."""

import asyncio
import functools
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Concatenate, ParamSpec

import click

from demarch.calls import parse
from demarch.embedded import EmbeddedKernel
from demarch.embedded.ledger import Change
from demarch.errors import DemarchError
from demarch.kernel import Outcome
from demarch.operations import Access
from storage.clock import Clock
from storage.ids import NewId

P = ParamSpec("P")

FAILED = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What the host hands in. Nothing of it is used before a command runs."""

    open_kernel: Callable[[], AbstractAsyncContextManager[EmbeddedKernel]]
    actor: str  #: "cli:<user>"
    clock: Clock
    new_id: NewId


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One command at work."""

    kernel: EmbeddedKernel
    shell: Shell

    async def call(self, name: str, **arguments: Any) -> Outcome:
        """An operation of the table; None means not given."""
        call = parse(name, {key: value for key, value in arguments.items() if value is not None})
        if call.operation.access is Access.READ:
            return await self.kernel.read(call)
        return await self.kernel.write(call, actor=self.shell.actor, key=str(self.shell.new_id()))

    async def change(self, work: Callable[[Change], Awaitable[Outcome]]) -> Outcome:
        """A write that is no operation of the table."""
        return await self.kernel.change(work, actor=self.shell.actor, key=str(self.shell.new_id()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a command prints, and whether it counts as done."""

    text: str
    data: Any
    code: int = 0


def answered(outcome: Outcome, *, of: str | None = None, failed: bool = False) -> Answer:
    """An outcome as an answer; `of` picks the part of the data that `ic` or `bd` would print."""
    data = outcome.data if of is None else outcome.data[of]
    return Answer(text=outcome.text, data=data, code=FAILED if failed else 0)


Body = Callable[Concatenate[Session, P], Awaitable[Answer | None]]


def command(group: click.Group, name: str) -> Callable[[Body[P]], click.Command]:
    """Make an async function a command of the group, with --json and the house's exit codes."""

    def register(body: Body[P]) -> click.Command:
        def run(shell: Shell, /, as_json: bool, *args: P.args, **kwargs: P.kwargs) -> None:
            _refuse_broken_text(kwargs)
            sys.exit(asyncio.run(_run(shell, as_json, body, *args, **kwargs)))

        functools.update_wrapper(run, body)
        options = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
        return group.command(name, help=body.__doc__)(options(click.pass_obj(run)))

    return register


def _refuse_broken_text(given: Mapping[str, object]) -> None:
    """Arguments that are not UTF-8 arrive as lone surrogates, which no database keeps."""
    for name, value in given.items():
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            raise click.BadParameter("is not valid UTF-8", param_hint=name)


async def _run(shell: Shell, as_json: bool, body: Body[P], *args: P.args, **kwargs: P.kwargs) -> int:
    try:
        async with shell.open_kernel() as kernel:
            answer = await body(Session(kernel=kernel, shell=shell), *args, **kwargs)
    except DemarchError as error:
        if as_json:
            click.echo(json.dumps({"error": str(error)}, ensure_ascii=False))
        click.echo(str(error), err=True)
        return FAILED
    if answer is None:
        return 0
    click.echo(json.dumps(answer.data, ensure_ascii=False, default=str) if as_json else answer.text)
    return answer.code
