"""The kernel CLI: a gate blocks in the log of a project until its card is in Telegram, told by the follower.

The executables are the tests' own, each a fresh interpreter. How long one of them takes is measured beside
it: a card waits for three, one after the other. `python -m bench.follow` takes these figures alone.
"""

import asyncio
import random
import sys
import tempfile
import time
from pathlib import Path

from bench.figures import Figure, as_table, at_most
from bench.rig import OWNER, rig
from tests.servers.kernels.project import Project

COUNT = 40
CHAIN = {
    "phases": '["review","polish","done"]',
    "gates": '{"review→polish":[{"check":"artifact_exists"}],"polish→done":[]}',
}


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="intercom-bench-ic-") as place:
        project = await asyncio.to_thread(Project.create, Path(place))
        settings = {
            "INTERCOM_KERNEL": "cli",
            "INTERCOM_PROJECT": str(project.folder),
            "INTERCOM_SANDBOX": "process",
            **project.environment,
        }
        async with rig(settings) as install:
            await install.reply(OWNER, "/help")  # before that there is no chat to send to
            cards = []
            for number in range(COUNT):
                run = await project.run(f"bench {number}", **CHAIN)
                # Anywhere between two looks of the follower.
                await asyncio.sleep(0.2 + random.random() / 5)  # noqa: S311 - an interval, no secret
                project.sql(
                    "INSERT INTO phase_events (run_id, from_phase, to_phase, event_type, reason, created_at)"
                    " VALUES (?, 'review', 'polish', 'block', '{}', CAST(strftime('%s') AS INTEGER))",
                    run,
                )
                at = time.monotonic()
                shown = await install.server.wait_for_message(OWNER, run, within=30)
                sent = next(sent for sent in install.server.sent if sent.message_id == shown.message_id)
                cards.append((sent.at - at) * 1000)
            alone = [await _alone(project) for _ in range(COUNT)]
    return [
        Figure(name="kernel CLI: event to card", unit="ms", samples=cards, goal=at_most(300)),
        Figure(name="kernel CLI: one command of the fake", unit="ms", samples=alone),
    ]


async def _alone(project: Project) -> float:
    begun = time.perf_counter()
    await project.ic("events", "tail", "--all", f"--since-phase={COUNT}")
    return (time.perf_counter() - begun) * 1000


if __name__ == "__main__":
    sys.stdout.write(as_table(asyncio.run(figures())) + "\n")
