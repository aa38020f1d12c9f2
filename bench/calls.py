"""The kernel CLI: what a tool call costs beyond the run time of the binary that answers it.

The executables are the tests' own. Each call is timed beside the same command run plainly, in turns, so that
the machine's mood is the same for both. `python -m bench.calls` takes these figures alone.
"""

import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, as_table, at_most
from demarch.calls import parse
from demarch.cli.kernel import CliKernel
from demarch.operations import Call
from host.logging import configure
from storage.clock import SystemClock
from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.migrations import migrate
from tests.conftest import parts
from tests.servers.kernels.project import Project

ROUNDS = 100


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="intercom-bench-") as folder:
        place = Path(folder)
        project = await asyncio.to_thread(Project.create, place)
        async with EmbeddedServer.running(place, exclusive=False) as url, Database.open(url) as database:
            await migrate(database, parts())
            kernel = CliKernel(project.folder, database, SystemClock(), environment=project.environment)
            issue = await project.issue("Is it slow?")
            await project.find("It is not")
            return [
                await _added(project, kernel, "ic", parse("research", {"query": "not"})),
                await _added(project, kernel, "bd", parse("search_beads", {"id": issue})),
            ]


async def _added(project: Project, kernel: CliKernel, program: str, call: Call) -> Figure:
    """An operation that takes one command."""
    project.forget()
    await kernel.read(call)
    (command,) = project.calls()
    assert command.program == program
    line = [str(project.bin / program), *command.words]
    samples = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        # Nothing else is to be done meanwhile: this is how long it takes at least.
        subprocess.run(  # noqa: S603, ASYNC221
            line, cwd=project.folder, env=project.environment, capture_output=True, check=True
        )
        plain = time.perf_counter() - began
        began = time.perf_counter()
        await kernel.read(call)
        samples.append((time.perf_counter() - began - plain) * 1000)
    name = f"kernel CLI: {call.operation.name} beyond `{program}`"
    return Figure(name=name, unit="ms", samples=samples, goal=at_most(5))


if __name__ == "__main__":
    with Path(os.devnull).open("w") as nowhere:
        configure(stream=nowhere)
        sys.stdout.write(as_table(asyncio.run(figures())) + "\n")
