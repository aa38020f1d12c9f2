"""A message that is typed and kept is kept once and whole, or not at all."""

import asyncio
from collections.abc import Iterable, Sequence

import pytest

from intermute.errors import NotAllowed, Unavailable
from intermute.events.event import WINDOW_POKE, NewEvent
from intermute.events.journal import Journal
from intermute.messages.letter import BOTH, LIVE, Letter
from intermute.messages.live import Attempt
from intermute.messages.postbox import Postbox
from intermute.messages.sending import Messages
from storage.database import Connection, Database
from tests.clock import HandClock


class Terminals:
    """Terminals that do as the test says; `typed` are those something was typed into."""

    enabled = True

    def __init__(self) -> None:
        self.how: dict[str, str] = {}
        self.denied: frozenset[str] = frozenset()
        self.busy = False
        self.keeps = True
        self.together: asyncio.Barrier | None = None
        self.typed: list[str] = []

    async def attempt(self, letter: Letter, *, window: str) -> Attempt:
        if self.busy:
            raise Unavailable("It is busy.", code="recipient_busy")
        if self.together:
            await self.together.wait()
        going = [agent for agent in letter.to if agent not in self.denied]
        delivery = {agent: self.how.get(agent, "injected") for agent in going}
        self.typed += [agent for agent, how in delivery.items() if how == "injected"]
        return Attempt(denied=self.denied, delivery=delivery)

    async def keep(self, conn: Connection, letter: Letter, attempt: Attempt) -> Sequence[NewEvent]:
        if not self.keeps:
            raise OSError("no room")
        data = {"message_id": letter.id}
        return [
            NewEvent(project=letter.project, type=WINDOW_POKE, data=data, audience=[agent])
            for agent in attempt.delivery
        ]


class Contacts:
    """Nobody writes to those of `blocking`."""

    def __init__(self) -> None:
        self.blocking: set[str] = set()

    async def denied(
        self,
        project: str,
        sender: str,
        recipients: Iterable[str],
        thread_id: str = "",
        *,
        bound: bool = False,
    ) -> set[str]:
        return self.blocking & set(recipients)


@pytest.fixture
def terminals() -> Terminals:
    return Terminals()


@pytest.fixture
def contacts() -> Contacts:
    return Contacts()


@pytest.fixture
def messages(database: Database, clock: HandClock, terminals: Terminals, contacts: Contacts) -> Messages:
    journal = Journal(database, clock)
    postbox = Postbox(database, journal, clock)
    return Messages(database, journal, clock, postbox=postbox, contacting=contacts, live=terminals)


def letter(transport: str = BOTH, *to: str, cc: Sequence[str] = ()) -> Letter:
    return Letter(
        project="p", id="m-1", sender="ana", to=to or ("ben",), cc=cc, body="x", transport=transport
    )


async def kept(database: Database) -> list[tuple[str, bool]]:
    """Rows of inboxes, and whether they were typed."""
    rows = await database.fetch("SELECT agent, injected_at FROM intermute.inbox ORDER BY agent")
    return [(row["agent"], row["injected_at"] is not None) for row in rows]


async def events(database: Database) -> list[str]:
    return [row["type"] for row in await database.fetch("SELECT type FROM intermute.events ORDER BY cursor")]


async def test_both_is_typed_and_kept(messages: Messages, terminals: Terminals, database: Database) -> None:
    terminals.how["cat"] = "deferred"
    sent = await messages.send(letter(BOTH, "ben", "cat", cc=["dan"]))
    assert (sent.cursor, sent.delivery) == (1, {"ben": "injected", "cat": "deferred"})
    assert await kept(database) == [("ben", True), ("cat", False), ("dan", False)]
    assert await events(database) == ["message.created", WINDOW_POKE, WINDOW_POKE]


async def test_what_cannot_be_kept_whole_is_not_kept(
    messages: Messages, terminals: Terminals, database: Database
) -> None:
    terminals.keeps = False
    with pytest.raises(OSError, match="no room"):
        await messages.send(letter())
    assert (await kept(database), await events(database)) == ([], [])
    terminals.keeps = True
    assert (await messages.send(letter())).cursor == 1


async def test_sending_again_types_nothing_again(
    messages: Messages, terminals: Terminals, database: Database
) -> None:
    first = await messages.send(letter())
    again = await messages.send(letter())
    assert (first.cursor, again.cursor, terminals.typed) == (1, 1, ["ben"])
    assert again.delivery == {"ben": "async"}
    assert await events(database) == ["message.created", WINDOW_POKE]


async def test_of_two_who_send_the_same_at_once_one_is_kept(
    messages: Messages, terminals: Terminals, database: Database
) -> None:
    terminals.together = asyncio.Barrier(2)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        sends = [tasks.create_task(messages.send(letter())) for _ in range(2)]
    assert {send.result().cursor for send in sends} == {1}
    assert await kept(database) == [("ben", True)]
    assert await events(database) == ["message.created", WINDOW_POKE]


async def test_who_is_busy_gets_nothing_live(
    messages: Messages, terminals: Terminals, database: Database
) -> None:
    terminals.busy = True
    with pytest.raises(Unavailable):
        await messages.send(letter(LIVE))
    assert await kept(database) == []


async def test_what_is_typed_only_is_not_kept(messages: Messages, database: Database) -> None:
    sent = await messages.send(letter(LIVE))
    assert (sent.message_id, sent.delivery) == ("", {"ben": "injected"})
    assert await kept(database) == []


async def test_who_may_not_be_typed_to_is_named(
    messages: Messages, terminals: Terminals, contacts: Contacts, database: Database
) -> None:
    terminals.denied = frozenset({"cat"})
    contacts.blocking = {"dan"}
    sent = await messages.send(letter(BOTH, "ben", "cat", cc=["dan", "eve"]))
    assert list(sent.denied) == ["cat", "dan"]
    assert await kept(database) == [("ben", True), ("eve", False)]
    assert (await messages.send(letter(BOTH, "ben", "cat", cc=["dan", "eve"]))).denied == sent.denied


@pytest.mark.parametrize(("transport", "cc"), [(BOTH, ()), (LIVE, ()), (LIVE, ("eve",))])
async def test_with_nobody_to_type_to_it_is_refused(
    messages: Messages, terminals: Terminals, database: Database, transport: str, cc: Sequence[str]
) -> None:
    terminals.denied = frozenset({"ben"})
    with pytest.raises(NotAllowed) as refusal:
        await messages.send(letter(transport, "ben", cc=cc))
    assert (refusal.value.code, refusal.value.details) == ("policy_denied", {"denied": ["ben"]})
    assert await kept(database) == []
