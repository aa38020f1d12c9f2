"""Deals with what is not for an agent: commands, decisions, taps. In order per chat, past busy lanes."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Protocol
from uuid import UUID

import structlog
from asyncpg.protocol import Record

from bridges.messages import ButtonTap, ChatMessage, ChatUpdate, Content, Unreadable
from bridges.port import BridgeError, ChatBridge
from host.conversation.messages_store import release
from host.conversation.prompting import without_trigger
from host.incoming.reception import COMMAND
from host.incoming.updates import decode, kept_id
from host.meter import Meter
from host.outgoing.outbox import Outbox, PostKind
from host.outgoing.sender import Recorder
from host.people.registry import Registry
from host.workers import Workers
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.errors import StorageError

log = structlog.get_logger()

POLL_EVERY = 5.0
_AT_ONCE = 50
_ADDRESSES = 1000
_SQL = sql.load("host", "updates")

FAULT = "Not done: this program has a fault there, its log says which. Try again, or another way."


class Decisions(Protocol):
    """The desk, as far as what people decide reaches it."""

    async def tap(self, tap: ButtonTap, bridge: ChatBridge) -> None:
        """Deal with a press on a button and answer it, always."""
        ...

    async def keyword(self, message: ChatMessage) -> bool:
        """True when the message was a decision; then it is not for the agent."""
        ...


class Answers(Protocol):
    """The commands."""

    async def answer(self, message: ChatMessage) -> Content | None: ...


class Router:
    """Takes updates from the table, so that none is lost; a wake only shortens the wait."""

    def __init__(
        self,
        *,
        database: Database,
        registry: Registry,
        outbox: Outbox,
        bridges: Mapping[str, ChatBridge],
        decisions: Decisions,
        commands: Answers,
        recorder: Recorder,
        wake_lane: Callable[[str], None],
        clock: Clock,
        name: str,
        meter: Meter,
    ) -> None:
        self._database = database
        self._registry = registry
        self._outbox = outbox
        self._bridges = bridges
        self._decisions = decisions
        self._commands = commands
        self._recorder = recorder
        self._wake_lane = wake_lane
        self._clock = clock
        self._name = name
        self._meter = meter
        self._workers = Workers(self._work, name="router", at_once=_AT_ONCE, remembered=_ADDRESSES)

    def wake(self, address: str) -> None:
        """There is something to deal with from this chat; after the commit."""
        self._workers.wake(address)

    async def run(self) -> None:
        """Work until cancelled, beginning with what an earlier run left."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._workers.run())
            while True:
                try:
                    for row in await self._database.fetch(_SQL["updates.addresses"], _ADDRESSES):
                        if row["address"] not in self._workers.active:
                            self._workers.wake(row["address"])
                except StorageError as error:
                    log.warning("router.database", reason=str(error))
                await self._clock.sleep(POLL_EVERY)

    async def idle(self) -> None:
        """Return when nothing that was woken is left to deal with."""
        await self._workers.idle()

    async def _work(self, address: str) -> None:
        while rows := await self._database.fetch(_SQL["updates.unhandled"], address, _AT_ONCE):
            for row in rows:
                await self._handle(row)

    async def _handle(self, row: Record) -> None:
        started = self._clock.now()
        update = decode(row["kind"], row["update_id"], row["address"], row["body"])
        try:
            await self._deal_with(row["id"], update, kept_id(row["body"]))
        except StorageError:
            raise
        except Exception:
            log.exception("update.failed", update=row["id"], kind=row["kind"])
            self._meter.count("updates.failed", kind=row["kind"])
            await self._apologise(row["id"], update)
        self._meter.observe(f"route.{row['kind']}", (self._clock.now() - started).total_seconds())

    async def _deal_with(self, number: int, update: ChatUpdate, kept: UUID | None) -> None:
        match update:
            case ButtonTap():
                bridge = self._bridges.get(update.address.partition(":")[0])
                if bridge is not None:
                    await self._decisions.tap(update, bridge)
                await self._handled(number)
            case Unreadable():
                await self._note(number, update)
            case ChatMessage() if COMMAND.match(update.text.lstrip()):
                await self._reply(number, update.address, await self._commands.answer(update))
            case ChatMessage():
                await self._decide(number, update, kept)

    async def _decide(self, number: int, message: ChatMessage, kept: UUID | None) -> None:
        """A message that reads like a decision; if the desk knows of none it is for the agent after all."""
        words = without_trigger(message.text, self._name)
        if kept is None or await self._decisions.keyword(_with_text(message, words)):
            await self._handled(number)
            self._let_go_on(message.address)
            return
        async with self._database.transaction() as conn:
            lane = await release(conn, kept)
            await self._close(conn, number)
        if lane is not None:
            self._wake_lane(lane)

    async def _reply(self, number: int, address: str, content: Content | None) -> None:
        group = self._registry.group_of(address)
        async with self._database.transaction() as conn:
            if content is not None:
                await self._outbox.put(
                    conn,
                    address=address,
                    kind=PostKind.ANSWER,
                    content=content,
                    folder=None if group is None else group.folder,
                    slot=f"reply:{number}",
                )
            await self._close(conn, number)
        self._outbox.wake(address)
        self._let_go_on(address)

    async def _note(self, number: int, update: Unreadable) -> None:
        detail: dict[str, Any] = {"update": update.update_id, "reason": update.reason}
        async with self._database.transaction() as conn:
            await self._recorder.record(conn, actor="host", action="update.unreadable", detail=detail)
            await self._close(conn, number)

    async def _apologise(self, number: int, update: ChatUpdate) -> None:
        """Nothing stays stuck: what we cannot deal with is closed, and its sender knows."""
        if isinstance(update, ChatMessage):
            await self._reply(number, update.address, Content(text=FAULT))
            return
        bridge = (
            self._bridges.get(update.address.partition(":")[0]) if isinstance(update, ButtonTap) else None
        )
        if isinstance(update, ButtonTap) and bridge is not None:
            try:
                await bridge.answer(update.tap_id, FAULT, alert=True)
            except BridgeError as error:
                log.info("tap.not_answered", reason=str(error))
        await self._handled(number)

    def _let_go_on(self, address: str) -> None:
        """What was written in this chat after a command has waited for it."""
        group = self._registry.group_of(address)
        if group is not None:
            self._wake_lane(group.lane_of(address))

    async def _handled(self, number: int) -> None:
        async with self._database.transaction() as conn:
            await self._close(conn, number)

    async def _close(self, conn: Connection, number: int) -> None:
        await conn.execute(_SQL["updates.handled"], number, self._clock.now())


def _with_text(message: ChatMessage, text: str) -> ChatMessage:
    return message if text == message.text else replace(message, text=text)
