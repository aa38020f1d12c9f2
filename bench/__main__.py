"""`python -m bench`: take every measure, print the table, write bench/latest.json."""

import asyncio
import os
import sys
from pathlib import Path

from bench import agents, broker, calls, follow, intermute, kernel, measures
from bench.figures import Figure, as_table, write_json
from bench.rig import rig
from host.logging import configure

LATEST = Path(__file__).with_name("latest.json")
CROWD = [-(200 + number) for number in range(50)]
COLD = [-(100 + number) for number in range(15)]


async def take() -> list[Figure]:
    figures = await measures.start()
    async with rig() as install:
        figures += await measures.memory(install)
        figures += await measures.tool_calls(install)
        figures += await measures.replies(install)
        figures += await measures.events(install)
        await install.register([*COLD, *CROWD])
        figures += await measures.cold(install, COLD)
        figures += await measures.flood(install, COLD[:4])
    async with rig() as install:
        await install.register(CROWD)
        figures += await measures.crowd(install, CROWD)
    figures += await kernel.figures()
    figures += await calls.figures()
    figures += await follow.figures()
    figures += await intermute.figures()
    figures += await broker.figures()
    return figures + await agents.figures()


def main() -> int:
    with Path(os.devnull).open("w") as nowhere:  # as the program logs, where nobody reads it
        configure(stream=nowhere)
        figures = asyncio.run(take())
    sys.stdout.write(as_table(figures) + "\n")
    write_json(figures, LATEST)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
