"""Deadlines, retries and the breaker around whatever asks the database."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import pytest

from intermute.breaker import FAILURES
from intermute.errors import Conflict, InvalidRequest, StorageDown, Unavailable
from intermute.patience import ATTEMPTS, FIRST_WAIT, Patience
from storage.errors import DatabaseUnavailable


class Naps:
    """Remembers how long the retries would have waited."""

    def __init__(self) -> None:
        self.taken: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.taken.append(seconds)
        await asyncio.sleep(0)


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
async def patience(naps: Naps) -> AsyncIterator[Patience]:
    patience = Patience(randomness=lambda: 1.0, deadline=0.2, sleep=naps)
    async with patience.open():
        yield patience


class Work:
    """Fails with the given errors in turn, then answers."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = list(errors)
        self.calls = 0

    async def __call__(self) -> str:
        self.calls += 1
        if self._errors:
            raise self._errors.pop(0)
        return "done"


async def never() -> str:
    await asyncio.Event().wait()
    return "never"


def gone() -> DatabaseUnavailable:
    return DatabaseUnavailable("it is gone")


async def test_a_read_is_repeated_when_the_connection_broke(patience: Patience, naps: Naps) -> None:
    work = Work(gone(), gone())
    assert await patience.read(work) == "done"
    assert work.calls == 3
    assert naps.taken == [FIRST_WAIT * 1.5, FIRST_WAIT * 2 * 1.5]


async def test_what_only_returns_an_awaitable_is_repeated_as_well(patience: Patience) -> None:
    work = Work(gone())

    def ask() -> Awaitable[str]:
        return work()

    assert await patience.read(ask) == "done"


async def test_a_read_is_not_repeated_for_ever(patience: Patience, naps: Naps) -> None:
    work = Work(*(gone() for _ in range(20)))
    with pytest.raises(StorageDown) as failed:
        await patience.read(work)
    assert failed.value.retry_after == 1
    assert work.calls == ATTEMPTS
    assert len(naps.taken) == ATTEMPTS - 1


async def test_a_write_whose_fate_is_unknown_is_not_repeated(patience: Patience) -> None:
    work = Work(gone())
    with pytest.raises(StorageDown):
        await patience.write(work)
    assert work.calls == 1


@pytest.mark.parametrize("error", [asyncpg.SerializationError("x"), asyncpg.DeadlockDetectedError("x")])
async def test_a_write_that_was_taken_back_is_repeated(patience: Patience, error: Exception) -> None:
    work = Work(error, error)
    assert await patience.write(work) == "done"
    assert work.calls == 3


async def test_a_crowd_that_goes_on_is_told_to_come_back_and_the_breaker_stays_shut(
    patience: Patience,
) -> None:
    for _ in range(FAILURES + 1):
        with pytest.raises(Unavailable) as busy:
            await patience.write(Work(*(asyncpg.SerializationError("x") for _ in range(20))))
        assert busy.value.code == "unavailable"
    assert not patience.breaker.open


@pytest.mark.parametrize(
    "error",
    [
        asyncpg.DiskFullError("x"),
        asyncpg.OutOfMemoryError("x"),
        asyncpg.QueryCanceledError("x"),
        asyncpg.PostgresIOError("x"),
        asyncpg.ReadOnlySQLTransactionError("x"),
    ],
)
async def test_faults_of_the_storage_are_unavailability(patience: Patience, error: Exception) -> None:
    with pytest.raises(StorageDown) as failed:
        await patience.write(Work(error))
    assert failed.value.__cause__ is error
    assert patience.faults == 1


async def test_what_cannot_be_stored_is_the_requests_fault(patience: Patience) -> None:
    with pytest.raises(InvalidRequest):
        await patience.write(Work(asyncpg.DataError("x")))
    assert patience.faults == 0


async def test_a_fault_of_ours_passes_through(patience: Patience) -> None:
    with pytest.raises(ZeroDivisionError):
        await patience.write(Work(ZeroDivisionError()))


@pytest.mark.parametrize("way", ["read", "write"])
async def test_nobody_waits_longer_than_the_deadline(patience: Patience, way: str) -> None:
    ways: dict[str, Callable[[Callable[[], Awaitable[str]]], Awaitable[str]]] = {
        "read": patience.read,
        "write": patience.write,
    }
    async with asyncio.timeout(5):
        with pytest.raises(StorageDown):
            await ways[way](never)


async def test_work_that_does_not_let_go_when_cancelled_does_not_hold_up_the_answer(
    patience: Patience,
) -> None:
    released = asyncio.Event()

    async def stuck() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await released.wait()  # as a driver does that waits for a server

    async with asyncio.timeout(5):
        with pytest.raises(StorageDown):
            await patience.write(stuck)
    released.set()


async def test_fault_05_refusals_never_open_the_breaker(patience: Patience) -> None:
    for _ in range(FAILURES * 4):
        with pytest.raises(Conflict):
            await patience.write(Work(Conflict("somebody was first")))
    assert await patience.write(Work()) == "done"


async def test_fault_05_an_open_breaker_lets_reads_through(patience: Patience) -> None:
    for _ in range(FAILURES):
        with pytest.raises(StorageDown):
            await patience.write(Work(gone()))
    untouched = Work()
    with pytest.raises(StorageDown):
        await patience.write(untouched)
    assert untouched.calls == 0
    assert await patience.read(Work()) == "done"


async def test_whoever_asks_when_the_service_ends_is_told_so() -> None:
    patience = Patience(randomness=lambda: 0.0)
    async with patience.open():
        pass
    with pytest.raises(Unavailable):
        await patience.read(Work())


async def test_work_under_way_is_given_up_when_the_service_ends() -> None:
    patience = Patience(randomness=lambda: 0.0)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def long() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async def ask() -> None:
        with pytest.raises(StorageDown):
            await patience.read(long)

    async with asyncio.timeout(5), asyncio.TaskGroup() as tasks, patience.open():
        tasks.create_task(ask())
        await begun.wait()
    assert ended.is_set()


async def test_fault_05_a_write_that_takes_too_long_while_others_are_kept_does_not_open_the_breaker(
    patience: Patience,
) -> None:
    async def too_long() -> None:
        with pytest.raises(StorageDown):
            await patience.write(never)

    for _ in range(FAILURES):
        async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
            tasks.create_task(too_long())
            await asyncio.sleep(0)
            assert await patience.write(Work()) == "done"
    for _ in range(FAILURES - 1):
        await too_long()
    assert not patience.breaker.open
    await too_long()
    assert patience.breaker.open
