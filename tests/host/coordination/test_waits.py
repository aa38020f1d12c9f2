"""Standing in line for files: an agent is told in its conversation when it is its turn, once."""

import asyncio
from datetime import timedelta

import pytest

from host.coordination.waits import Waits
from storage.background import background
from storage.wakeups import Wakeups
from tests.host.coordination.agency import ELSEWHERE, PROJECT, Agency, call
from tests.host.decisions.office import BEN


def waits_of(agency: Agency) -> Waits:
    return Waits(
        store=agency.coordinating.waits,
        coordination=agency.coordinating.coordination,
        registry=agency.office.registry,
        ear=agency.office.ears,
        database=agency.office.database,
        clock=agency.office.clock,
    )


async def give_back(agency: Agency) -> None:
    for each in (await agency.service.reservations.active(PROJECT)).reservations:
        if each.agent == ELSEWHERE:
            await agency.service.reservations.release(each.id)


async def rows(agency: Agency) -> int:
    number: int = await agency.office.database.fetchval("SELECT count(*) FROM host.coordination_waits")
    return number


async def test_it_is_told_once_when_it_is_its_turn(agency: Agency) -> None:
    await agency.hold("src/**", reason="cart")
    box = await agency.box()
    asked = await call(box, "reserve", paths=["src/a.py"], minutes=20, wait_minutes=60)
    assert asked.text.startswith("Somebody holds it. You are number 1 in line; you are told here")
    assert asked.data == {"status": "waiting", "place": 1}
    assert not agency.tainted()
    waits = waits_of(agency)
    await waits.look()
    assert await agency.office.ears.told() == []
    await give_back(agency)
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        for _ in range(3):
            tasks.create_task(waits.look())
    assert await agency.office.ears.told() == ['It is your turn: "src/a.py" is reserved for you for 20 min.']
    assert agency.office.ears.woken == ["main"]
    assert await agency.held() == {"src/a.py": "intercom:main"}
    assert await rows(agency) == 0


async def test_the_word_of_a_grant_is_heard_at_once(agency: Agency, database_url: str) -> None:
    await agency.hold("src/**")
    await call(await agency.box(), "reserve", paths=["src/a.py"], wait_minutes=60)
    async with (
        asyncio.timeout(20),
        Wakeups.open(database_url) as wakeups,
        background(waits_of(agency).run(wakeups)),
    ):
        await give_back(agency)
        while not await agency.office.ears.told():
            await agency.office.clock.advance(1.0)


async def test_who_waits_in_vain_is_told_too(agency: Agency) -> None:
    await agency.hold("src/**", ttl_minutes=600)
    await call(await agency.box(), "reserve", paths=["src/a.py"], wait_minutes=5)
    await agency.office.clock.advance(timedelta(minutes=6).total_seconds())
    await waits_of(agency).look()
    assert await agency.office.ears.told() == [
        'You wait no longer for "src/a.py": nobody gave it back in time.'
    ]


async def test_what_is_free_is_reserved_without_waiting(agency: Agency) -> None:
    reserved = await call(await agency.box(), "reserve", paths=["src/a.py"], wait_minutes=5)
    assert reserved.text == 'Reserved for 30 min: "src/a.py".'
    assert await rows(agency) == 0


@pytest.mark.parametrize("what", [{"everything": True}, {"paths": ["src/a.py"]}])
async def test_who_lets_go_leaves_the_line(agency: Agency, what: dict[str, object]) -> None:
    await agency.hold("src/**")
    box = await agency.box()
    await call(box, "reserve", paths=["src/a.py"], wait_minutes=60)
    assert (await call(box, "release", **what)).text == 'Released: "src/a.py".'
    await give_back(agency)
    await agency.office.clock.advance(120.0)
    await waits_of(agency).look()
    assert await agency.office.ears.told() == []
    assert await agency.held() == {}


async def test_a_crash_while_the_place_was_asked_for_is_made_up_for(agency: Agency) -> None:
    await agency.hold("src/**")
    await call(await agency.box(), "reserve", paths=["src/a.py"], wait_minutes=60)
    await agency.office.database.execute("UPDATE host.coordination_waits SET joined = false")
    await give_back(agency)
    waits = waits_of(agency)
    await waits.look()
    assert await agency.office.ears.told() == []
    await agency.office.clock.advance(61.0)
    await waits.look()
    assert len(await agency.office.ears.told()) == 1


async def test_after_a_decision_it_waits_as_well(agency: Agency) -> None:
    await agency.hold("src/**")
    await call(await agency.box(tainted=True), "reserve", paths=["src/a.py"], wait_minutes=60)
    card = await agency.office.card()
    assert "once nobody holds them; it waits 1 h for that" in card.content.text
    await agency.office.tap(card, "APPROVE", BEN)
    assert "You are number 1 in line" in (await agency.office.ears.told())[-1]
    await give_back(agency)
    await waits_of(agency).look()
    assert "It is your turn" in (await agency.office.ears.told())[-1]


async def test_with_its_group_a_wait_is_gone(agency: Agency) -> None:
    await agency.hold("src/**")
    await agency.office.database.execute("UPDATE host.groups SET writes = true")
    await agency.office.registry.load()
    await call(await agency.box("design"), "reserve", paths=["src/a.py"], wait_minutes=60)
    await agency.office.registry.remove_group("design")
    await give_back(agency)
    await waits_of(agency).look()
    assert await agency.office.ears.told() == []
    assert await rows(agency) == 0
