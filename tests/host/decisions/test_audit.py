"""The audit log: chained, append-only, and honest about what happened to it."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from host.record.audit import Audit
from host.record.audit_chain import Entry, Head, seal
from host.record.audit_files import AuditBroken, AuditFiles
from storage.database import Database
from storage.wakeups import Wakeups
from tests.clock import HandClock

LOOPS: list[asyncio.AbstractEventLoop] = []


@pytest.fixture
async def audit(database: Database, tmp_path: Path, clock: HandClock) -> Audit:
    return await Audit.open(database, tmp_path, clock)


async def write(database: Database, audit: Audit, count: int) -> None:
    for number in range(count):
        async with database.transaction() as conn:
            await audit.record(conn, actor="tg:1000", action="gate.approved", detail={"number": number})
    await audit.settle()


async def tamper(database: Database, *statements: str) -> None:
    """What somebody with the database's password can do: switch the trigger off first."""
    async with database.transaction() as conn:
        await conn.execute("ALTER TABLE host.audit DISABLE TRIGGER audit_append_only")
        for statement in statements:
            await conn.execute(statement)
        await conn.execute("ALTER TABLE host.audit ENABLE TRIGGER audit_append_only")


async def test_an_untouched_log_verifies(database: Database, audit: Audit) -> None:
    await write(database, audit, 5)
    verdict = await audit.verify()
    assert (verdict.ok, verdict.entries) == (True, 5)


async def test_an_empty_log_verifies(audit: Audit) -> None:
    assert (await audit.verify()).ok


async def test_what_was_rolled_back_was_never_recorded(database: Database, audit: Audit) -> None:
    async def interrupted() -> None:
        async with database.transaction() as conn:
            await audit.record(conn, actor="host", action="tried", detail={})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await interrupted()
    await write(database, audit, 1)
    assert [entry.action for entry in await audit.tail(10)] == ["gate.approved"]
    assert (await audit.verify()).ok


@pytest.mark.parametrize(
    "statement", ["UPDATE host.audit SET actor = 'x'", "DELETE FROM host.audit", "TRUNCATE host.audit"]
)
async def test_the_database_refuses_changes(database: Database, audit: Audit, statement: str) -> None:
    await write(database, audit, 1)
    with pytest.raises(Exception, match="append-only"):
        await database.execute(statement)


async def test_a_changed_entry_shows(database: Database, audit: Audit) -> None:
    await write(database, audit, 5)
    await tamper(database, "UPDATE host.audit SET actor = 'tg:6666' WHERE seq = 3")
    verdict = await audit.verify()
    assert (verdict.ok, verdict.broken_at) == (False, 3)
    assert "was changed" in verdict.words


async def test_a_removed_entry_shows(database: Database, audit: Audit) -> None:
    await write(database, audit, 5)
    await tamper(database, "DELETE FROM host.audit WHERE seq = 2")
    verdict = await audit.verify()
    assert (verdict.ok, verdict.broken_at) == (False, 2)


async def test_a_cut_end_shows_by_the_head_in_the_database(database: Database, audit: Audit) -> None:
    await write(database, audit, 5)
    await tamper(database, "DELETE FROM host.audit WHERE seq > 3")
    assert (await audit.verify()).broken_at == 4


async def test_a_cut_end_shows_by_the_head_in_the_file(database: Database, audit: Audit) -> None:
    await write(database, audit, 5)
    await tamper(
        database,
        "DELETE FROM host.audit WHERE seq > 3",
        "UPDATE host.audit_head SET seq = 3, mac = (SELECT mac FROM host.audit WHERE seq = 3)",
    )
    verdict = await audit.verify()
    assert verdict.broken_at == 4
    assert "head file" in verdict.words


async def test_an_entry_forged_behind_the_head_shows(database: Database, audit: Audit) -> None:
    await write(database, audit, 2)
    await database.execute("INSERT INTO host.audit VALUES (3, now(), 'tg:1', 'gate.approved', '{}', 'mac')")
    assert (await audit.verify()).broken_at == 3


async def test_a_missing_head_file_shows(database: Database, audit: Audit, tmp_path: Path) -> None:
    await write(database, audit, 2)
    (tmp_path / "audit.head").unlink()
    verdict = await audit.verify()
    assert not verdict.ok
    assert "head file is missing" in verdict.words


async def test_a_head_file_that_is_behind_is_fine(database: Database, audit: Audit, tmp_path: Path) -> None:
    await write(database, audit, 2)
    kept = (tmp_path / "audit.head").read_bytes()
    await write(database, audit, 2)
    (tmp_path / "audit.head").write_bytes(kept)
    assert (await audit.verify()).ok


async def test_the_key_is_readable_by_its_owner_only(audit: Audit, tmp_path: Path) -> None:
    assert (tmp_path / "audit.key").stat().st_mode & 0o777 == 0o600


async def test_a_lost_key_is_refused_in_words(
    database: Database, audit: Audit, tmp_path: Path, clock: HandClock
) -> None:
    await write(database, audit, 1)
    (tmp_path / "audit.key").unlink()
    with pytest.raises(AuditBroken, match="Restore it from a backup"):
        await Audit.open(database, tmp_path, clock)


async def test_two_that_open_at_once_share_one_key(
    database: Database, tmp_path: Path, clock: HandClock
) -> None:
    async with asyncio.TaskGroup() as tasks:
        opened = [tasks.create_task(Audit.open(database, tmp_path, clock)) for _ in range(4)]
    for task in opened:
        await write(database, task.result(), 1)
    assert (await opened[0].result().verify()).entries == 4


async def test_many_writers_make_one_chain(database: Database, audit: Audit) -> None:
    async with asyncio.TaskGroup() as tasks:
        for _ in range(4):
            tasks.create_task(write(database, audit, 10))
    assert (await audit.verify()).entries == 40


class ToldFiles(AuditFiles):
    """Tells when the head was kept."""

    kept = asyncio.Event()

    def keep(self, head: Head) -> None:
        super().keep(head)
        asyncio.run_coroutine_threadsafe(self._tell(), LOOPS[0])

    async def _tell(self) -> None:
        self.kept.set()


async def test_the_running_writer_keeps_the_head_of_committed_entries(
    database: Database, database_url: str, audit: Audit, tmp_path: Path, clock: HandClock
) -> None:
    LOOPS[:] = [asyncio.get_running_loop()]
    files = ToldFiles(tmp_path)
    running = Audit(database, files, (tmp_path / "audit.key").read_bytes(), clock)
    async with Wakeups.open(database_url) as wakeups, asyncio.TaskGroup() as tasks, asyncio.timeout(10):
        writer = tasks.create_task(running.run(wakeups))
        async with database.transaction() as conn:
            await audit.record(conn, actor="host", action="started", detail={})
        await files.kept.wait()
        writer.cancel()
    assert (await audit.verify()).ok


@pytest.mark.parametrize(
    "detail",
    [
        {"text": "a\x00b \ud800 ü \N{PARTY POPPER}"},
        {"share": 0.1, "big": 10**40, "when": HandClock().now()},
        {"long": "x" * 100_000, "list": list(range(1000)), "nested": {"a": [None, True, {"b": ()}]}},
    ],
)
async def test_any_detail_reads_back_as_it_was_sealed(
    database: Database, audit: Audit, detail: dict[str, Any]
) -> None:
    async with database.transaction() as conn:
        await audit.record(conn, actor="tg:1\x00", action="tried", detail=detail)
    await audit.settle()
    assert (await audit.verify()).ok


@pytest.mark.full
async def test_a_hundred_thousand_entries_are_verified_in_a_stream(
    database: Database, audit: Audit, tmp_path: Path, clock: HandClock
) -> None:
    key, mac, rows = (tmp_path / "audit.key").read_bytes(), b"", []
    for seq in range(1, 100_001):
        entry = Entry(seq=seq, at=clock.now(), actor="host", action="counted", detail={"number": seq})
        mac = seal(key, mac, entry)
        rows.append((seq, entry.at, entry.actor, entry.action, entry.detail, mac))
    async with database.transaction() as conn:
        await conn.executemany("INSERT INTO host.audit VALUES ($1, $2, $3, $4, $5, $6)", rows)
        await conn.execute("UPDATE host.audit_head SET seq = $1, mac = $2", len(rows), mac)
    await audit.settle()
    verdict = await audit.verify()
    assert (verdict.ok, verdict.entries) == (True, 100_000)
