"""What interlock does, request by request, with the agent in a header and refusals read as it reads them."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest

from intermute.service import Service
from tests.intermute.calling import Http
from tests.intermute.conformance.interlock import Interlock, Refused

Lock = Callable[[str], Interlock]


@pytest.fixture
def lock(http: Http) -> Lock:
    return lambda agent: Interlock(http.session, http.url, "alpha", agent, agent.title())


async def test_an_agent_keeps_the_id_it_brings(lock: Lock) -> None:
    assert (await lock("ann").register())["agent_id"] == "ann"
    assert (await lock("ann").register())["agent_id"] == "ann"
    (listed,) = await lock("bob").list_agents()
    assert (listed["agent_id"], listed["name"], listed["project"]) == ("ann", "Ann", "alpha")


async def test_a_path_is_held_by_one_and_the_other_is_told_by_whom(lock: Lock) -> None:
    ann, bob = lock("ann"), lock("bob")
    await ann.register()
    held = await ann.reserve("src/*.go", "refactoring", ttl=5)
    assert held["is_active"]
    with pytest.raises(Refused) as refused:
        await bob.reserve("src/main.go")
    assert refused.value.status == 409
    assert refused.value.found["error"] == "reservation_conflict"
    (conflict,) = refused.value.found["conflicts"]
    assert (conflict["reservation_id"], conflict["agent_id"], conflict["held_by"]) == (
        held["id"],
        "ann",
        "Ann",
    )
    assert (conflict["pattern"], conflict["reason"]) == ("src/*.go", "refactoring")
    assert conflict["expires_at"]
    assert [each["held_by"] for each in await bob.check("src/main.go")] == ["Ann"]
    assert await ann.check("src/main.go") == []
    assert await bob.check("docs/main.md") == []


async def test_only_the_holder_lets_go(lock: Lock) -> None:
    ann, bob = lock("ann"), lock("bob")
    held = await ann.reserve("src/*.go")
    with pytest.raises(Refused) as refused:
        await bob.release(held["id"])
    assert refused.value.status == 403
    await ann.release(held["id"])
    with pytest.raises(Refused) as gone:
        await ann.release(held["id"])
    assert gone.value.status == 404
    assert (await bob.reserve("src/main.go"))["is_active"]


async def test_releasing_by_pattern_finds_what_the_agent_has(lock: Lock) -> None:
    ann, bob = lock("ann"), lock("bob")
    mine = await ann.reserve("src/a.go")
    await bob.reserve("src/b.go")
    listed = await ann.reservations(agent="ann", project="alpha")
    assert [(each["id"], each["is_active"]) for each in listed] == [(mine["id"], True)]
    await ann.release(mine["id"])
    assert {each["agent_id"] for each in await ann.reservations(project="alpha")} == {"bob"}


async def test_what_is_wrong_is_read_as_a_refusal(lock: Lock) -> None:
    with pytest.raises(Refused) as refused:
        await lock("ann").reserve("src/[")
    assert refused.value.status == 400
    assert refused.value.found["error"] == "invalid_pattern"
    with pytest.raises(Refused) as empty:
        await lock("ann").reserve("")
    assert empty.value.status == 400


async def test_an_inbox_is_read_page_by_page_to_its_end(lock: Lock) -> None:
    ann, bob = lock("ann"), lock("bob")
    for number in range(103):
        await ann.send("bob", f"message {number}", subject="s", importance="urgent", ack_required=True)
    messages = await bob.whole_inbox()
    assert [message["body"] for message in messages] == [f"message {number}" for number in range(103)]
    assert {(message["from_"], message["importance"]) for message in messages} == {("ann", "urgent")}
    assert all(message["created_at"] for message in messages)


async def test_a_negotiation_is_found_by_its_thread(lock: Lock) -> None:
    ann, bob = lock("ann"), lock("bob")
    await ann.send("bob", '{"type":"release-request"}', thread_id="n/1", subject="release-request")
    await bob.send("ann", '{"type":"release-ack"}', thread_id="n/1", subject="release-ack")
    said = await ann.thread("n/1")
    assert [message["body"] for message in said] == ['{"type":"release-request"}', '{"type":"release-ack"}']
    assert await ann.thread("unknown") == []


@pytest.fixture
async def socket(service: Service, tmp_path: Path) -> AsyncIterator[Path]:
    path = tmp_path / "intermute.sock"
    async with service.serve(port=0, socket=path):
        yield path


async def test_fault_15_over_a_unix_socket_no_key_is_needed(socket: Path) -> None:
    async with aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(socket))) as session:
        ann = Interlock(session, "http://localhost", "alpha", "ann", "Ann")
        assert (await ann.register())["agent_id"] == "ann"
        held = await ann.reserve("src/*.go")
        await ann.release(held["id"])
        await ann.send("ann", "to myself")
        assert [message["body"] for message in await ann.whole_inbox()] == ["to myself"]
