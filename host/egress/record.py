"""What is kept of every attempt to get out: counted, logged, refusals audited; a flood costs one line."""

import asyncio
from collections import OrderedDict
from datetime import datetime, timedelta

import structlog

from container.egress.passages import Passage, Verdict
from host.meter import Meter
from host.phrases import one_line
from host.record.audit import Audit
from host.swarm.port import lane_of
from storage.clock import Clock
from storage.database import Database
from storage.errors import StorageError

log = structlog.get_logger()

#: The same refusal is audited and logged once in so long; all are counted.
AGAIN = timedelta(hours=1)
REMEMBERED = 1000
WAITING = 200
#: What an agent tried that it may not; the rest is trouble of the network or its own haste.
AUDITED = frozenset({Verdict.NOT_ALLOWED, Verdict.NOT_PUBLIC, Verdict.NOT_HTTPS, Verdict.OTHER_HOST})


class EgressRecord:
    """Its `watch` is what the proxy is given."""

    def __init__(self, *, database: Database, audit: Audit, meter: Meter, clock: Clock) -> None:
        self._database = database
        self._audit = audit
        self._meter = meter
        self._clock = clock
        self._told: OrderedDict[tuple[str, str, Verdict], datetime] = OrderedDict()
        self._refusals: asyncio.Queue[Passage] = asyncio.Queue(WAITING)

    def watch(self, passage: Passage) -> None:
        """Quick and never failing, as the proxy wants it."""
        self._meter.count("egress", verdict=passage.verdict.value)
        if passage.verdict is Verdict.SERVED:
            self._served(passage)
            return
        if not self._is_news(passage):
            return
        log.warning("egress.refused", **_words(passage))
        if passage.verdict in AUDITED:
            try:
                self._refusals.put_nowait(passage)
            except asyncio.QueueFull:
                self._meter.count("egress.unaudited")

    async def run(self) -> None:
        """Write the refusals to the audit log, until cancelled."""
        while True:
            passage = await self._refusals.get()
            try:
                async with self._database.transaction() as conn:
                    await self._audit.record(
                        conn,
                        actor=f"agent:{passage.key}",
                        action="egress.refused",
                        detail={"group": _folder(passage), **_words(passage)},
                    )
            except StorageError as error:
                log.warning("egress.not_audited", reason=str(error))

    def _served(self, passage: Passage) -> None:
        log.info(
            "egress.served",
            **_words(passage),
            address=passage.address,
            sent=passage.sent,
            received=passage.received,
            seconds=round(passage.seconds, 3),
        )
        for way, size in (("sent", passage.sent), ("received", passage.received)):
            self._meter.add("egress.bytes", size, host=passage.host, way=way)

    def _is_news(self, passage: Passage) -> bool:
        """True for the first of its kind in a while."""
        now = self._clock.now()
        kind = (passage.key, passage.host, passage.verdict)
        last = self._told.get(kind)
        if last is not None and now - last < AGAIN:
            return False
        self._told[kind] = now
        self._told.move_to_end(kind)
        while len(self._told) > REMEMBERED:
            self._told.popitem(last=False)
        return True


def _words(passage: Passage) -> dict[str, str | int]:
    """The host is the agent's word when it was refused."""
    return {
        "lane": passage.key,
        "host": one_line(passage.host, 253),
        "port": passage.port,
        "verdict": passage.verdict.value,
    }


def _folder(passage: Passage) -> str:
    return lane_of(passage.key).partition("/")[0]
