"""A PostgreSQL of a test's own to stop, freeze and starve, and a service on it by the real clock."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from intermute.service import Given, Service
from storage.background import background
from storage.clock import SystemClock
from storage.cluster import Cluster
from storage.database import Database
from storage.ids import new_ids
from storage.migrations import migrate
from storage.postmaster import Postmaster
from storage.system_user import make_reachable, unprivileged
from storage.wakeups import Wakeups
from tests.conftest import parts
from tests.intermute.calling import PATIENCE, Answer, Http

DEADLINE = 1.0  #: seconds for a request; a caller never waits noticeably longer
SLOWEST = 4.0  #: ... even on a busy machine
RECOVERY = 30.0  #: seconds until a service has found its database again, at the very latest


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnServer:
    cluster: Cluster

    def freeze(self) -> None:
        """Stop all of its processes in their tracks, as a machine out of memory or I/O does."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        server = Postmaster.read(self.cluster.data)
        assert server
        for pid in (server.pid, *_children(server.pid)):
            with suppress(ProcessLookupError):  # one that has just ended
                os.kill(pid, number)


def _children(parent: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            words = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(words[1]) == parent:
            found.append(int(stat.parent.name))
    return found


@asynccontextmanager
async def own_server(folder: Path, **settings: str) -> AsyncIterator[OwnServer]:
    """Durable, as in use."""
    cluster = Cluster(data=folder / "postgres", user=unprivileged(), settings=settings)
    if cluster.user:
        make_reachable(folder / "postgres")
    await cluster.make()
    server = OwnServer(cluster=cluster)
    try:
        yield server
    finally:
        if Postmaster.read(cluster.data) is not None:
            server.thaw()
        await cluster.stop()


@asynccontextmanager
async def service_on(server: OwnServer) -> AsyncIterator[Http]:
    """A program that asks a service on this server."""
    url = await server.cluster.start()
    clock = SystemClock()
    async with Database.open(url, size=4) as db:
        await migrate(db, [part for part in parts() if part.name == "intermute"])
        async with Wakeups.open(url) as wakeups:
            given = Given(db=db, wakeups=wakeups, clock=clock, new_id=new_ids(clock), deadline=DEADLINE)
            async with (
                Service.open(given) as service,
                background(service.run()),
                service.serve(port=0) as listening,
                aiohttp.ClientSession(timeout=PATIENCE) as session,
            ):
                yield Http(session, listening.url)


async def send(http: Http, number: int) -> Answer:
    """Send message number so and so, the same one each time it is called with it."""
    body = {"id": f"m{number}", "project": "p", "from": "ann", "to": ["bob"], "body": f"message {number}"}
    return await http.post("/api/messages", body)


async def read(http: Http) -> Answer:
    return await http.get("/api/inbox/bob", project="p", limit=1000)


def is_unavailable(answer: Answer) -> bool:
    return answer.status == 503 and int(answer.headers["Retry-After"]) >= 1 and bool(answer["message"])


async def until(ask: Callable[[], Awaitable[Answer]], good: Callable[[Answer], bool]) -> Answer:
    """Ask again and again until it is as wanted."""
    async with asyncio.timeout(RECOVERY):
        while not good(answer := await ask()):  # noqa: ASYNC110 - the service tells nobody
            await asyncio.sleep(0.05)
    return answer
