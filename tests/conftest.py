"""What every test may ask for: a fresh migrated database, a clock to turn by hand, ids that sort."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from asyncpg.protocol import Record
from xdist.remote import Producer

from storage.clock import SystemClock
from storage.cluster import Cluster
from storage.database import Database
from storage.embedded import EmbeddedServer
from storage.flock import FileLock
from storage.ids import NewId, uuid7
from storage.migrations import Part, migrate
from storage.system_user import unprivileged
from tests.clock import START, HandClock
from tests.dealing import Dealing

ROOT = Path(__file__).parent.parent
TEMPLATE = "intercom_template"
#: The tests' server forgets everything at the end, so it need not be safe, only quick.
QUICK = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off", "max_connections": "100"}

FOLDER = "intercom-tests-"

# The settings of whoever runs the tests are not ours.
for _name in [name for name in os.environ if name.startswith("INTERCOM_")]:  # noqa: TID251 - see above
    del os.environ[_name]  # noqa: TID251


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Dealing:
    """`make test` runs two processes; who calls pytest himself has one."""
    return Dealing(config, log)


def parts() -> list[Part]:
    """Every part of the program that has tables."""
    places = {"host": ROOT / "host", "kernel": ROOT / "demarch", "intermute": ROOT / "intermute"}
    return [Part(name, place / "migrations") for name, place in places.items()]


class TestServer:
    """One PostgreSQL for the whole run, handled from a loop of its own between the tests' loops."""

    __test__ = False

    def __init__(self, loop: asyncio.AbstractEventLoop, url: str) -> None:
        self._loop = loop
        self._url = url
        self._numbers = itertools.count(1)
        self._admin: asyncpg.Connection[Record] = self.run(asyncpg.connect(url))
        self._made_template = False

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self._loop.run_until_complete(work)

    def url(self, database: str) -> str:
        return self._url.replace("/postgres?", f"/{database}?")

    def create(self, *, migrated: bool) -> str:
        """A new database: empty, or with all parts migrated."""
        if migrated and not self._made_template:
            self.run(self._make_template())
            self._made_template = True
        name = f"test_{next(self._numbers)}"
        template = TEMPLATE if migrated else "template0"
        self.run(self._admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY'))
        return name

    def drop(self, name: str) -> None:
        self.run(self._admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)'))

    def close(self) -> None:
        self.run(self._admin.close())

    async def _make_template(self) -> None:
        await self._admin.execute(f'CREATE DATABASE "{TEMPLATE}"')
        async with Database.open(self.url(TEMPLATE), size=1) as database:
            await migrate(database, parts())


def place() -> Path:
    """Memory where there is plenty: a database is copied in 15 ms there, in 70 on a disk."""
    memory = Path("/dev/shm")
    if memory.is_dir() and shutil.disk_usage(memory).free > 2**30:
        return memory
    return Path(tempfile.gettempdir())


async def _sweep() -> None:
    """Stop and remove the servers of runs that were killed. A living run holds its lock."""
    long_ago = SystemClock().now().timestamp() - 60
    for folder in place().glob(f"{FOLDER}*"):
        lock_file = folder / "postgres.users"
        # A young one may be about to take its lock; another user's is not ours to remove.
        if (
            not lock_file.exists()
            or lock_file.stat().st_mtime > long_ago
            or not os.access(lock_file, os.W_OK)
        ):
            continue
        with FileLock.open(lock_file) as lock:
            if lock.take():
                await Cluster(data=folder / "postgres", user=unprivileged()).stop()
                shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres() -> Iterator[TestServer]:
    """The run's own embedded server in a temporary folder."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(_sweep())
    with tempfile.TemporaryDirectory(prefix=FOLDER, dir=place()) as folder:
        running = EmbeddedServer.running(Path(folder), exclusive=False, settings=QUICK)
        url = loop.run_until_complete(running.__aenter__())
        server = TestServer(loop, url)
        try:
            yield server
        finally:
            server.close()
            loop.run_until_complete(running.__aexit__(None, None, None))
            loop.close()


@pytest.fixture
def empty_database_url(postgres: TestServer) -> Iterator[str]:
    """A database of this test's own without any schema."""
    name = postgres.create(migrated=False)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
def database_url(postgres: TestServer) -> Iterator[str]:
    """A migrated database of this test's own."""
    name = postgres.create(migrated=True)
    yield postgres.url(name)
    postgres.drop(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """The pool on this test's own migrated database."""
    async with Database.open(database_url, size=5) as database:
        yield database


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def new_id() -> NewId:
    """Ids that sort in the order they were asked for, the same in every run."""
    numbers = itertools.count(1)

    def next_id() -> UUID:
        return uuid7(START, next(numbers))

    return next_id
