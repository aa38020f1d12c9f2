"""Times are times, not texts, and a clock that jumps breaks nothing."""

from datetime import timedelta

import pytest

from tests.clock import START, HandClock
from tests.intermute.calling import Http


async def test_fault_16_times_within_one_second_sort_as_times(http: Http, clock: HandClock) -> None:
    """As texts without trailing zeros they sorted .5, .55 and whole seconds the wrong way round."""
    ids = []
    for number, step in enumerate((0, 0.5, 0.05, 0.45)):
        await clock.advance(step)
        ids.append(f"s{number}")
        body = {"project": "p", "id": ids[-1], "name": "x", "agent": "ann"}
        assert (await http.post("/api/sessions", body)).status == 201
    listed = await http.get("/api/sessions", project="p")
    assert [session["id"] for session in listed.body] == ids[::-1]
    assert [session["started_at"] for session in listed.body] == [
        "2026-01-05T09:00:01Z",
        "2026-01-05T09:00:00.55Z",
        "2026-01-05T09:00:00.5Z",
        "2026-01-05T09:00:00Z",
    ]


async def test_fault_16_messages_that_wait_for_an_ack_are_told_oldest_first(
    http: Http, clock: HandClock
) -> None:
    for number, step in enumerate((0, 0.5, 0.05, 0.45)):
        await clock.advance(step)
        message = {"project": "p", "id": f"m{number}", "from": "ann", "to": ["bob"], "ack_required": True}
        assert (await http.post("/api/messages", message)).status == 200
    stale = await http.get("/api/inbox/bob/stale-acks", project="p", ttl_seconds=0)
    assert [message["id"] for message in stale["messages"]] == ["m0", "m1", "m2", "m3"]


class JumpingClock(HandClock):
    """Somebody sets the machine's clock; who sleeps does not wake for it."""

    def jump(self, by: timedelta) -> None:
        self._now += by


@pytest.fixture
def clock() -> HandClock:
    return JumpingClock(START)


@pytest.mark.parametrize("days", [-4000, -1, 1, 4000])
async def test_a_clock_that_jumps_leaves_cursors_in_order_and_requests_answered(
    http: Http, clock: JumpingClock, days: int
) -> None:
    await http.post("/api/agents", {"id": "ann", "name": "Ann", "project": "p"})
    cursors = []
    for number in range(4):
        if number == 2:
            clock.jump(timedelta(days=days))
        message = {"project": "p", "id": f"m{number}", "from": "ann", "to": ["bob"], "body": "x"}
        answer = await http.post("/api/messages", message)
        assert answer.status == 200
        cursors.append(answer["cursor"])
    assert cursors == sorted(set(cursors))
    inbox = await http.get("/api/inbox/bob", project="p", since_cursor=cursors[0])
    assert [message["id"] for message in inbox["messages"]] == ["m1", "m2", "m3"]
    assert (await http.post("/api/agents/ann/heartbeat", {})).status == 200
    held = {"project": "p", "agent_id": "ann", "path_pattern": "a.go", "exclusive": True}
    assert (await http.post("/api/reservations", held)).status == 201
    other = {"project": "p", "agent_id": "bob", "path_pattern": "a.go", "exclusive": True}
    assert (await http.post("/api/reservations", other)).status == 409
    for path in ("/api/agents", "/api/reservations", "/api/events", "/api/windows"):
        assert (await http.get(path, project="p")).status == 200
