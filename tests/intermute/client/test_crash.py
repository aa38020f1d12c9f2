"""What was acknowledged outlives a kill -9 of service and database, and what was not can be sent again."""

import asyncio
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from intermute.client import Client, ClientError
from storage.postmaster import Postmaster
from tests.intermute.cli.installed import Install

SENDERS = 16
ENOUGH = 150  #: acknowledged messages before everything is killed


@pytest.fixture
def folder() -> Iterator[Path]:
    """A short path: the database's socket lies in it."""
    path = Path(tempfile.mkdtemp(prefix="ic-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


class Sending:
    """Many senders, each with one message on its way, until the service is gone."""

    def __init__(self, client: Client, round_: int) -> None:
        self._client = client
        self._round = round_
        self.acknowledged: dict[str, int] = {}
        self.open: set[str] = set()
        self._enough = asyncio.Event()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for number in range(SENDERS):
                tasks.create_task(self._send(f"{self._round}-{number}"))

    async def enough(self) -> None:
        async with asyncio.timeout(30):
            await self._enough.wait()

    async def _send(self, name: str) -> None:
        number = 0
        while True:
            message = f"{name}-{number}"
            self.open.add(message)
            try:
                sent = await self._client.messages.send(f"sender-{name}", ["bob"], message, id=message)
            except ClientError:
                return
            self.open.discard(message)
            self.acknowledged[message] = sent.cursor
            number += 1
            if len(self.acknowledged) >= ENOUGH:
                self._enough.set()


async def _inbox(client: Client) -> dict[str, int]:
    """Every message of the only recipient, each once."""
    found: dict[str, int] = {}
    cursor = 0
    while (page := await client.messages.inbox("bob", cursor, limit=1000)).messages:
        for message in page.messages:
            assert message.id not in found
            found[message.id] = message.cursor
        cursor = page.cursor
    return found


@pytest.mark.parametrize("rounds", [1, pytest.param(4, marks=pytest.mark.full)])
async def test_every_acknowledged_message_outlives_a_crash_of_everything(folder: Path, rounds: int) -> None:
    install = Install(folder, {})
    acknowledged: dict[str, int] = {}
    unknown: set[str] = set()
    for round_ in range(rounds):
        async with install.serving() as running, Client.open(running.url, project="p") as client:
            sending = Sending(client, round_)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(sending.run())
                await sending.enough()
                postmaster = Postmaster.read(folder / "home" / "postgres")
                assert postmaster is not None
                os.kill(postmaster.pid, signal.SIGKILL)
                running.signal(signal.SIGKILL)
            acknowledged |= sending.acknowledged
            unknown |= sending.open
    assert unknown
    async with install.serving() as running, Client.open(running.url, project="p") as client:
        kept = await _inbox(client)
        assert {message: kept.get(message) for message in acknowledged} == acknowledged
        assert set(kept) <= acknowledged.keys() | unknown
        for message in unknown:
            sender = f"sender-{message.rpartition('-')[0]}"
            sent = await client.messages.send(sender, ["bob"], message, id=message)
            assert sent.cursor == kept.get(message, sent.cursor)
        assert set(await _inbox(client)) == acknowledged.keys() | unknown
        assert await running.stop() == 0
