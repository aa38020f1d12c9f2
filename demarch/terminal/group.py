"""Puts the command groups together."""

import click

from demarch.terminal.discoveries import discovery
from demarch.terminal.events import events
from demarch.terminal.gates import gate
from demarch.terminal.issues import issue
from demarch.terminal.reviews import review
from demarch.terminal.runs import run
from demarch.terminal.shell import Shell


def kernel_group(shell: Shell) -> click.Group:
    """The group to mount as `kernel`."""

    @click.group("kernel", help="Drive the embedded kernel: issues, runs, gates, discoveries, events.")
    @click.pass_context
    def kernel(context: click.Context) -> None:
        context.obj = shell

    for group in (issue, run, gate, discovery, review, events):
        kernel.add_command(group)
    return kernel
