"""Sends that come together share a commit: nothing is lost, nothing is doubled, nobody spoils another's."""

import asyncio
import os
import signal
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest

from intermute.events.event import Event
from intermute.events.journal import Journal
from intermute.messages.inbox import Inbox
from intermute.messages.letter import LARGE, Letter
from intermute.messages.postbox import MOST, Postbox, State
from storage.clock import SystemClock
from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.errors import DatabaseUnavailable
from storage.migrations import migrate
from storage.postmaster import Postmaster
from tests.clock import HandClock
from tests.conftest import parts
from tests.intermute.calling import Http

MANY = 100


def letter(id: str, body: str = "x", **rest: object) -> Letter:  # noqa: A002 - its name there
    return Letter(project="p", id=id, sender="ana", to=["ben"], body=body, **rest)  # type: ignore[arg-type]


class Office:
    """A postbox as one process has it, and what it told."""

    def __init__(self, database: Database) -> None:
        clock = SystemClock()
        journal = Journal(database, clock)
        journal.subscribe(self._hear)
        self.heard: list[Event] = []
        self.postbox = Postbox(database, journal, clock)

    def _hear(self, events: Sequence[Event]) -> None:
        self.heard += events


async def stored(database: Database) -> list[str]:
    """Ids of the messages, each with one row of inbox and log under the same cursor, without gaps."""
    rows = await database.fetch(
        """
        SELECT messages.cursor, messages.id, inbox.agent, events.data ->> 'message_id' AS told
        FROM intermute.messages
        LEFT JOIN intermute.inbox USING (cursor) LEFT JOIN intermute.events USING (cursor)
        ORDER BY cursor
        """
    )
    assert [row["cursor"] for row in rows] == list(range(1, len(rows) + 1))
    assert all((row["agent"], row["told"]) == ("ben", row["id"]) for row in rows)
    assert await database.fetchval("SELECT cursor FROM intermute.counter") == len(rows)
    return sorted(row["id"] for row in rows)


async def test_many_sends_share_few_commits(database: Database) -> None:
    office = Office(database)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        posts = [tasks.create_task(office.postbox.post(letter(f"{number:03}"))) for number in range(MANY)]
    assert await stored(database) == [f"{number:03}" for number in range(MANY)]
    commits = await database.fetchval("SELECT count(DISTINCT xmin::text) FROM intermute.messages")
    assert commits <= MANY / MOST + 2
    cursors = {f"{number:03}": post.result().cursor for number, post in enumerate(posts)}
    assert {event.data["message_id"]: event.cursor for event in office.heard} == cursors


async def test_one_that_cannot_be_kept_fails_alone(database: Database) -> None:
    office = Office(database)

    async def fails(number: int) -> None:
        with pytest.raises(asyncpg.CheckViolationError):
            await office.postbox.post(letter("x" * 201 + str(number)))

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        for number in range(MANY):
            tasks.create_task(fails(number) if number % 10 == 0 else office.postbox.post(letter(str(number))))
    assert await stored(database) == sorted(str(number) for number in range(MANY) if number % 10)


async def test_a_sender_that_leaves_takes_nobody_with_it(database: Database) -> None:
    office = Office(database)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        posts = [tasks.create_task(office.postbox.post(letter(f"{number:03}"))) for number in range(MANY)]
        await asyncio.sleep(0)
        for post in posts[::3]:
            post.cancel()
    kept = set(await stored(database))
    assert {f"{number:03}" for number in range(MANY) if number % 3} <= kept


async def test_a_large_letter_holds_nobody_up_and_arrives(database: Database) -> None:
    office = Office(database)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        for number in range(MANY):
            body = "x" * (LARGE + 1) if number % 20 == 0 else "x"
            tasks.create_task(office.postbox.post(letter(f"{number:03}", body)))
    assert len(await stored(database)) == MANY
    assert (
        await database.fetchval("SELECT count(*) FROM intermute.messages WHERE length(body) > $1", LARGE) == 5
    )


async def test_an_inbox_page_has_a_thousand_messages_at_most(database: Database, clock: HandClock) -> None:
    office = Office(database)
    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        for number in range(1010):
            tasks.create_task(office.postbox.post(letter(str(number))))
    rows = await Inbox(database, clock).page("p", "ben", 5, 1000)
    assert [row["cursor"] for row in rows] == list(range(6, 1006))


async def test_processes_that_send_the_same_messages_keep_each_once(
    database: Database, database_url: str
) -> None:
    """Several processes on one database, with the same ids in other orders."""
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        offices = [
            Office(await stack.enter_async_context(Database.open(database_url, size=4))) for _ in range(3)
        ]
        async with asyncio.TaskGroup() as tasks:
            posts = [
                tasks.create_task(office.postbox.post(letter(f"{number * step % 101:03}", thread_id="t")))
                for number in range(1, 101)
                for office, step in zip(offices, (1, 7, 60), strict=True)
            ]
        assert await stored(database) == [f"{number:03}" for number in range(1, 101)]
        assert sum(post.result().state is State.NEW for post in posts) == 100
        assert sum(len(office.heard) for office in offices) == 100
    counted = "SELECT message_count, last_cursor FROM intermute.threads ORDER BY agent"
    assert [tuple(row) for row in await database.fetch(counted)] == [(100, 100), (100, 100)]


async def test_a_connection_that_is_lost_loses_nothing_that_was_acknowledged(
    database: Database, database_url: str
) -> None:
    office = Office(database)
    acknowledged, failed = set(), set()

    async def post(number: int) -> None:
        try:
            await office.postbox.post(letter(f"{number:03}"))
            acknowledged.add(f"{number:03}")
        except DatabaseUnavailable:
            failed.add(f"{number:03}")

    async with asyncio.timeout(30), Database.open(database_url, size=1) as other:
        for turn in range(5):
            async with asyncio.TaskGroup() as tasks:
                for number in range(turn * 20, turn * 20 + 20):
                    tasks.create_task(post(number))
                await asyncio.sleep(0)
                await other.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
    async with asyncio.timeout(10):
        while not await _answers(database):  # noqa: ASYNC110 - the pool throws dead connections away
            await asyncio.sleep(0)
    assert acknowledged <= set(await stored(database))
    for id_ in failed:
        await office.postbox.post(letter(id_))
    assert await stored(database) == [f"{number:03}" for number in range(100)]


async def test_what_was_acknowledged_outlives_a_killed_database() -> None:
    """It has its ordinary, durable settings, and dies in the middle of many sends."""
    acknowledged: set[str] = set()
    some = asyncio.Event()

    async def send(office: Office, sender: int) -> None:
        with pytest.raises(DatabaseUnavailable):  # noqa: PT012 - one of the turns
            for turn in range(10_000):
                id_ = f"{sender} {turn}"
                await office.postbox.post(letter(id_))
                acknowledged.add(id_)
                if len(acknowledged) >= 500:
                    some.set()

    async with asyncio.timeout(60), AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="intercom-")))
        url = await stack.enter_async_context(EmbeddedServer.running(home, exclusive=True))
        database = await stack.enter_async_context(Database.open(url))
        await migrate(database, parts())
        office = Office(database)
        async with asyncio.TaskGroup() as senders:
            for sender in range(16):
                senders.create_task(send(office, sender))
            await some.wait()
            server = Postmaster.read(home / "postgres")
            assert server is not None
            os.kill(server.pid, signal.SIGKILL)
        while not await _answers(database):  # noqa: ASYNC110 - another process comes back
            await asyncio.sleep(0.1)
        assert acknowledged <= set(await stored(database))


async def _answers(database: Database) -> bool:
    """Whether every connection of the pool does."""
    try:
        async with AsyncExitStack() as stack:
            for _ in range(5):
                connection = await stack.enter_async_context(database.connection())
                await connection.fetchval("SELECT true")
    except (DatabaseUnavailable, asyncpg.PostgresError):
        return False
    return True


async def test_it_is_counted_how_many_messages_share_a_commit(http: Http) -> None:
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        for number in range(MANY):
            body = {"project": "p", "id": str(number // 2), "from": "ana", "to": ["ben"], "body": "x"}
            tasks.create_task(http.post("/api/messages", body))
    figures = {
        line.split()[0]: float(line.split()[1])
        for line in (await http.get("/metrics")).text.splitlines()
        if line.startswith("intermute_message")
    }
    assert figures["intermute_messages_total"] == MANY / 2
    assert 1 <= figures["intermute_message_commits_total"] < MANY / 2
    assert figures["intermute_messages_waiting"] == 0
