"""`intercom kernel`: the kernel's own commands on the database of the settings."""

import getpass
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

from demarch.embedded import EmbeddedKernel
from demarch.errors import NotPossible
from demarch.terminal import Shell, kernel_group
from host.cli.running import read_settings
from storage.clock import SystemClock
from storage.ids import new_ids

_clock = SystemClock()


@asynccontextmanager
async def _open_kernel() -> AsyncIterator[EmbeddedKernel]:
    from host.data import opened
    from host.event_retention import readers

    settings = read_settings()
    if settings.kernel == "cli":
        raise NotPossible(
            "INTERCOM_KERNEL is cli: use ic and bd in the project's folder. These commands drive the "
            "embedded kernel, which is not in use."
        )
    async with opened(settings) as data:
        readers_of = partial(readers, data.db)
        yield EmbeddedKernel(data.db, _clock, project=settings.project, readers=readers_of)


kernel = kernel_group(
    Shell(open_kernel=_open_kernel, actor=f"cli:{getpass.getuser()}", clock=_clock, new_id=new_ids(_clock))
)
