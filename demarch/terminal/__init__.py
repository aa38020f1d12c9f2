"""`intercom kernel …`: the embedded kernel driven from a terminal, as people know `ic` and `bd`."""

from demarch.terminal.group import kernel_group
from demarch.terminal.shell import Shell

__all__ = ["Shell", "kernel_group"]
