"""The hub tells everybody, in order, and waits for nobody."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from intermute.events.frames import Frame
from intermute.events.hub import BATCH, MOST, TURN, Hub
from intermute.events.interest import Interest
from intermute.events.listener import BACKLOG, Listener, StreamListener
from tests.intermute.events.telling import WITHIN, event


class Ear(Listener):
    """Keeps what it hears; `deaf` is one that is always too slow."""

    def __init__(
        self, agent: str = "", project: str = "alpha", *, types: Sequence[str] = (), deaf: bool = False
    ):
        super().__init__(project=project, agent=agent, interest=Interest(types))
        self.heard: list[dict[str, Any]] = []
        self.pieces: list[int] = []
        self._deaf = deaf
        self.changed = asyncio.Event()

    def form(self, frame: Frame) -> bytes:
        return frame.text(self.agent)

    def take(self, pieces: Sequence[bytes]) -> None:
        if self._deaf:
            self.let_go()
            return
        self.heard += map(json.loads, pieces)
        self.pieces.append(len(pieces))
        self.changed.set()

    @property
    def cursors(self) -> list[int]:
        return [frame["cursor"] for frame in self.heard]


async def settled(*ears: Ear, until: int) -> None:
    async with asyncio.timeout(WITHIN):
        for ear in ears:
            while until not in ear.cursors:
                ear.changed.clear()
                await ear.changed.wait()


def joined(hub: Hub, *ears: Listener, after: int = 0) -> None:
    for ear in ears:
        hub.join(ear, after)


async def test_an_agent_hears_what_is_for_it_and_for_everybody_in_its_project() -> None:
    hub, ann, bob, other = Hub(), Ear("ann"), Ear("bob"), Ear("ann", "beta")
    joined(hub, ann, bob, other)
    hub.tell(
        [
            event(1, "message.created", audience=("ann",)),
            event(2),
            event(3, project="beta"),
            event(4, "message.created", audience=("bob", "ann", "ann")),
            event(5),
        ]
    )
    await settled(ann, bob, until=5)
    assert (ann.cursors, bob.cursors, other.cursors) == ([1, 2, 4, 5], [2, 4, 5], [3])
    assert [frame.get("agent") for frame in ann.heard] == ["ann", None, "ann", None]


async def test_whoever_listens_to_the_project_hears_everything_and_no_names() -> None:
    hub, watcher = Hub(), Ear()
    joined(hub, watcher)
    hub.tell([event(1, "message.created", audience=("secret",), data={"message_id": "m"}), event(2)])
    await settled(watcher, until=2)
    assert watcher.cursors == [1, 2]
    assert "secret" not in json.dumps(watcher.heard)


async def test_only_what_somebody_wants_is_told() -> None:
    hub, ear = Hub(), Ear(types=["spec.created"])
    joined(hub, ear)
    hub.tell([event(1), event(2, "spec.created")])
    await settled(ear, until=2)
    assert ear.cursors == [2]


async def test_nothing_is_told_that_lies_before_the_place_where_somebody_joined() -> None:
    hub, early, late = Hub(), Ear(), Ear()
    joined(hub, early)
    hub.tell([event(1), event(2)])
    joined(hub, late, after=2)
    hub.tell([event(3)])
    await settled(early, late, until=3)
    assert (early.cursors, late.cursors) == ([1, 2, 3], [3])


async def test_telling_returns_before_anybody_hears() -> None:
    hub, ears = Hub(), [Ear(str(number)) for number in range(3 * TURN)]
    joined(hub, *ears)
    hub.tell([event(1)])
    assert not any(ear.heard for ear in ears)
    await settled(*ears, until=1)


async def test_the_loop_does_other_things_while_many_are_served() -> None:
    hub, ears = Hub(), [Ear(str(number)) for number in range(3 * TURN)]
    joined(hub, *ears)
    hub.tell([event(1)])
    served: list[int] = []
    async with asyncio.timeout(WITHIN):
        while not served or served[-1] < len(ears):
            await asyncio.sleep(0)
            served.append(sum(1 for ear in ears if ear.heard))
    assert max(after - before for before, after in zip([0, *served], served, strict=False)) <= TURN


async def test_what_comes_together_is_heard_in_one_piece_and_in_order() -> None:
    hub, ear = Hub(), Ear()
    joined(hub, ear)
    for cursor in range(1, 2 * BATCH + 1):
        hub.tell([event(cursor)])
    await settled(ear, until=2 * BATCH)
    assert ear.cursors == list(range(1, 2 * BATCH + 1))
    assert ear.pieces == [BATCH, BATCH]


async def test_who_is_too_slow_is_let_go_and_the_others_hear_on() -> None:
    hub, deaf, ear = Hub(), Ear(deaf=True), Ear()
    joined(hub, deaf, ear)
    hub.tell([event(1)])
    await settled(ear, until=1)
    hub.tell([event(2)])
    await settled(ear, until=2)
    assert deaf.gone
    assert hub.let_go == 1
    assert ear.cursors == [1, 2]


async def test_who_has_left_hears_nothing_any_more() -> None:
    hub, left, ear = Hub(), Ear(), Ear()
    joined(hub, left, ear)
    hub.tell([event(1)])
    hub.leave(left)
    hub.leave(left)
    await settled(ear, until=1)
    assert not left.heard


async def test_one_event_without_json_does_not_silence_the_others() -> None:
    hub, ear = Hub(), Ear()
    joined(hub, ear)
    hub.tell([event(1, data={"data": object()}), event(2)])
    await settled(ear, until=2)
    assert ear.cursors == [2]


async def test_more_than_can_ever_be_told_sends_everybody_back_to_the_log() -> None:
    hub, ear = Hub(), Ear()
    joined(hub, ear)
    hub.tell([event(cursor) for cursor in range(1, MOST + 2)])
    assert ear.gone
    fresh = Ear()
    joined(hub, fresh, after=MOST + 1)
    hub.tell([event(MOST + 2)])
    await settled(fresh, until=MOST + 2)
    assert not ear.heard


async def test_a_batch_gathered_before_somebody_moved_on_is_not_told_to_it() -> None:
    hub, others, ear = Hub(), [Ear() for _ in range(2 * TURN)], Ear("ann")
    joined(hub, *others, ear)
    hub.tell([event(1)])
    await asyncio.sleep(0)
    ear.after = 1
    await settled(*others, until=1)
    assert not ear.heard


async def test_a_stream_that_is_not_read_keeps_a_bounded_amount_and_then_ends() -> None:
    hub, stream = Hub(), StreamListener(project="alpha", agent="", interest=Interest())
    joined(hub, stream)
    assert stream.go_live()
    stream.take([b"x" * BACKLOG])
    assert await stream.fetch() == b"x" * BACKLOG
    stream.take([b"x" * BACKLOG, b"y"])
    assert await stream.fetch() is None
