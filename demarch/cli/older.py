"""Asks for what an older `ic` may not know, without taking that for a failure."""

from demarch.cli.commands import Command
from demarch.cli.failures import Failed
from demarch.cli.process import Result, Runner

_UNKNOWN_COMMAND = 3


async def if_known(runner: Runner, command: Command) -> Result | None:
    """None when this `ic` has no such command."""
    try:
        return await runner.ask(command)
    except Failed as error:
        if error.code != _UNKNOWN_COMMAND:
            raise
        return None
