"""Accepts what bridges receive: committed once before the network is told, then somebody is woken."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog

from bridges.messages import ButtonTap, ChatMessage, ChatUpdate, Content
from host.conversation.messages_store import keep_message
from host.incoming.acquaintances import Acquaintances
from host.incoming.reception import Fate, Reception, receive
from host.incoming.updates import LONGEST_TEXT, address_of, bounded, encode, kind_of
from host.meter import Meter
from host.outgoing.outbox import Outbox, PostKind
from host.people.registry import Registry
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.ids import NewId

log = structlog.get_logger()

_SQL = sql.load("host", "intake")


@dataclass(frozen=True, slots=True)
class _Received:
    update: ChatUpdate
    reception: Reception
    message: UUID | None  #: the id its row shall have; None for what is not kept as a message
    cut: bool  #: its text was longer than we keep


class Intake:
    """The host's side of every bridge."""

    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        outbox: Outbox,
        clock: Clock,
        new_id: NewId,
        name: str,
        wake_lane: Callable[[str], None],
        expect_lane: Callable[[str], None],
        wake_router: Callable[[str], None],
        meter: Meter,
    ) -> None:
        self._database = database
        self._registry = registry
        self._outbox = outbox
        self._clock = clock
        self._new_id = new_id
        self._name = name
        self._wake_lane = wake_lane
        self._expect_lane = expect_lane
        self._wake_router = wake_router
        self._meter = meter
        self._acquaintances = Acquaintances()

    async def mark(self, bridge: str) -> str | None:
        mark: str | None = await self._database.fetchval(_SQL["intake.mark"], bridge)
        return mark

    async def accept(self, bridge: str, updates: Sequence[ChatUpdate], mark: str | None) -> None:
        """Commit the updates, each once, and the mark; then have them dealt with."""
        received = [self._receive(update) for update in updates]
        now = self._clock.now()
        async with self._database.transaction() as conn:
            new = await self._insert(conn, bridge, received)
            for each in new:
                await self._keep(conn, bridge, each)
            news = await self._acquaintances.meet(conn, [each.update for each in new], now)
            if mark is not None:
                await conn.execute(_SQL["intake.move_mark"], bridge, mark, now)
        self._acquaintances.remember(news)
        for each in new:
            if isinstance(each.update, ChatMessage | ButtonTap):
                self._registry.heard_from(each.update.sender.address, each.update.sender.name)
        for each in new:
            self._wake(each)
        self._meter.observe("accept", (self._clock.now() - now).total_seconds())

    def _receive(self, update: ChatUpdate) -> _Received:
        kept = bounded(update)
        cut = isinstance(update, ChatMessage) and len(update.text) > LONGEST_TEXT
        reception = receive(kept, self._registry, self._name)
        message = self._new_id() if isinstance(kept, ChatMessage) and reception.group is not None else None
        return _Received(kept, reception, message, cut)

    async def _insert(self, conn: Connection, bridge: str, received: list[_Received]) -> list[_Received]:
        if not received:
            return []
        rows = await conn.fetch(
            _SQL["intake.accept"],
            bridge,
            [each.update.update_id for each in received],
            [kind_of(each.update) for each in received],
            [address_of(each.update) for each in received],
            [
                encode(each.update, each.message) if each.reception.fate is Fate.ROUTER else None
                for each in received
            ],
            self._clock.now(),
        )
        first = {each.update.update_id: each for each in reversed(received)}
        fresh = {row["update_id"] for row in rows}
        return [each for update_id, each in reversed(first.items()) if update_id in fresh]

    async def _keep(self, conn: Connection, bridge: str, received: _Received) -> None:
        update, reception = received.update, received.reception
        if not isinstance(update, ChatMessage) or received.message is None:
            return
        await keep_message(conn, received.message, update, reception, self._clock.now())
        if received.cut and reception.group is not None:
            await self._outbox.put(
                conn,
                address=update.address,
                kind=PostKind.NOTICE,
                folder=reception.group.folder,
                slot=f"cut:{bridge}:{update.update_id}",
                content=Content(text=CUT, reply_to=update.ref or None),
            )

    def _wake(self, received: _Received) -> None:
        update, reception = received.update, received.reception
        self._meter.count("updates", kind=kind_of(update), fate=reception.fate.value)
        match reception.fate:
            case Fate.AGENT if reception.triggers:
                self._wake_lane(reception.lane)
            case Fate.AGENT:  # people talk; the next may call the agent
                self._expect_lane(reception.lane)
            case Fate.ROUTER:
                self._wake_router(address_of(update))
        if received.cut:
            self._outbox.wake(address_of(update))


CUT = (
    f"Your message is longer than {LONGEST_TEXT:,} characters, so the agent reads only the first "
    f"{LONGEST_TEXT:,}. Send the rest as another message."
)
