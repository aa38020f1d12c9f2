"""A fresh install that will die: its program, its chat network, its database and the points to die at."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import docker

from demarch.calls import parse
from demarch.embedded import EmbeddedKernel
from storage.clock import SystemClock
from storage.database import Database
from tests.conftest import TestServer
from tests.crash.points import Points
from tests.crash.story import ANA, GOAL, Story
from tests.program import Program
from tests.servers.telegram import TOKEN, TelegramServer

PATIENCE = 20.0
#: Rows of work that was accepted and is not done yet.
UNDONE = (
    "host.updates WHERE handled_at IS NULL",
    "host.messages WHERE turn IS NULL AND triggers",
    "host.turns WHERE state = 'running'",
    "host.approvals WHERE state IN ('pending', 'executing')",
    "host.posts WHERE sent_version < version AND failed IS NULL",
)


class Install:
    """A fresh install with its chat network, its database and the points to die at."""

    def __init__(self, program: Program, server: TelegramServer, points: Points, database: Database) -> None:
        self.program = program
        self.server = server
        self.points = points
        self.database = database
        self.story = Story(server)
        self._kernel = EmbeddedKernel(database, SystemClock())

    async def block_gate(self) -> None:
        """From a terminal: try to advance the run, which lacks what its gate asks for."""
        run = (await self._kernel.runs())[0]
        await self._kernel.write(parse("advance_phase", {"run_id": run.id}), actor="cli:ana", key=uuid4().hex)

    async def tell(self) -> None:
        await self.story.ask()
        await self.story.create_issue()
        await self.story.start_run()
        await self.block_gate()
        await self.story.reject_gate()

    async def tell_to_the_end(self) -> None:
        await self.tell()
        await self.settled()

    @asynccontextmanager
    async def explaining(self, what: str) -> AsyncIterator[None]:
        """Say with a failure where the host was killed and what it said; it never outlives the test."""
        try:
            yield
        except BaseException as broken:
            steps = await self.points.latest()
            broken.add_note(f"{what}; last rows written: {steps}\n{self.program.last_words()}")
            raise
        finally:
            await self.program.kill()

    async def return_from_death(self) -> None:
        await self.program.kill()
        await self.points.forget_host()
        await self.points.aim(0)
        await self.program.start()

    async def check(self, *, repeats: int) -> None:
        """What was promised, whenever the host died; `repeats` deliveries may have been in doubt."""
        await self.settled()
        status, _ = await self.program.stop()
        assert status == 0, self.program.last_words()
        again = {text: count for text, count in self.story.copies().items() if count > 1}
        assert sum(count - 1 for count in again.values()) <= repeats, again
        assert await self._count("kernel.issues WHERE title = 'mend the fence'") <= 1
        assert await self._count(f"kernel.runs WHERE goal = '{GOAL}'") == 1
        assert await self._count("host.approvals WHERE state = 'done' AND verb = 'approve'") == 1
        assert await self._count("host.approvals WHERE state = 'done' AND verb = 'reject'") == 1
        verified, words = await self.program.command("audit", "verify")
        assert verified == 0, words
        assert not await self.containers(), "a container was left over"

    async def settled(self) -> None:
        """Nothing that was accepted stays undone."""
        for undone in UNDONE:
            try:
                async with asyncio.timeout(PATIENCE):
                    while await self._count(undone):  # noqa: ASYNC110 - another process's work
                        await asyncio.sleep(0.02)
            except TimeoutError as error:
                raise AssertionError(f"still there: {undone}") from error

    async def containers(self) -> list[str]:
        """Names of the containers of this install."""
        install = (self.program.home / "install-id").read_text().strip()
        client = docker.APIClient()
        try:
            found = await asyncio.to_thread(
                client.containers, all=True, filters={"label": f"io.intercom.install={install}"}
            )
        finally:
            client.close()
        return [container["Names"][0] for container in found]

    async def _count(self, sql: str) -> int:
        return int(await self.database.fetchval(f"SELECT count(*) FROM {sql}"))  # noqa: S608 - the test's own words


@asynccontextmanager
async def installed(postgres: TestServer) -> AsyncIterator[Install]:
    name = await asyncio.to_thread(postgres.create, migrated=True)
    url = postgres.url(name)
    try:
        with tempfile.TemporaryDirectory(prefix="intercom-crash-") as home:
            async with (
                TelegramServer.running() as server,
                Points.installed(url) as points,
                Database.open(url, size=3) as database,
            ):
                settings = {
                    "INTERCOM_DATABASE_URL": url,
                    "INTERCOM_TELEGRAM__TOKEN": TOKEN,
                    "INTERCOM_TELEGRAM__API_BASE": server.url,
                    "INTERCOM_OWNERS": f'["tg:{ANA}"]',
                    "INTERCOM_SANDBOX": "docker",
                }
                yield Install(Program(Path(home), settings), server, points, database)
    finally:
        await asyncio.to_thread(postgres.drop, name)
