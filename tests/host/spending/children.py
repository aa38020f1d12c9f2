"""`python -m tests.host.spending.children URL`: a host that dies with a request under way."""

import asyncio
import os
import signal
import sys

from container.broker.port import Usage
from storage.clock import SystemClock
from storage.database import Database
from storage.ids import new_ids
from tests.clock import START, HandClock
from tests.host.spending.counter import ask, opened


async def main(url: str) -> None:
    """One request is settled, one is stored, one never was; then no goodbye."""
    async with (
        Database.open(url, size=2) as database,
        opened(database, HandClock(START), new_ids(SystemClock())) as counter,
    ):
        account = counter.account()
        account.settle(account.reserve(ask()).id, Usage(output=1000))
        made = account.reserve(ask())
        await account.recorded(made.id)
        await counter.spending.drain()
        account.reserve(ask())
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
