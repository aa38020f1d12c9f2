"""What is kept of every attempt to get out: all counted, each refusal audited once in a while."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from container.egress.passages import Passage, Verdict
from host.egress.record import AUDITED, EgressRecord
from tests.host.decisions.office import HOUR, Office


@dataclass
class Counts:
    """Remembers what was counted."""

    seen: "Counter[tuple[str, tuple[tuple[str, str], ...]]]" = field(default_factory=Counter)

    def count(self, name: str, **labels: str) -> None:
        self.seen[name, tuple(sorted(labels.items()))] += 1

    def add(self, name: str, amount: float, **labels: str) -> None:
        self.seen[name, tuple(sorted(labels.items()))] += int(amount)

    def observe(self, name: str, seconds: float) -> None:
        raise NotImplementedError

    def of(self, name: str, **labels: str) -> int:
        return self.seen[name, tuple(sorted(labels.items()))]


@asynccontextmanager
async def recording(office: Office, counts: Counts) -> AsyncIterator[EgressRecord]:
    record = EgressRecord(database=office.database, audit=office.audit, meter=counts, clock=office.clock)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        running = tasks.create_task(record.run())
        yield record
        running.cancel()


def refused(verdict: Verdict = Verdict.NOT_ALLOWED, host: str = "evil.example", key: str = "main") -> Passage:
    return Passage(key=key, verdict=verdict, host=host, port=443)


async def audited(office: Office, number: int) -> list[dict[str, object]]:
    while True:
        entries = [each for each in await office.audit.tail(1000) if each.action == "egress.refused"]
        if len(entries) >= number:
            return [dict(each.detail) for each in entries]
        await asyncio.sleep(0.002)


async def test_what_was_served_is_counted_by_host(office: Office) -> None:
    counts = Counts()
    async with recording(office, counts) as record:
        for sent in (100, 200):
            record.watch(Passage(key="main", verdict=Verdict.SERVED, host="a.example", sent=sent, received=7))
        assert counts.of("egress", verdict="served") == 2
        assert counts.of("egress.bytes", host="a.example", way="sent") == 300
        assert counts.of("egress.bytes", host="a.example", way="received") == 14
    assert "egress.refused" not in await office.audited()


@pytest.mark.parametrize("verdict", sorted(AUDITED))
async def test_a_refusal_is_audited_with_who_and_what(office: Office, verdict: Verdict) -> None:
    async with recording(office, Counts()) as record:
        record.watch(refused(verdict, "evil\u202e.example\n", "design/3"))
        (detail,) = await audited(office, 1)
    assert (detail["group"], detail["lane"], detail["verdict"]) == ("design", "design/3", verdict.value)
    assert detail["host"] == "evil.example"


async def test_a_flood_of_refusals_costs_one_entry_an_hour(office: Office) -> None:
    counts = Counts()
    async with recording(office, counts) as record:
        for _ in range(5000):
            record.watch(refused())
        assert len(await audited(office, 1)) == 1
        await office.clock.advance(HOUR)
        record.watch(refused())
        assert len(await audited(office, 2)) == 2
    assert counts.of("egress", verdict="not_allowed") == 5001


async def test_a_flood_of_names_is_bounded(office: Office) -> None:
    counts = Counts()
    async with recording(office, counts) as record:
        for number in range(5000):
            record.watch(refused(host=f"h{number}.example"))
        assert counts.of("egress.unaudited") > 4000
        assert len(await audited(office, 200)) == 200
        assert not [key for key, _ in counts.seen if key == "egress.bytes"]


async def test_haste_and_trouble_are_counted_only(office: Office) -> None:
    counts = Counts()
    async with recording(office, counts) as record:
        for verdict in (Verdict.BUSY, Verdict.SLOW, Verdict.UNREACHABLE, Verdict.UNKNOWN, Verdict.MALFORMED):
            record.watch(refused(verdict, ""))
        record.watch(refused())
        assert len(await audited(office, 1)) == 1
    assert counts.of("egress", verdict="busy") == 1
