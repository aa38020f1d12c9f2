"""The coordination service alone: durable messages, the inbox, the check of a path, push, memory.

A compiled client (bench/load) talks to `intercom intermute serve`; both and PostgreSQL share the machine.
`python -m bench.intermute` takes these figures alone.
"""

import asyncio
import os
import random
import sys
import tempfile
from pathlib import Path

from bench.figures import Figure, as_table, at_least, at_most, percentile
from bench.loader import Loader, Measured, NoLoader, build
from bench.serving import Serving, install
from host.logging import configure
from intermute.client import Client
from storage import sql

PROJECT = "bench"
SENDERS = 32
AGENTS = 1000
ROUNDS = 5
SECONDS = 4.0  #: of one round
MESSAGES = 1_000_000
CHUNK = 50_000
FEW, MANY = 100, 100_000  #: active reservations
SOCKETS = 1000
PUSHES = 1000
READS = 400

_SQL = sql.load("bench", "intermute")


async def figures() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="intercom-load-") as folder:
        try:
            program = await build(Path(folder))
        except NoLoader as why:
            sys.stderr.write(f"bench: the coordination service is not measured: {why}\n")
            return []
        async with install() as serving:
            loader = Loader(program, serving.port)
            async with serving.running():
                await _register(serving)
                found = await _sends(loader, serving)
                found += await _pushes(loader, serving)
            await _fill(serving)
            async with serving.running():
                found.append(await _inbox(loader, serving))
                return found + await _checks(loader, serving)


async def _register(serving: Serving) -> None:
    async with Client.open(serving.url, project=PROJECT) as client:
        for name in (*(f"sender-{n}" for n in range(SENDERS)), *(f"agent-{n}" for n in range(AGENTS))):
            await client.agents.register(name, id=name)


async def _sends(loader: Loader, serving: Serving) -> list[Figure]:
    """Rounds of the one and the other kind in turns; every message that was acknowledged must be stored."""
    await loader.send(seconds=1, recipients=1, senders=SENDERS)
    async with serving.database() as database:
        stored = await database.fetchval(_SQL["intermute.stored"])
        one, ten = [], []
        for _ in range(ROUNDS):
            one.append(await loader.send(seconds=SECONDS, recipients=1, senders=SENDERS))
            ten.append(await loader.send(seconds=SECONDS, recipients=10, senders=SENDERS))
        acknowledged = sum(len(each.samples) for each in (*one, *ten))
        assert await database.fetchval(_SQL["intermute.stored"]) - stored == acknowledged
    return [
        *_rates(f"durable messages of {SENDERS} senders", one, 3000, 40),
        *_rates("… to ten recipients each", ten, 1000, None),
    ]


def _rates(name: str, rounds: list[Measured], least: float, worst: float | None) -> list[Figure]:
    rates = [each.rate for each in rounds]
    slowest = [percentile(each.samples, 99) for each in rounds]
    return [
        Figure(name=name, unit="messages/s", samples=rates, goal=at_least(least)),
        Figure(
            name=f"{name}: p99", unit="ms", samples=slowest, goal=None if worst is None else at_most(worst)
        ),
    ]


async def _pushes(loader: Loader, serving: Serving) -> list[Figure]:
    async with loader.listening(SOCKETS, PUSHES) as listening:
        open_ = serving.rss()
        pushed = await listening.push()
        after = serving.rss()
    return [
        Figure(name=f"push with {SOCKETS:,} sockets", unit="ms", samples=pushed.samples, goal=at_most(5)),
        Figure(
            name=f"memory with {SOCKETS:,} sockets", unit="MB", samples=[open_, after], goal=at_most(150, 150)
        ),
    ]


async def _fill(serving: Serving) -> None:
    """While nobody is there who would want to be told of each."""
    async with serving.database() as database:
        head = await database.fetchval(_SQL["intermute.head"])
        for begun in range(head, head + MESSAGES, CHUNK):
            for name in ("messages", "inboxes", "events"):
                await database.execute(_SQL[f"intermute.{name}"], begun, CHUNK)
        await database.execute(_SQL["intermute.count"], MESSAGES)
        await database.execute(_SQL["intermute.word"])
        for table in ("messages", "inbox", "events"):
            await database.execute(f"VACUUM (ANALYZE) intermute.{table}")
        await database.execute("CHECKPOINT")


async def _inbox(loader: Loader, serving: Serving) -> Figure:
    """Pages in the middle of full inboxes."""
    async with serving.database() as database:
        head = await database.fetchval(_SQL["intermute.head"])
    chance = random.Random(5)  # noqa: S311 - the same places every time
    places = [
        (chance.randrange(AGENTS), chance.randrange(head - MESSAGES, head - MESSAGES // 8))
        for _ in range(READS)
    ]
    paths = [
        f"/api/inbox/agent-{agent}?project={PROJECT}&limit=100&since_cursor={at}" for agent, at in places
    ]
    await loader.get(paths[:20])
    pages = await loader.get(paths)
    name = f"inbox page of 100, {MESSAGES:,} messages"
    return Figure(name=name, unit="ms", samples=pages.samples, goal=at_most(4))


async def _checks(loader: Loader, serving: Serving) -> list[Figure]:
    """The same paths with few and with many reservations in the project; every second one is held."""
    chance = random.Random(5)  # noqa: S311 - the same places every time
    found = []
    held = 0
    async with serving.database() as database:
        for count in (FEW, MANY):
            for begun in range(held, count, CHUNK):
                last = min(begun + CHUNK, count)
                await database.execute(_SQL["intermute.reservations"], begun, last)
            await database.execute("VACUUM (ANALYZE) intermute.reservations")
            await database.execute("CHECKPOINT")
            held = count
            numbers = [chance.randrange(1, count // 5) for _ in range(READS)]
            paths = [
                f"/api/reservations/check?project={PROJECT}&pattern=src/part-{n // 10 * 10}/file-{n}.go"
                for n in (number * 10 + chance.randrange(1, 10) for number in numbers)
            ]
            await loader.get(paths[:20])
            checks = await loader.get(paths)
            goal = at_most(2) if count == MANY else None
            found.append(
                Figure(
                    name=f"reservation check, {count:,} active", unit="ms", samples=checks.samples, goal=goal
                )
            )
    return found


def main() -> int:
    with Path(os.devnull).open("w") as nowhere:
        configure(stream=nowhere)
        found = asyncio.run(figures())
    sys.stdout.write(as_table(found) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
