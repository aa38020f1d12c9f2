"""The service in this process on a free port, and a client for it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from intermute.keys import Keyring, parse
from intermute.limits import Limits
from intermute.service import Given, Service
from storage.background import background
from storage.clock import Clock
from storage.database import Database
from storage.ids import NewId
from storage.wakeups import Wakeups
from tests.intermute.calling import PATIENCE, Http

KEYS = """
projects:
  alpha: {keys: [key-of-alpha]}
  beta: {keys: [key-of-beta]}
"""


@pytest.fixture
def limits() -> Limits:
    """A test that needs others overrides this fixture in its module."""
    return Limits()


@pytest.fixture
def keyring() -> Keyring:
    return Keyring(parse(KEYS))


@pytest.fixture
async def wakeups(database_url: str) -> AsyncIterator[Wakeups]:
    async with Wakeups.open(database_url) as wakeups:
        yield wakeups


@pytest.fixture
async def service(
    database: Database, wakeups: Wakeups, clock: Clock, new_id: NewId, limits: Limits, keyring: Keyring
) -> AsyncIterator[Service]:
    """The service with its loops running, by the hand clock of the test (override `clock` for a real one)."""
    given = Given(db=database, wakeups=wakeups, clock=clock, new_id=new_id, keyring=keyring, limits=limits)
    async with Service.open(given) as service, background(service.run()):
        yield service


@pytest.fixture
async def url(service: Service) -> AsyncIterator[str]:
    """Where the service listens."""
    async with service.serve(port=0) as listening:
        yield listening.url


@pytest.fixture
async def http(url: str) -> AsyncIterator[Http]:
    """A program on this machine without a key."""
    async with aiohttp.ClientSession(timeout=PATIENCE) as session:
        yield Http(session, url)


@pytest.fixture
async def alpha(url: str) -> AsyncIterator[Http]:
    """Somebody elsewhere with the key of project alpha."""
    async with aiohttp.ClientSession(timeout=PATIENCE, headers=elsewhere("key-of-alpha")) as session:
        yield Http(session, url)


@pytest.fixture
async def beta(url: str) -> AsyncIterator[Http]:
    """Somebody elsewhere with the key of project beta."""
    async with aiohttp.ClientSession(timeout=PATIENCE, headers=elsewhere("key-of-beta")) as session:
        yield Http(session, url)


def elsewhere(key: str) -> dict[str, str]:
    """Headers of a caller behind a proxy, who is therefore not local."""
    return {"Authorization": f"Bearer {key}", "X-Forwarded-For": "192.0.2.7"}
