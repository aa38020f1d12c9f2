"""Many steps by chance; after each one nothing that must never be is."""

import random
from contextlib import suppress
from itertools import combinations

import pytest

from intermute.errors import Conflict, InvalidRequest, LimitReached
from intermute.globs.pattern import overlap
from intermute.limits import Limits
from intermute.reservations.claim import Wanted
from intermute.reservations.reservation import Reservation
from intermute.reservations.reservations import Reservations
from intermute.reservations.sweeper import Sweeper
from tests.clock import HandClock

AGENTS = ("ada", "bob", "eve", "joe")
PATTERNS = ("a", "a/x", "a/*", "b", "{a,b}/y", "**/x", "b/[xy]", "c")


@pytest.fixture
def limits() -> Limits:
    return Limits(reservations=4, waiting=3)


async def step(chance: random.Random, reservations: Reservations, sweeper: Sweeper, clock: HandClock) -> None:
    held = (await reservations.active("p")).reservations
    line = await reservations.line("p")
    deed = chance.randrange(10)
    if deed < 5:
        patterns = tuple(chance.sample(PATTERNS, chance.choice((1, 1, 2))))
        wanted = Wanted(
            project="p",
            agent=chance.choice(AGENTS),
            patterns=patterns,
            exclusive=chance.random() < 0.7,
            ttl_minutes=chance.choice((1, 5)),
            wait_seconds=chance.choice((0, 30, 3000)),
        )
        await reservations.reserve(wanted)
    elif deed == 5 and line:
        await reservations.leave(chance.choice(line).waiter.claim.id)
    elif deed == 6:
        await clock.advance(chance.choice((1, 40, 100)))
        await sweeper.sweep()
    elif deed == 7 and held:
        await reservations.transfer(chance.choice(held).id, chance.choice(AGENTS))
    elif deed == 8 and held:
        await reservations.renew(chance.choice(held).id, 2)
    elif held:
        await reservations.release(chance.choice(held).id)


def exclude(some: Reservation, other: Reservation) -> bool:
    different = some.agent != other.agent and (some.exclusive or other.exclusive)
    return different and overlap(some.pattern, other.pattern)


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_held_excludes_another_and_the_first_in_line_waits_for_a_reason(
    seed: int, reservations: Reservations, sweeper: Sweeper, clock: HandClock
) -> None:
    chance = random.Random(seed)  # noqa: S311 - chance as a test wants it
    newest = 0
    waited = False
    for _ in range(120):
        with suppress(Conflict, LimitReached, InvalidRequest):  # InvalidRequest: handed to itself
            await step(chance, reservations, sweeper, clock)
        held = (await reservations.active("p")).reservations
        assert not [pair for pair in combinations(held, 2) if exclude(*pair)]
        for agent in AGENTS:
            assert sum(one.agent == agent for one in held) <= 4
        tokens = [one.token for one in held]
        assert tokens == sorted(set(tokens), reverse=True)
        newest = max(newest, *tokens) if tokens else newest
        line = await reservations.line("p")
        waited = waited or bool(line)
        if line:
            first = line[0].waiter.claim
            mine = sum(one.agent == first.agent for one in held)
            in_the_way = [
                one
                for one in held
                if one.agent != first.agent
                and (one.exclusive or first.exclusive)
                and any(overlap(one.pattern, text) for text in first.texts)
            ]
            assert in_the_way or mine + len(first.texts) > 4
    assert waited
    assert newest
