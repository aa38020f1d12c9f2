"""Standing in line: first come, first served, nobody starves, nobody waits for himself."""

import pytest

from intermute.errors import Conflict, LimitReached, NotFound
from intermute.limits import Limits
from intermute.reservations.claim import Wanted
from intermute.reservations.reservations import Granted, Reservations
from intermute.reservations.sweeper import Sweeper
from tests.clock import HandClock
from tests.intermute.reservations.heard import Heard, hold, holders, wait


@pytest.fixture
def limits() -> Limits:
    return Limits(reservations=2, waiting=2)


async def test_who_came_first_is_served_first(reservations: Reservations, heard: Heard) -> None:
    held = await hold(reservations, "ada", "src/**")
    first = await wait(reservations, "bob", "src/a.py")
    second = await wait(reservations, "eve", "src/*.py")
    other = await wait(reservations, "joe", "src/lib")
    assert (first.place.place, second.place.place, other.place.place) == (1, 2, 1)
    heard.told()
    await reservations.release(held.id)
    assert heard.told() == [
        ("released", "ada", None),
        ("granted", "bob", None),
        ("granted", "joe", None),
    ]
    assert (await reservations.place(second.place.waiter.claim.id)).place == 1
    await reservations.release(first.place.waiter.claim.id)
    assert await holders(reservations) == [("joe", "src/lib"), ("eve", "src/*.py")]
    assert await reservations.line("p") == []


async def test_a_newcomer_does_not_overtake_who_waits_for_something_that_is_still_free(
    reservations: Reservations,
) -> None:
    await hold(reservations, "ada", "a")
    waiting = await wait(reservations, "bob", "a", "b", reason="both")
    with pytest.raises(Conflict) as refusal:
        await hold(reservations, "eve", "b")
    (conflict,) = refusal.value.details["conflicts"]
    assert (conflict["reservation_id"], conflict["waiting_id"]) == ("", waiting.place.waiter.claim.id)
    assert (conflict["agent_id"], conflict["reason"]) == ("bob", "both")
    found = await reservations.check("p", ("b",), agent="eve")
    assert [one.agent for one in found.found] == ["bob"]
    assert not await reservations.check("p", ("b",), agent="bob")
    assert (await wait(reservations, "eve", "b")).place.place == 2


async def test_the_one_somebody_waits_for_is_not_stopped_by_them(reservations: Reservations) -> None:
    held = await hold(reservations, "ada", "a")
    await wait(reservations, "bob", "a", "b")
    more = await hold(reservations, "ada", "b")
    await reservations.release(held.id)
    assert await holders(reservations) == [("ada", "b")]
    await reservations.release(more.id)
    assert await holders(reservations) == [("bob", "a"), ("bob", "b")]


async def test_those_who_share_are_served_together(reservations: Reservations) -> None:
    held = await hold(reservations, "ada", "a")
    for agent in ("bob", "eve"):
        await wait(reservations, agent, "a", exclusive=False)
    await wait(reservations, "joe", "a")
    with pytest.raises(Conflict):
        await hold(reservations, "kim", "a", exclusive=False)
    await reservations.release(held.id)
    assert await holders(reservations) == [("bob", "a"), ("eve", "a")]
    await reservations.release_all("bob")
    await reservations.release_all("eve")
    assert await holders(reservations) == [("joe", "a")]


async def test_giving_up_lets_the_next_one_through(reservations: Reservations) -> None:
    await hold(reservations, "ada", "a")
    first = await wait(reservations, "bob", "a", "b")
    await wait(reservations, "eve", "b")
    await reservations.leave(first.place.waiter.claim.id, agent="bob")
    assert await holders(reservations) == [("ada", "a"), ("eve", "b")]


async def test_waiting_ends_by_itself_and_the_agent_hears_of_it(
    reservations: Reservations, sweeper: Sweeper, clock: HandClock, heard: Heard
) -> None:
    await hold(reservations, "ada", "a")
    waiting = await wait(reservations, "bob", "a", "b", wait_seconds=60)
    await wait(reservations, "eve", "b", wait_seconds=600)
    heard.told()
    await clock.advance(60)
    with pytest.raises(NotFound):
        await reservations.place(waiting.place.waiter.claim.id)
    assert await sweeper.sweep() == 1
    (event,) = (event for event in heard.events if event.type == "reservation.wait_expired")
    assert event.audience == ("bob",)
    assert event.data["waiting_id"] == waiting.place.waiter.claim.id
    assert await holders(reservations) == [("ada", "a"), ("eve", "b")]


async def test_what_expires_goes_to_who_waits_for_it(
    reservations: Reservations, sweeper: Sweeper, clock: HandClock, heard: Heard
) -> None:
    await hold(reservations, "ada", "a", ttl_minutes=1)
    await wait(reservations, "bob", "a", ttl_minutes=7)
    assert await sweeper.pause() == 15
    await clock.advance(50)
    assert await sweeper.pause() == 10
    await clock.advance(10)
    heard.told()
    await sweeper.sweep()
    assert heard.told() == [("expired", "ada", "expired"), ("granted", "bob", None)]
    (held,) = (await reservations.active("p")).reservations
    assert (held.expires_at - clock.now()).total_seconds() == 7 * 60


async def test_a_newcomer_after_the_end_finds_the_line_served_first(
    reservations: Reservations, clock: HandClock
) -> None:
    await hold(reservations, "ada", "a", ttl_minutes=1)
    await wait(reservations, "bob", "a")
    await clock.advance(61)
    with pytest.raises(Conflict) as refusal:
        await hold(reservations, "eve", "a")
    assert refusal.value.details["conflicts"][0]["agent_id"] == "bob"
    assert await holders(reservations) == [("bob", "a")]


async def test_asking_again_by_the_same_id_keeps_the_place(
    reservations: Reservations,
) -> None:
    held = await hold(reservations, "ada", "a")
    first = await wait(reservations, "bob", "a", id="mine")
    again = await wait(reservations, "bob", "a", id="mine")
    assert first.place == again.place
    assert len(await reservations.line("p")) == 1
    for agent, pattern in (("eve", "a"), ("bob", "b")):
        with pytest.raises(Conflict) as refusal:
            await wait(reservations, agent, pattern, id="mine")
        assert refusal.value.code == "reservation_id_taken"
    await reservations.release(held.id)
    assert (await hold(reservations, "bob", "a", id="mine")).id == "mine"


async def test_the_retry_that_serves_the_line_itself_is_answered_with_the_grant(
    reservations: Reservations, clock: HandClock
) -> None:
    await hold(reservations, "ada", "a", ttl_minutes=1)
    await wait(reservations, "bob", "a", id="mine")
    await clock.advance(61)
    answer = await reservations.reserve(
        Wanted(project="p", agent="bob", patterns=("a",), exclusive=True, id="mine", wait_seconds=60)
    )
    assert isinstance(answer, Granted)
    assert [one.id for one in answer.reservations] == ["mine"]
    assert await holders(reservations) == [("bob", "a")]


async def test_who_holds_all_it_may_is_served_when_it_gives_something_back(
    reservations: Reservations,
) -> None:
    held = await hold(reservations, "ada", "a")
    await wait(reservations, "bob", "a")
    mine = await hold(reservations, "bob", "x")
    await hold(reservations, "bob", "y")
    await reservations.release(held.id)
    assert await holders(reservations) == [("bob", "x"), ("bob", "y")]
    passing = await hold(reservations, "eve", "a")
    await reservations.release(mine.id)
    assert await holders(reservations) == [("bob", "y"), ("eve", "a")]
    await reservations.release(passing.id)
    assert await holders(reservations) == [("bob", "y"), ("bob", "a")]


async def test_nobody_waits_for_more_than_it_may_hold(reservations: Reservations) -> None:
    await hold(reservations, "ada", "a")
    with pytest.raises(LimitReached) as refusal:
        await wait(reservations, "bob", "a", "b", "c")
    assert refusal.value.code == "reservation_limit"
