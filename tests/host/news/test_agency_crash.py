"""The log of a real agency under kills: whatever dies when, each event is told once and none is lost."""

import asyncio
import contextlib
import random
import sys
from pathlib import Path

import pytest

from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.host.decisions.office import first_line
from tests.host.news.agency import CHAIN, Agency, found

ROOT = Path(__file__).parents[3]
ALONE = 1.5  #: seconds in which a process that was begun has come to its first events, more or less


@pytest.fixture
async def agency(database: Database, clock: HandClock, new_id: NewId, tmp_path: Path) -> Agency:
    return await found(database, clock, new_id, tmp_path)


async def happen(agency: Agency, number: int) -> None:
    """A run that waits at its gate, and one that is stopped."""
    await agency.blocked(f"gate {number}")
    stopped = await agency.project.run(f"stopped {number}", **CHAIN)
    await agency.project.ic("run", "cancel", stopped)


async def check(agency: Agency, count: int) -> None:
    """Everything is there, and once."""
    await agency.office.feed()
    cards = [first_line(card).split('"')[1] for card in await agency.office.cards()]
    assert cards == [f"gate {number}" for number in range(count)]
    lines = [line.split('"')[1] for line in await agency.office.lines()]
    assert lines == [f"stopped {number}" for number in range(count)]
    verdict = await agency.office.audit.verify()
    assert verdict.ok, verdict.words


async def test_a_reader_that_is_ended_anywhere_tells_each_event_once(agency: Agency) -> None:
    await happen(agency, 0)
    loop = asyncio.get_running_loop()
    began = loop.time()
    await agency.office.feed()
    whole = loop.time() - began
    for number in range(1, 9):
        await happen(agency, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(whole * number / 8):
                await agency.office.feed()
        agency = await agency.reborn()
    await check(agency, 9)


async def somebody_told(agency: Agency) -> None:
    """One of the readers came as far as a card: otherwise nothing is tested here."""
    async with asyncio.timeout(60):
        # Another process writes it.
        while not await agency.office.database.fetchval("SELECT count(*) FROM host.approvals"):  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def killed_readers(agency: Agency, url: str, folder: Path, kills: int) -> None:
    chance = random.Random(4)  # noqa: S311 - when to kill
    for number in range(kills):
        reader = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.host.news.dying", url, str(folder), cwd=ROOT
        )
        try:
            await happen(agency, number)
            await asyncio.sleep(chance.uniform(0, 2 * ALONE))
            if number == kills - 1:
                await somebody_told(agency)
        finally:
            reader.kill()
            await reader.wait()
    agency = await agency.reborn()
    await check(agency, kills)


async def test_a_reader_that_is_killed_tells_each_event_once(
    agency: Agency, database_url: str, tmp_path: Path
) -> None:
    await killed_readers(agency, database_url, tmp_path, kills=3)


@pytest.mark.full
async def test_readers_that_are_killed_again_and_again_tell_each_event_once(
    agency: Agency, database_url: str, tmp_path: Path
) -> None:
    await killed_readers(agency, database_url, tmp_path, kills=25)
