"""Brings every chat to show what the outbox says: one task per address, the most important post first."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from uuid import UUID

import structlog

from bridges.port import (
    BridgeError,
    BridgeMisconfigured,
    BridgeUnavailable,
    ChatBridge,
    DeliveryUnknown,
    RateLimited,
)
from host.meter import Meter
from host.outgoing.delivery import Delivery
from host.outgoing.outbox import Outbox, Post
from host.outgoing.patience import Patience
from host.workers import Workers
from storage.clock import Clock
from storage.database import Connection, Database
from storage.errors import StorageError

log = structlog.get_logger()

POLL_EVERY = 5.0
#: how often a message is sent when the network never says whether it took it
MOST_SENDS = 3
_LONGEST_REASON = 500
_RECORD_TRIES = 5


class Recorder(Protocol):
    """The audit log."""

    async def record(
        self, conn: Connection, *, actor: str, action: str, detail: Mapping[str, Any]
    ) -> object: ...


class Sender:
    """Owns the delivery of posts; nobody else calls a bridge's send, edit and delete."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        bridges: Mapping[str, ChatBridge],
        recorder: Recorder,
        clock: Clock,
        meter: Meter,
        at_once: int = 500,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._bridges = bridges
        self._recorder = recorder
        self._clock = clock
        self._meter = meter
        self._workers = Workers(self._bring_up_to_date, name="sender", at_once=at_once)
        self._chats = Patience(clock)  #: addresses that the network asked to wait
        self._networks = Patience(clock)  #: bridges that are down
        self._unconfirmed: dict[UUID, int] = {}
        self._doubted: set[UUID] = set()  #: posts whose messages may read otherwise than noted
        outbox.on_wake(self._workers.wake)

    async def run(self) -> None:
        """Send until cancelled, beginning with what an earlier run left."""
        # Of what is due now an earlier run may have begun an edit that it could not note any more.
        self._doubted |= await self._outbox.due_edits()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._workers.run())
            while True:
                try:
                    await self._look()
                except StorageError as error:
                    log.warning("sender.database", reason=str(error))
                await self._clock.sleep(POLL_EVERY)

    async def drain(self, seconds: float) -> bool:
        """Send what is due now; False when the time did not suffice (the rest stays due)."""
        try:
            async with asyncio.timeout(seconds):
                await self._look()
                await self._workers.idle()
        except (TimeoutError, StorageError):
            return False
        return True

    async def _look(self) -> None:
        for address in await self._outbox.due_addresses():
            if _network(address) in self._bridges:
                self._workers.wake(address)

    async def _bring_up_to_date(self, address: str) -> None:
        bridge = self._bridges.get(_network(address))
        if bridge is None:
            return
        while True:
            await self._chats.wait(address)
            await self._networks.wait(bridge.name)
            post = await self._outbox.next_due(address)
            if post is None:
                self._chats.forget(address)
                return
            await self._deliver(bridge, post)

    async def _deliver(self, bridge: ChatBridge, post: Post) -> None:
        """One try for one post; what goes wrong decides when the next one is."""
        delivery = Delivery(
            bridge=bridge,
            post=post,
            record=self._shown,
            unconfirmed=self._unconfirmed.get(post.id, 0),
            most_sends=MOST_SENDS,
            doubted=post.id in self._doubted,
        )
        try:
            await delivery.bring_about()
        except RateLimited as error:
            self._meter.count("held", bridge=bridge.name)
            self._chats.hold(post.address, error.retry_after)
        except (BridgeUnavailable, BridgeMisconfigured, DeliveryUnknown) as error:
            self._unsure(post, error)
            log.info("sender.waiting", bridge=bridge.name, reason=str(error))
            self._networks.back_off(bridge.name)
        except BridgeError as error:
            await self._give_up(post, error)
        except StorageError:
            self._doubted.add(post.id)
            raise
        except Exception as error:
            log.exception("sender.failed", post=str(post.id))
            self._doubted.add(post.id)
            await self._give_up(post, error)
        else:
            self._networks.forget(bridge.name)
            self._unconfirmed.pop(post.id, None)
            self._doubted.discard(post.id)
            self._meter.count("sent", bridge=bridge.name, kind=post.kind.value)

    def _unsure(self, post: Post, error: BridgeError) -> None:
        if isinstance(error, DeliveryUnknown):
            self._unconfirmed[post.id] = self._unconfirmed.get(post.id, 0) + 1
            self._doubted.add(post.id)

    async def _shown(self, post: Post, refs: Sequence[str], digests: Sequence[str], complete: bool) -> int:
        """Record a delivery. It has happened, so a database that is away for a moment is waited for."""
        for attempt in range(1, _RECORD_TRIES):
            try:
                return await self._outbox.shown(post, refs, digests, complete=complete)
            except StorageError as error:
                log.warning("sender.database", reason=str(error))
                await self._clock.sleep(attempt)
        return await self._outbox.shown(post, refs, digests, complete=complete)

    async def _give_up(self, post: Post, error: Exception) -> None:
        known = isinstance(error, BridgeError)
        reason = (
            (str(error) or type(error).__name__) if known else "a fault of this program; its log says which"
        )
        reason = reason[:_LONGEST_REASON]
        log.warning(
            "post.failed", post=str(post.id), address=post.address, kind=post.kind.value, reason=reason
        )
        self._meter.count("failed", kind=post.kind.value)
        self._unconfirmed.pop(post.id, None)
        detail = {"post": str(post.id), "address": post.address, "kind": post.kind.value, "reason": reason}
        async with self._database.transaction() as conn:
            await self._outbox.fail(conn, post, reason)
            await self._recorder.record(conn, actor="host", action="post.failed", detail=detail)


def _network(address: str) -> str:
    return address.partition(":")[0]
