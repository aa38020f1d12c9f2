"""How long and how often the database is asked for a request: a deadline, few retries, a breaker for writes.

The work runs in a task of its own: when the deadline passes the caller gets its answer at once, whatever the
driver still has to do to let go of a connection that hangs.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

import asyncpg
import structlog
import tenacity

from intermute.breaker import Breaker
from intermute.errors import IntermuteError, InvalidRequest, StorageDown, Unavailable
from storage.background import background
from storage.errors import DatabaseUnavailable

log = structlog.get_logger()

DEADLINE = 5.0  #: seconds for a request; half of what the original's client waits
ATTEMPTS = 4
FIRST_WAIT = 0.05  #: seconds before the second attempt; doubled each time, and up to half of it more

#: nothing of these was committed, so they can be tried again whatever they were
UNDONE = (asyncpg.SerializationError, asyncpg.DeadlockDetectedError)
#: the storage's fault: no connection, no space, no memory, no disk, or a statement it took back
FAULTS = (
    DatabaseUnavailable,
    asyncpg.InsufficientResourcesError,
    asyncpg.PostgresSystemError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.ReadOnlySQLTransactionError,
)

Result = TypeVar("Result")
Work = Callable[[], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class _Failed:
    error: Exception


class Patience:
    """`randomness` gives numbers from 0 to 1, `sleep` waits between attempts."""

    def __init__(
        self,
        *,
        randomness: Callable[[], float],
        deadline: float = DEADLINE,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._deadline = deadline
        self._randomness = randomness
        self._sleep = sleep
        self._tasks: asyncio.TaskGroup | None = None
        self.breaker = Breaker(lambda: asyncio.get_running_loop().time(), randomness)
        self.faults = 0  #: of the storage, so far
        self._kept_at = 0.0  #: when the storage last kept something, by the loop's time

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Work can be done until leave; what is still under way then is given up."""
        ready = asyncio.Event()
        async with background(self._room(ready)):
            await ready.wait()
            yield

    async def _room(self, ready: asyncio.Event) -> None:
        """Where the work runs; it ends, cancelled, with everything in it."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            ready.set()
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    async def read(self, work: Work[Result], deadline: float | None = None) -> Result:
        """Do what changes nothing, again if a connection broke. Raises IntermuteError and faults of ours."""
        return await self._within(deadline, work, (DatabaseUnavailable, *UNDONE))

    async def write(self, work: Work[Result], deadline: float | None = None) -> Result:
        """Do what may change something, again only where it surely was not done. Raises like `read`."""
        self.breaker.enter()
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            result = await self._within(deadline, work, UNDONE)
        except StorageDown as error:
            # Where it kept what others sent meanwhile, it was this request that took too long.
            if error.__cause__ is None and self._kept_at > began:
                self.breaker.neutral()
            else:
                self.breaker.failed()
            raise
        except BaseException:
            self.breaker.neutral()
            raise
        self._kept_at = loop.time()
        self.breaker.succeeded()
        return result

    async def _within(
        self, deadline: float | None, work: Work[Result], again: tuple[type[Exception], ...]
    ) -> Result:
        if self._tasks is None:
            raise Unavailable("The service is about to end.")
        task = self._tasks.create_task(self._outcome(work, again))
        loop = asyncio.get_running_loop()
        over = loop.create_future()
        task.add_done_callback(lambda _: _set(over))
        alarm = loop.call_later(self._deadline if deadline is None else deadline, _set, over)
        try:
            await over
        finally:
            alarm.cancel()
            task.cancel()
        if not task.done() or task.cancelled():
            self.faults += 1
            raise StorageDown("The database did not answer in time; whether it was done is not known.")
        outcome = task.result()
        if isinstance(outcome, _Failed):
            raise outcome.error
        return outcome

    async def _outcome(self, work: Work[Result], again: tuple[type[Exception], ...]) -> Result | _Failed:
        """An error is returned: raised, it would end the group of all requests."""
        try:
            return await work()
        except again:
            pass
        except Exception as error:  # noqa: BLE001 - raised for the caller by `_within`
            return _Failed(self.told(error))

        async def once() -> Result:  # tenacity awaits functions only, not what returns an awaitable
            return await work()

        retrying = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(again),
            stop=tenacity.stop_after_attempt(ATTEMPTS - 1),
            wait=lambda state: self._wait(state.attempt_number + 1),
            sleep=self._sleep,
            reraise=True,
        )
        try:
            await self._sleep(self._wait(1))
            return await retrying(once)
        except Exception as error:  # noqa: BLE001 - as above
            return _Failed(self.told(error))

    def _wait(self, attempt: int) -> float:
        return FIRST_WAIT * 2.0 ** (attempt - 1) * (1 + self._randomness() / 2)

    def told(self, error: Exception) -> Exception:
        """The error as the caller gets it."""
        told: IntermuteError
        match error:
            case IntermuteError():
                return error
            case asyncpg.DataError():
                log.warning("request.unstorable", reason=type(error).__name__)
                told = InvalidRequest("A value of this request cannot be stored.", code="unstorable")
            case _ if isinstance(error, FAULTS):
                self.faults += 1
                log.warning("storage.failed", reason=type(error).__name__)
                told = StorageDown("The database does not answer, or cannot keep anything, just now.")
            case _ if isinstance(error, UNDONE):
                told = Unavailable("Too many requests change the same thing just now; nothing was done.")
            case _:
                return error
        told.__cause__ = error
        return told


def _set(over: asyncio.Future[None]) -> None:
    if not over.done():
        over.set_result(None)
