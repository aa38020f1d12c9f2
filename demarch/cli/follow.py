"""`ic events tail --follow`, kept running: it says that something happened, never what.

What happened is read from the log; a follower that is down or deaf only makes that later.
"""

import asyncio
import json
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from demarch.cli.commands import IC, command, flagged
from demarch.cli.events import NEVER, SOURCES, TOLD
from demarch.cli.failures import NotStarted
from demarch.cli.parsing import number_of, text_of
from demarch.cli.process import Runner
from demarch.cli.spawning import Hearer, spawned
from demarch.errors import KernelUnavailable
from demarch.kernel import Marks
from storage.clock import Clock

log = structlog.get_logger()

INTERVAL = "100ms"
AGAIN = 5.0  #: seconds until a dead pipe is opened anew
POLL_ALONE = 1.0  #: seconds between looks while nobody follows
LIFE = 900.0  #: seconds: a process that still holds a database that was replaced is deaf
LONGEST = 1024 * 1024  #: of a line; a longer one is news without being read


class Follower:
    """A service and a signal: one task runs it, one other waits for it."""

    def __init__(self, runner: Runner, clock: Clock, head: Callable[[], Awaitable[Marks]]) -> None:
        """`head` says where the log ends: history is no news."""
        self._runner = runner
        self._clock = clock
        self._head = head
        self._news = asyncio.Event()
        self.follows = False  #: whether the process runs

    async def run(self) -> None:
        """Follow until cancelled; the process is gone afterwards."""
        while True:
            try:
                await self._follow()
            except KernelUnavailable as error:
                log.info("follow.waits", reason=str(error))
            finally:
                self.follows = False
                self._news.set()  # whoever waits polls faster from now on
            await self._clock.sleep(AGAIN)

    async def wait(self, clock: Clock, poll_every: float) -> None:
        """Until something happened, `poll_every` at the latest; sooner while nothing is followed."""
        if not self._news.is_set():
            seconds = poll_every if self.follows else min(poll_every, POLL_ALONE)
            async with asyncio.TaskGroup() as tasks:
                poll = tasks.create_task(clock.sleep(seconds))
                poll.add_done_callback(self._on_poll)
                await self._news.wait()
                poll.cancel()
        self._news.clear()

    def close(self) -> None:
        """The waiter has gone; whoever runs the follower ends it."""

    def _on_poll(self, poll: asyncio.Task[None]) -> None:
        if not poll.cancelled():
            self._news.set()

    async def _follow(self) -> None:
        """Until the process ends, or lived long enough."""
        marks = await self._head()
        async with self._process(marks) as lines:
            self.follows = True
            self._news.set()
            async with asyncio.TaskGroup() as tasks:
                life = tasks.create_task(self._clock.sleep(LIFE))
                life.add_done_callback(lambda _: lines.end())
                await lines.ended
                life.cancel()
        log.info("follow.ended", renewed=life.done() and not life.cancelled())

    @asynccontextmanager
    async def _process(self, marks: Marks) -> AsyncIterator["_Lines"]:
        binary, argv = await self._argv(marks)
        async with AsyncExitStack() as stack:
            try:
                _, lines = await stack.enter_async_context(
                    spawned(
                        lambda: _Lines(marks, self._news),
                        binary,
                        *argv,
                        folder=self._runner.folder,
                        environment=self._runner.environment,
                        stderr=asyncio.subprocess.DEVNULL,
                    )
                )
            except OSError as error:
                raise NotStarted(
                    f"The follower could not be started ({os.strerror(error.errno or 0)})."
                ) from error
            yield lines

    async def _argv(self, marks: Marks) -> tuple[str, tuple[str, ...]]:
        asked = command(
            "events.tail",
            # Rows that old versions repeat with every poll shall be few.
            limit=5 * SOURCES,
            poll_interval=INTERVAL,
            since_dispatch=NEVER,
            since_coordination=NEVER,
            since_phase=marks.get("phase", 0),
            since_discovery=marks.get("discovery", 0),
            since_review=marks.get("review", 0),
        )
        argv = flagged(asked, "all", "follow").argv
        binary = await self._runner.locate(IC)
        # A host that is killed cannot kill its follower; the system does it where it can be asked to.
        leash = await asyncio.to_thread(shutil.which, "setpriv", path=self._runner.environment.get("PATH"))
        return (leash, ("--pdeathsig", "KILL", "--", binary, *argv)) if leash else (binary, argv)


class _Lines(Hearer):
    """Hears the process out: every line that is beyond what was heard before is news."""

    def __init__(self, marks: Marks, news: asyncio.Event) -> None:
        super().__init__()
        self._heard = dict(marks)
        self._news = news
        self._rest = b""
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def pipe_data_received(self, fd: int, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST:
            self._rest = b""
            self._news.set()
        for line in lines:
            self._line(line)

    def pipe_connection_lost(self, fd: int, exc: Exception | None) -> None:
        self.end()

    def process_exited(self) -> None:
        super().process_exited()
        self.end()

    def end(self) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _line(self, line: bytes) -> None:
        """Sources that come again with every poll say nothing new."""
        try:
            data = json.loads(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(data, dict):
            return
        source, number = text_of(data, "source"), number_of(data, "id")
        if source in TOLD and number > self._heard.get(source, 0):
            self._heard[source] = number
            self._news.set()
