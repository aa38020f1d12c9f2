"""The decisions half of a host with people, chats and a kernel, as the tests beside this file use it."""

import asyncio
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from bridges.messages import Button, ButtonTap, ChatMessage, Content, Part, Person
from bridges.port import BridgeState, Intake
from demarch.embedded import EmbeddedKernel
from demarch.projects import Projects
from host.conversation.messages_store import HostWord, keep_host_message
from host.conversation.turns import Turn
from host.decisions.approvals import Approval
from host.news.feed import FeedConsumer
from host.news.watch import Watch
from host.outgoing.outbox import Outbox, Post, PostKind
from host.people.registry import Registry, Role
from host.record.audit import Audit
from host.wiring.coordination import Coordinating
from host.wiring.decision_ground import Ground
from host.wiring.decisions import Decisions, build
from storage.database import Connection, Database
from storage.ids import NewId
from tests.clock import HandClock
from tests.demarch.driving import Driver
from tests.host.decisions.faulty import FaultyKernel

ANA = Person(address="tg:1001", name="Ana")
BEN = Person(address="tg:1002", name="Ben")
MIA = Person(address="tg:1003", name="Mia")
EVE = Person(address="tg:6666", name="Eve")
MAIN = "tg:-100"
OTHER = "tg:-200"
HOUR = 3600.0
NO_MORE: Mapping[str, FaultyKernel] = {}
Coordinate = Callable[[Registry, Projects], Coordinating]

#: a run that stops at its first gate until a verdict is clean
CHAIN = {"phases": ("review", "polish", "done"), "gates": {"review->polish": ["verdict_clean"]}}


@dataclass(slots=True)
class Counter:
    """A chat network that only notes how taps were answered."""

    answers: dict[str, list[tuple[str, bool]]] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return "tg"

    def state(self) -> BridgeState:
        return BridgeState(ok=True)

    async def run(self, intake: Intake) -> None:
        await asyncio.Event().wait()

    def parts(self, content: Content) -> Sequence[Part]:
        return [Part(body=content.text, fallback=content.text)]

    async def send(self, address: str, part: Part) -> str:
        raise NotImplementedError

    async def edit(self, address: str, ref: str, part: Part) -> None:
        raise NotImplementedError

    async def delete(self, address: str, ref: str) -> None:
        raise NotImplementedError

    async def draft(self, address: str, number: int, content: Content) -> bool:
        raise NotImplementedError

    async def fetch(self, handle: str, most: int) -> bytes:
        raise NotImplementedError

    async def answer(self, tap_id: str, text: str, *, alert: bool = False) -> None:
        self.answers.setdefault(tap_id, []).append((text, alert))

    async def typing(self, address: str) -> None:
        raise NotImplementedError


class Ears:
    """Keeps what agents are told where the lanes keep it, and which lanes were woken."""

    def __init__(self, database: Database, clock: HandClock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self.woken: list[str] = []

    async def tell_agent(self, conn: Connection, word: HostWord) -> None:
        await keep_host_message(conn, self._new_id(), word, self._clock.now())

    def wake(self, lane: str) -> None:
        self.woken.append(lane)

    async def told(self) -> list[str]:
        rows = await self._database.fetch("SELECT text FROM host.messages WHERE source = 'host' ORDER BY id")
        return [row["text"] for row in rows]


@dataclass(slots=True, kw_only=True)
class Office:
    database: Database
    clock: HandClock
    new_id: NewId
    kernel: FaultyKernel
    terminal: Driver
    registry: Registry
    outbox: Outbox
    audit: Audit
    ears: Ears
    bridge: Counter
    parts: Decisions
    consumer: FeedConsumer  #: of the one project
    watch: Watch
    numbers: "itertools.count[int]"

    async def show(self) -> None:
        """Do what the senders do: every post that is due stands in its chat."""
        for address in await self.outbox.due_addresses():
            while (post := await self.outbox.next_due(address)) is not None:
                refs = post.refs or (str(next(self.numbers)),)
                await self.outbox.shown(post, refs, ["digest"] * len(refs), complete=True)

    async def posts(self, address: str = MAIN) -> list[Post]:
        rows = await self.database.fetch(
            "SELECT refs[1] AS ref FROM host.posts WHERE address = $1 AND cardinality(refs) > 0 ORDER BY id",
            address,
        )
        found = [await self.outbox.showing(address, row["ref"]) for row in rows]
        return [post for post in found if post is not None]

    async def cards(self, address: str = MAIN) -> list[Post]:
        return [post for post in await self.posts(address) if post.kind is PostKind.DECISION]

    async def card(self, address: str = MAIN) -> Post:
        """The newest card of a chat."""
        await self.show()
        return (await self.cards(address))[-1]

    async def lines(self, address: str = MAIN) -> list[str]:
        """What was said besides cards."""
        await self.show()
        return [post.content.text for post in await self.posts(address) if post.kind is not PostKind.DECISION]

    async def approval(self, code: str) -> Approval:
        found = await self.database.fetchval("SELECT id FROM host.approvals WHERE code = $1", code)
        async with self.database.transaction() as conn:
            approval = await self.parts.desk.by_id(conn, found)
        assert approval is not None
        return approval

    def press(self, post: Post, label: str, person: Person, *, data: str | None = None) -> ButtonTap:
        """The tap on a button of a card as it was when its chat showed it."""
        number = str(next(self.numbers))
        carried = data or next(b.data for b in buttons(post) if b.label == label)
        return ButtonTap(
            update_id=number,
            address=post.address,
            sender=person,
            tap_id=number,
            ref=post.refs[0],
            data=carried,
        )

    async def tap(self, post: Post, label: str, person: Person = ANA, *, data: str | None = None) -> str:
        """Tap and return how the tap was answered last."""
        tap = self.press(post, label, person, data=data)
        await self.run(tap)
        return self.answered(tap)

    async def run(self, tap: ButtonTap) -> None:
        await self.parts.desk.tap(tap, self.bridge)
        await self.show()

    async def run_all(self, taps: Sequence[ButtonTap]) -> None:
        """All at once."""
        async with asyncio.TaskGroup() as tasks:
            for tap in taps:
                tasks.create_task(self.parts.desk.tap(tap, self.bridge))
        await self.show()

    def answered(self, tap: ButtonTap) -> str:
        return self.bridge.answers[tap.tap_id][-1][0]

    async def say(
        self, text: str, person: Person = ANA, *, address: str = MAIN, reply_to: str | None = None
    ) -> bool:
        number = str(next(self.numbers))
        message = ChatMessage(
            update_id=number,
            address=address,
            sender=person,
            text=text,
            ref=number,
            sent_at=self.clock.now(),
            reply_to=reply_to,
        )
        heard = await self.parts.desk.keyword(message)
        await self.show()
        return heard

    async def feed(self) -> None:
        """Read everything the kernel has to tell, and show it."""
        while await self.consumer.step():
            pass
        await self.show()

    async def gate(self, goal: str = "refactor auth", **new: object) -> Post:
        """A run that waits at its gate; the card of it."""
        run = await self.terminal.run(goal, **(CHAIN | new))
        await self.terminal.verdict(run, "needs-changes", findings=2)
        await self.terminal.advance(run)
        await self.feed()
        return await self.card()

    async def turn(self, *, folder: str = "main", address: str = MAIN, tainted: bool = False) -> Turn:
        """A running turn of a group's agent."""
        turn = Turn(
            id=self.new_id(),
            lane=folder,
            folder=folder,
            address=address,
            attempt=1,
            tainted=tainted,
            private=False,
            asked_by=(ANA.address,),
        )
        await self.database.execute("UPDATE host.turns SET state = 'done' WHERE lane = $1", folder)
        await self.database.execute(
            "INSERT INTO host.turns (id, lane, folder, address, state, tainted, started_at)"
            " VALUES ($1, $2, $2, $3, 'running', $4, $5)",
            turn.id,
            folder,
            address,
            tainted,
            self.clock.now(),
        )
        return turn

    async def audited(self) -> list[str]:
        return [entry.action for entry in await self.audit.tail(1000)]

    async def reborn(self) -> "Office":
        """The same install after a restart: nothing is kept but the database."""
        return await open_office(self.database, self.clock, self.new_id, self.audit, self)


async def open_office(
    database: Database,
    clock: HandClock,
    new_id: NewId,
    audit: Audit,
    before: Office | None = None,
    more: Mapping[str, FaultyKernel] = NO_MORE,
    coordinate: Coordinate | None = None,
) -> Office:
    """`more` are further projects beside the one with the key "", `coordinate` gives its agents intermute."""
    embedded = EmbeddedKernel(database, clock)
    kernel = before.kernel if before else FaultyKernel(embedded)
    registry = Registry(database, clock, runtime="local")
    await registry.load()
    outbox = Outbox(database, clock, new_id)
    ears = Ears(database, clock, new_id)
    projects = Projects({"": kernel, **more}, "")
    ground = Ground(
        database=database,
        clock=clock,
        new_id=new_id,
        outbox=outbox,
        registry=registry,
        audit=audit,
        projects=projects,
        zone=UTC,
        holder="install-1",
        timeout=HOUR,
        extend_percent=50,
        picture_patience=60,
        isolated=True,
        coordinating=coordinate(registry, projects) if coordinate else None,
    )
    parts = build(ground, ears, lambda: ())
    return Office(
        database=database,
        clock=clock,
        new_id=new_id,
        kernel=kernel,
        terminal=Driver(embedded, new_id, actor="terminal"),
        registry=registry,
        outbox=outbox,
        audit=audit,
        ears=ears,
        bridge=before.bridge if before else Counter(),
        parts=parts,
        consumer=parts.news.consumer("", kernel),
        watch=parts.news.watch("", kernel),
        numbers=before.numbers if before else itertools.count(1),
    )


async def furnish(
    database: Database,
    clock: HandClock,
    new_id: NewId,
    folder: Path,
    more: Mapping[str, FaultyKernel] = NO_MORE,
    coordinate: Coordinate | None = None,
) -> Office:
    """A main group with two who decide and one who does not, another group with its own, a seeded feed."""
    registry = Registry(database, clock, runtime="local")
    await registry.add_group(MAIN, "main", title="Engineering", main=True)
    await registry.add_group(OTHER, "design", title="Design")
    for folder_name, person, role in [
        ("main", ANA, Role.OWNER),
        ("main", BEN, Role.APPROVER),
        ("main", MIA, Role.MEMBER),
        ("design", EVE, Role.OWNER),
    ]:
        await registry.set_role(folder_name, person.address, role)
        await database.execute(
            "INSERT INTO host.people (person, name, seen_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
            person.address,
            person.name,
            clock.now(),
        )
    audit = await Audit.open(database, folder, clock)
    office = await open_office(database, clock, new_id, audit, more=more, coordinate=coordinate)
    await office.feed()
    return office


def buttons(post: Post) -> list[Button]:
    return [button for row in post.content.buttons for button in row]


def labels(post: Post) -> list[str]:
    return [button.label for button in buttons(post)]


def first_line(post: Post) -> str:
    return post.content.text.splitlines()[0]


def code_of(post: Post) -> str:
    return post.content.text.rsplit("code ", 1)[1][:6]


def some_id(number: int) -> UUID:
    return UUID(int=number)


def at(hour: int, minute: int) -> datetime:
    return datetime(2026, 1, 5, hour, minute, tzinfo=UTC)
