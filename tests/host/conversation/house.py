"""The conversation half of the host, wired as in production, on a real database."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import Any
from uuid import UUID

from bridges.messages import ButtonTap, ChatMessage, ChatUpdate, Content, Person
from bridges.port import ChatBridge
from container.agent import Permission, PermissionRequest
from container.broker.port import Trouble
from container.folder import GroupFolder
from host.conversation.archive import Archive
from host.conversation.busy_signs import BusySigns
from host.conversation.carrying import Carrying
from host.conversation.continuity import Continuity
from host.conversation.conversations import Conversations
from host.conversation.enclosing import Enclosing
from host.conversation.files_out import FilesOut
from host.conversation.history import History
from host.conversation.images import Images, ImageSource
from host.conversation.lanes import Lanes
from host.conversation.means import Means
from host.conversation.sessions import Sessions
from host.conversation.turns import Turn, Turns
from host.conversation.warmth import Climate, Warmth
from host.incoming.commands import Commands
from host.incoming.intake import Intake
from host.incoming.models import LOCAL, Model
from host.incoming.router import Router
from host.meter import SilentMeter
from host.news.digest import Digests
from host.news.quiet import Quiet
from host.news.wishes import Wishes
from host.outgoing.outbox import Outbox
from host.outgoing.sender import Sender
from host.page.transcript import Transcript
from host.people.registry import Group, Registry
from host.people.roles import Roles
from storage.database import Connection, Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.host.conversation.agents import NoTools, ScriptedLauncher
from tests.host.conversation.bridges import MemoryBridge
from tests.host.conversation.outfits import PlainOutfitter

ANA = Person(address="tg:1000", name="Ana")
EVE = Person(address="tg:666", name="Eve")
OWNER = Person(address="web:owner", name="You")


@dataclass
class Desk:
    """A desk that knows the decisions a test puts on it."""

    decisions: set[str] = field(default_factory=set)
    taken: list[str] = field(default_factory=list)
    taps: list[str] = field(default_factory=list)
    fault: Exception | None = None

    async def tap(self, tap: ButtonTap, bridge: ChatBridge) -> None:
        if self.fault is not None:
            raise self.fault
        self.taps.append(tap.data)
        await bridge.answer(tap.tap_id, "done")

    async def keyword(self, message: ChatMessage) -> bool:
        if message.text not in self.decisions:
            return False
        self.taken.append(message.text)
        return True

    async def relist(self, address: str, person: str) -> None:
        self.taken.append(f"{person} in {address}")


@dataclass
class Claims:
    codes: list[str] = field(default_factory=list)

    async def claim(self, person: str, name: str, address: str, private: bool, code: str) -> str:
        del person, address, private
        self.codes.append(code)
        return f"{name} owns the bot."


@dataclass
class Record:
    """What turns have written, and what was audited."""

    written: dict[UUID, list[str]] = field(default_factory=dict)
    audited: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)

    async def had_written(self, turn: UUID) -> list[str]:
        return self.written.get(turn, [])

    async def record(self, conn: Connection, *, actor: str, action: str, detail: Mapping[str, Any]) -> None:
        del conn, actor
        self.audited.append((action, detail))


async def _allow(turn: Turn, request: PermissionRequest) -> Permission:
    del turn, request
    return Permission.ALLOW


async def _status(folder: str) -> Content:
    return Content(text=f"Nothing runs in {folder}.")


async def _discoveries(group: Group, address: str, person: str, argument: str) -> Content | None:
    return Content(text=f"No discovery waits in {group.folder} at {address} for {person}: {argument}.")


async def _spend(folder: str) -> Content:
    return Content(text=f"Nothing was spent in {folder}.")


@dataclass(kw_only=True)
class House:
    """Everything between an accepted update and a delivered answer."""

    database: Database
    clock: HandClock
    new_id: NewId
    bridge: MemoryBridge
    web: MemoryBridge
    launcher: ScriptedLauncher
    home: Path
    desk: Desk = field(default_factory=Desk)
    claims: Claims = field(default_factory=Claims)
    record: Record = field(default_factory=Record)
    most: int = 5
    most_paused: int = 20
    climate: Climate = field(default_factory=lambda: Climate(ahead=0))
    memory: int = 1 << 34  #: bytes this machine has available
    models: tuple[Model, ...] = (LOCAL,)
    global_memory: str = ""  #: what agents of groups other than main are told first
    summary_patience: float = 30.0
    image_source: ImageSource | None = None
    largest: int = 20_000_000  #: bytes of a file that agents may send
    files_out: FilesOut | None = None  #: instead of the real one
    trouble: Trouble | None = None  #: how every request of the agents to their models ends
    number: int = 0  #: of the last update

    def __post_init__(self) -> None:
        meter = SilentMeter()
        bridges: dict[str, ChatBridge] = {"tg": self.bridge, "web": self.web}
        self.registry = Registry(self.database, self.clock, runtime="local")
        self.outbox = Outbox(self.database, self.clock, self.new_id)
        self.turns = Turns(self.database, self.clock, self.new_id)
        self.transcript = Transcript(self.database)
        self.conversations = Conversations(self.database, self.clock, self.new_id)
        self.sender = Sender(
            database=self.database,
            outbox=self.outbox,
            bridges=bridges,
            recorder=self.record,
            clock=self.clock,
            meter=meter,
        )
        self.sessions = Sessions(
            launcher=self.launcher,
            outfitter=PlainOutfitter(conversations=self.conversations),
            toolbox_for=lambda lane, turn: NoTools(),
            turn_over=lambda lane: None,
            clock=self.clock,
            meter=meter,
            group_of=self.registry.group_of_lane,
            most=self.most,
            most_paused=self.most_paused,
        )
        self.warmth = Warmth(
            sessions=self.sessions,
            climate=self.climate,
            recent_lanes=self.turns.recent_lanes,
            group_of=self.registry.group_of_lane,
            clock=self.clock,
            meter=meter,
            available=lambda: self.memory,
        )
        self.lanes = Lanes(
            means=Means(
                database=self.database,
                turns=self.turns,
                outbox=self.outbox,
                enclosing=Enclosing(
                    database=self.database,
                    outbox=self.outbox,
                    bridges=bridges,
                    folder_of=self.folder_of,
                    clock=self.clock,
                    meter=meter,
                ),
                files_out=self.files_out
                or FilesOut(
                    outbox=self.outbox,
                    folder_of=self.folder_of,
                    clock=self.clock,
                    meter=meter,
                    largest=self.largest,
                ),
                bridges=bridges,
                continuity=self._continuity(),
                permit=_allow,
                trouble=lambda turn: self.trouble,
                images=Images(self.image_source, self.clock) if self.image_source else None,
                clock=self.clock,
                meter=meter,
            ),
            registry=self.registry,
            sessions=self.sessions,
            warmth=self.warmth,
            signs=BusySigns(bridges, self.clock),
            written=self.record,
            new_id=self.new_id,
        )
        commands = Commands(
            registry=self.registry,
            lanes=self.lanes,
            cards=self.desk,
            claims=self.claims,
            choices=Roles(registry=self.registry, database=self.database, audit=self.record),
            status=_status,
            spend=_spend,
            quiet=self._quiet(),
            discoveries=_discoveries,
            models=self.models,
            name="Amtiskaw",
        )
        self.router = Router(
            database=self.database,
            registry=self.registry,
            outbox=self.outbox,
            bridges=bridges,
            decisions=self.desk,
            commands=commands,
            recorder=self.record,
            wake_lane=self.lanes.wake,
            clock=self.clock,
            name="Amtiskaw",
            meter=meter,
        )
        self.intake = Intake(
            database=self.database,
            registry=self.registry,
            outbox=self.outbox,
            clock=self.clock,
            new_id=self.new_id,
            name="Amtiskaw",
            wake_lane=self.lanes.wake,
            expect_lane=self.lanes.expect,
            wake_router=self.router.wake,
            meter=meter,
        )
        self._updates = self.number

    def _quiet(self) -> Quiet:
        wishes = Wishes(self.database)
        digests = Digests(
            database=self.database,
            wishes=wishes,
            outbox=self.outbox,
            registry=self.registry,
            status=_status,
            clock=self.clock,
            zone=UTC,
        )
        return Quiet(
            database=self.database,
            wishes=wishes,
            digests=digests,
            audit=self.record,
            clock=self.clock,
            zone=UTC,
        )

    def _continuity(self) -> Continuity:
        history = History(self.database)

        async def global_memory(group: Group) -> str:
            return "" if group.main else self.global_memory

        return Continuity(
            conversations=self.conversations,
            history=history,
            carrying=Carrying(
                conversations=self.conversations, history=history, patience=self.summary_patience
            ),
            transcripts=Archive(self.database, self.home / "conversations", self.clock, agent="Amtiskaw"),
            global_memory=global_memory,
        )

    @asynccontextmanager
    async def open(self) -> AsyncIterator["House"]:
        """Run it until leave; leaving is as abrupt as a crash for whatever is under way."""
        await self.registry.ensure_main(["tg:1000"])
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(part.run()) for part in (self.sender, self.lanes, self.router)]
            try:
                yield self
            finally:
                for task in running:
                    task.cancel()

    def folder_of(self, group: str) -> GroupFolder:
        """The group's folder, as its agents' container has it."""
        path = self.home / "groups" / group
        path.mkdir(parents=True, exist_ok=True)
        return GroupFolder(path)

    def message(self, text: str, address: str = "tg:1000", sender: Person = ANA, **more: Any) -> ChatMessage:
        self._updates += 1
        values: dict[str, Any] = {
            "update_id": str(self._updates),
            "address": address,
            "sender": sender,
            "text": text,
            "ref": f"m{self._updates}",
            "sent_at": self.clock.now(),
            "private": not address.startswith("tg:-"),
            **more,
        }
        return ChatMessage(**values)

    def tap(self, data: str, address: str = "tg:1000", sender: Person = ANA) -> ButtonTap:
        self._updates += 1
        number = str(self._updates)
        return ButtonTap(
            update_id=number, address=address, sender=sender, tap_id=f"t{number}", ref="1", data=data
        )

    async def say(self, text: str, address: str = "tg:1000", sender: Person = ANA, **more: Any) -> None:
        """A person writes."""
        await self.receive(self.message(text, address, sender, **more))

    async def receive(self, *updates: ChatUpdate) -> None:
        await self.intake.accept("tg", updates, str(self._updates))

    async def turn_states(self) -> list[str]:
        return [row["state"] for row in await self.database.fetch("SELECT state FROM host.turns ORDER BY id")]

    def again(self) -> "House":
        """The same install started anew: what was in memory is gone, so are the agents."""
        for agent in self.launcher.agents:
            agent.die()
        return House(
            database=self.database,
            clock=self.clock,
            new_id=self.new_id,
            bridge=self.bridge,
            web=self.web,
            launcher=self.launcher,
            home=self.home,
            desk=self.desk,
            claims=self.claims,
            record=self.record,
            most=self.most,
            image_source=self.image_source,
            climate=self.climate,
            models=self.models,
            global_memory=self.global_memory,
            summary_patience=self.summary_patience,
            number=self._updates,
        )
