"""A process that reads the log of a project into the chats until it is killed: `python -m … URL FOLDER`."""

import asyncio
import sys
from pathlib import Path

from storage.clock import SystemClock
from storage.database import Database
from storage.ids import new_ids
from tests.host.news.agency import reopened
from tests.servers.kernels.project import Project


async def read_on(url: str, folder: Path) -> None:
    clock = SystemClock()
    project = Project(folder / "project", folder / "bin", folder / "home")
    async with Database.open(url, size=3) as database:
        agency = await reopened(database, new_ids(clock), folder, project, clock)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(agency.kernel.follower.run())
            tasks.create_task(agency.office.consumer.run(agency.kernel.follower))


if __name__ == "__main__":
    asyncio.run(read_on(sys.argv[1], Path(sys.argv[2])))
