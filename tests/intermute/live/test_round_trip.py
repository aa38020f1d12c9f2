"""From a request to the words in a terminal."""

import asyncio

import pytest

from intermute.limits import LiveRules
from storage.database import Database
from tests.intermute.calling import Http
from tests.intermute.live.terminals import Terminal, needs_tmux
from tests.intermute.live.test_delivery import seat, send, stored, waiting

pytestmark = needs_tmux


@pytest.fixture
def rules(terminal: Terminal) -> LiveRules:
    return LiveRules(enabled=True, agents=("claude",), socket=str(terminal.socket))


async def test_a_message_reaches_the_terminal_and_the_inbox(
    http: Http, terminal: Terminal, database: Database
) -> None:
    await terminal.session("work")
    await seat(http)
    answer = await send(http, "both", body="PROBE-1", thread_id="t-1")
    assert (answer.status, answer["delivery"]) == (200, "injected")
    shown = await terminal.screen("work", until="PROBE-1")
    assert "START [from=alice, thread=t-1, trust=LOW]" in shown
    assert (await stored(http), await waiting(http)) == (1, [])
    kinds = await database.fetch(
        "SELECT type, data ->> 'delivery' AS how FROM intermute.events ORDER BY cursor"
    )
    assert [tuple(kind) for kind in kinds] == [("message.created", None), ("peer.window_poke", "injected")]
    assert await database.fetchval("SELECT injected_at IS NOT NULL FROM intermute.inbox")


async def test_a_live_message_is_typed_and_not_stored(http: Http, terminal: Terminal) -> None:
    await terminal.session("work")
    await seat(http)
    answer = await send(http, "live", body="PROBE-2")
    assert (answer.status, answer["delivery"]) == (200, "injected")
    assert answer["denied"] is None
    await terminal.screen("work", until="PROBE-2")
    assert (await stored(http), await waiting(http)) == (0, [])


async def test_ten_live_messages_go_and_the_eleventh_waits(http: Http, terminal: Terminal) -> None:
    await terminal.session("work")
    await seat(http)
    for _ in range(10):
        assert (await send(http, "live")).status == 200
    assert (await send(http, "live")).status == 429


async def test_a_shell_where_the_agent_was_gets_nothing(http: Http, terminal: Terminal) -> None:
    await terminal.session("work", "/bin/sh")
    await seat(http)
    assert (await send(http, "live", body="echo harm"))["error"] == "delivery_failed"
    assert (await send(http, "both", body="echo harm"))["delivery"] == "deferred"
    assert "harm" not in await terminal.screen("work")


async def test_one_of_two_that_can_be_reached_is_typed_to(http: Http, terminal: Terminal) -> None:
    await terminal.session("work")
    await seat(http, "bob")
    token = await seat(http, "carol")
    body = {"project": "p", "window_uuid": "w-carol", "agent_id": "carol", "tmux_target": "gone"}
    await http.post("/api/windows", {**body, "registration_token": token})
    live = await send(http, "live", "bob", "carol", body="PROBE-3")
    assert (live.status, live["delivery"]) == (200, {"bob": "injected", "carol": "failed"})
    both = await send(http, "both", "bob", "carol", body="PROBE-4")
    assert both["delivery"] == {"bob": "injected", "carol": "deferred"}
    async with asyncio.timeout(10):
        await terminal.screen("work", until="PROBE-4")
    assert len(await waiting(http, "carol")) == 1


async def test_what_was_typed_is_counted(http: Http, terminal: Terminal) -> None:
    await terminal.session("work")
    await seat(http)
    await send(http, "live")
    await terminal.tmux("kill-session", "-t", "=work")
    await send(http, "live")
    metrics = (await http.get("/metrics")).text
    assert "intermute_live_typed_total 1.0" in metrics
    assert "intermute_live_missed_total 1.0" in metrics
