"""Metrics: what is counted and timed can be read, and nothing counted collides with what is sampled."""

from datetime import timedelta
from pathlib import Path

from bridges.messages import Content
from host.meter import Meter
from host.metrics import Metrics
from host.outgoing.outbox import Outbox, PostKind
from host.sampling import Sampler
from storage.database import Database
from storage.ids import NewId
from tests.clock import HandClock

HOST = Path(__file__).parents[3] / "host"


def test_a_meter_counts_and_times_by_name() -> None:
    metrics = Metrics()
    meter: Meter = metrics
    meter.count("sent", bridge="tg", kind="answer")
    meter.count("sent", bridge="tg", kind="answer")
    meter.count("sessions.started")
    meter.observe("turn", 0.2)
    text = metrics.text().decode()
    assert 'intercom_sent_total{bridge="tg",kind="answer"} 2.0' in text
    assert "intercom_sessions_started_total 1.0" in text
    assert "intercom_turn_seconds_count 1.0" in text


def test_every_name_the_host_times_is_free() -> None:
    metrics = Metrics()
    for source in HOST.rglob("*.py"):
        for line in source.read_text().splitlines():
            name = line.partition('meter.observe("')[2].partition('"')[0]
            if name:
                metrics.observe(name, 1.0)


async def test_waiting_messages_are_sampled_off_the_table(
    database: Database, clock: HandClock, new_id: NewId
) -> None:
    outbox, metrics = Outbox(database, clock, new_id), Metrics()
    async with database.transaction() as conn:
        await outbox.put(conn, address="tg:1", kind=PostKind.NOTICE, content=Content(text="hello"))
    sampler = Sampler(db=database, metrics=metrics, clock=clock)
    since = await sampler.sample(clock.now() - timedelta(seconds=5))
    assert since == clock.now()
    assert b"intercom_outbox_waiting 1.0" in metrics.text()
