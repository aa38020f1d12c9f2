"""The measures: each takes a running rig and gives figures with the goals they are held to."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import docker

from bench.figures import Figure, at_least, at_most
from bench.rig import OWNER, QUESTION, Rig, rig
from demarch.calls import parse

_PROBE = Path(__file__).with_name("probe.py")


def _ms(seconds: Sequence[float]) -> list[float]:
    return [each * 1000 for each in seconds]


async def start() -> list[Figure]:
    """Process start to ready with the image there and the database made; memory before any agent."""
    seconds, memory = [], []
    async with rig(started=False) as install:
        await install.program.start()
        for _ in range(5):
            await install.program.stop()
            seconds.append(await install.program.start())
            memory.append(install.program.rss())
    return [
        Figure(name="start to ready", unit="s", samples=seconds, goal=at_most(2.0)),
        Figure(name="memory before the first session", unit="MB", samples=memory, goal=at_most(110)),
    ]


async def replies(install: Rig, *, count: int = 200) -> list[Figure]:
    """One chat, one message at a time, its container warm."""
    await install.reply(OWNER)
    warm = [await install.reply(OWNER) for _ in range(count)]
    return [Figure(name="warm reply", unit="ms", samples=_ms(warm), goal=at_most(50, 100))]


async def cold(install: Rig, chats: Sequence[int]) -> list[Figure]:
    """The first message of groups that have no container yet, one after the other."""
    first = [await install.reply(chat) for chat in chats]
    return [Figure(name="first reply of a cold group", unit="ms", samples=_ms(first), goal=at_most(600))]


async def crowd(install: Rig, chats: Sequence[int], *, rounds: int = 10) -> list[Figure]:
    """All chats at once, every one with a warm container of its own."""
    await install.replies(chats)
    rates = [len(chats) / await install.replies(chats) for _ in range(rounds)]
    goal = at_least(30)
    return [Figure(name=f"{len(chats)} chats at once", unit="replies/s", samples=rates, goal=goal)]


async def tool_calls(install: Rig, *, count: int = 300) -> list[Figure]:
    """MCP `tools/call` from inside a running container, over its own socket."""
    client = docker.APIClient()
    try:
        container = client.containers(filters={"label": "io.intercom.key=main", "status": "running"})[0]["Id"]
        command = ["python3", "-I", "-S", "-c", _PROBE.read_text(), str(count)]
        run = client.exec_create(container, command)["Id"]
        printed = (await asyncio.to_thread(client.exec_start, run)).decode()
    finally:
        client.close()
    assert printed.replace(".", "").replace("\n", "").isdigit(), printed
    samples = [float(line) for line in printed.split()]
    return [Figure(name="tool call from the container", unit="ms", samples=samples, goal=at_most(5))]


async def events(install: Rig, *, count: int = 50) -> list[Figure]:
    """A gate blocks in the kernel until its card is in Telegram."""
    samples = []
    for number in range(count):
        started = parse("start_run", {"title": f"bench {number}"})
        run = (await install.kernel.write(started, actor="cli:bench", key=uuid4().hex)).data["id"]
        advance = parse("advance_phase", {"run_id": run})
        await install.kernel.write(advance, actor="cli:bench", key=uuid4().hex)
        at = time.monotonic()
        shown = await install.server.wait_for_message(OWNER, run, within=30)
        card = next(
            sent for sent in install.server.sent if sent.message_id == shown.message_id and sent.chat == OWNER
        )
        samples.append(max(card.at - at, 0.0))
    return [Figure(name="kernel event to card", unit="ms", samples=_ms(samples), goal=at_most(50))]


async def flood(install: Rig, chats: Sequence[int], *, seconds: float = 15) -> list[Figure]:
    """One chat is held in 429; how much later do the others answer than without it?"""
    held, others = chats[0], chats[1:]
    calm = [await install.reply(chat) for chat in others]
    install.server.flood(held, seconds)
    install.server.say(held, OWNER, QUESTION)
    ends = time.monotonic() + seconds
    delays = []
    while time.monotonic() < ends - 1:
        for chat, usual in zip(others, calm, strict=True):
            delays.append(await install.reply(chat) - usual)
    await install.server.wait_for_message(held, count=2, within=30)
    worst = at_most(200, 200)
    return [Figure(name="delay of others by one 429", unit="ms", samples=_ms(delays), goal=worst)]


async def memory(install: Rig, *, messages: int = 1000) -> list[Figure]:
    """What the host holds after its first session, and what a thousand messages add."""
    await install.reply(OWNER)
    after_first = install.program.rss()
    for _ in range(messages):
        await install.reply(OWNER)
    grown = install.program.rss() - after_first
    return [
        Figure(name="memory after a session", unit="MB", samples=[after_first], goal=at_most(150)),
        Figure(name=f"growth by {messages} messages", unit="MB", samples=[grown], goal=at_most(15)),
    ]
