"""Holding, handing over and waiting for files by our client."""

import asyncio

import pytest

from intermute.client import Client, Forbidden, Invalid, Missing, ReservationConflict
from intermute.client.shapes import Place, Reservation
from tests.clock import HandClock


async def test_what_one_holds_another_is_told_of(client: Client) -> None:
    await client.agents.register("Ann", id="ann")
    held = await client.reservations.reserve("ann", "src/**", reason="refactoring", ttl_minutes=5)
    assert held.is_active
    assert held.token > 0
    with pytest.raises(ReservationConflict) as conflict:
        await client.reservations.reserve("bob", "src/a/b.go")
    (holding,) = conflict.value.holdings
    assert (holding.reservation_id, holding.held_by, holding.reason) == (held.id, "Ann", "refactoring")
    assert 0 < holding.expires_in_seconds <= 300
    assert await client.reservations.check("src/x", agent="ann") == ()
    assert [each.agent_id for each in await client.reservations.check("src/x", agent="bob")] == ["ann"]
    assert await client.reservations.get(held.id) == held
    assert await client.reservations.active() == (held,)


async def test_all_patterns_are_taken_or_none(client: Client) -> None:
    await client.reservations.reserve("ann", "docs/a.md")
    with pytest.raises(ReservationConflict):
        await client.reservations.reserve_all("bob", ["src/a.go", "docs/*.md"])
    taken = await client.reservations.reserve_all("bob", ["src/a.go", "src/b.go"])
    assert [each.path_pattern for each in taken] == ["src/a.go", "src/b.go"]
    (one,) = await client.reservations.reserve_all("bob", ["src/c.go"])
    assert one.path_pattern == "src/c.go"


async def test_a_token_is_good_until_the_path_is_anothers(client: Client) -> None:
    first = await client.reservations.reserve("ann", "src/a.go")
    assert (await client.reservations.fence("src/a.go", first.token)).valid
    second = await client.reservations.transfer(first.id, "bob")
    assert second.agent_id == "bob"
    assert second.token > first.token
    assert not (await client.reservations.fence("src/a.go", first.token)).valid
    assert (await client.reservations.fence("src/a.go", second.token)).valid


async def test_a_reservation_is_kept_longer(client: Client, clock: HandClock) -> None:
    held = await client.reservations.reserve("ann", "src/a.go", ttl_minutes=5)
    await clock.advance(60)
    renewed = await client.reservations.renew(held.id, 30)
    assert held.expires_at is not None
    assert renewed.expires_at is not None
    assert (renewed.expires_at - held.expires_at).total_seconds() == 26 * 60


async def test_who_waits_is_told_when_it_is_free(client: Client) -> None:
    held = await client.reservations.reserve("ann", "src/a.go")
    place = await client.reservations.stand_in_line("bob", ["src/*.go"], seconds=60)
    assert isinstance(place, Place)
    assert place.place == 1
    later = await client.reservations.stand_in_line("carol", ["src/a.go"], seconds=60)
    assert [each.agent_id for each in await client.reservations.line()] == ["bob", "carol"]
    await client.reservations.leave_line(later.id)
    async with client.events("bob", types=["reservation.granted"]) as events:
        await client.reservations.release(held.id)
        async with asyncio.timeout(10):
            await anext(events)
    assert (await client.reservations.get(place.id)).agent_id == "bob"
    with pytest.raises(Missing):
        await client.reservations.place(place.id)


async def test_what_is_free_is_had_at_once(client: Client) -> None:
    granted = await client.reservations.stand_in_line("ann", ["src/a.go"])
    assert isinstance(granted, Reservation)
    assert granted.is_active


async def test_whoever_says_who_it_is_lets_go_of_its_own_only(client: Client, url: str) -> None:
    held = await client.reservations.reserve("ann", "src/a.go")
    async with Client.open(url, project="alpha", agent="bob") as bob:
        with pytest.raises(Forbidden):
            await bob.reservations.release(held.id)
    async with Client.open(url, project="alpha", agent="ann") as ann:
        await ann.reservations.release(held.id)
        with pytest.raises(Missing):
            await ann.reservations.release(held.id)
    (past,) = await client.reservations.of_agent("ann")
    assert not past.is_active


async def test_a_pattern_that_is_none_is_refused(client: Client) -> None:
    with pytest.raises(Invalid) as refused:
        await client.reservations.reserve("ann", "src/[")
    assert refused.value.code == "invalid_pattern"
