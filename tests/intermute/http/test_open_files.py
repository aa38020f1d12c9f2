"""Room for connections is made where the system allows it."""

import asyncio
import sys
from asyncio.subprocess import PIPE

import pytest

SCRIPT = """
import resource, sys
from intermute.http.open_files import make_room
soft, hard, connections = map(int, sys.argv[1:])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
print("room for", make_room(connections), "of", resource.getrlimit(resource.RLIMIT_NOFILE)[0])
"""


@pytest.mark.parametrize(
    ("soft", "hard", "connections", "said"),
    [
        (100, 4000, 1000, "room for 1000 of 1256"),
        (100, 600, 1000, "room for 344 of 600"),
        (2000, 4000, 1000, "room for 1000 of 2000"),
        (100, 100, 1000, "room for 1 of 100"),
    ],
)
async def test_the_limit_is_raised_as_far_as_needed_and_allowed(
    soft: int, hard: int, connections: int, said: str
) -> None:
    numbers = [str(number) for number in (soft, hard, connections)]
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", SCRIPT, *numbers, stdout=PIPE)
    async with asyncio.timeout(20):
        output, _ = await process.communicate()
    assert output.decode().splitlines()[-1] == said
