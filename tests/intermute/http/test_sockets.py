"""WebSockets, as clients of the original and our own see them."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from struct import pack
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from intermute.caller import Caller, Mode
from intermute.events.listener import BACKLOG
from intermute.http.seats import Seats
from intermute.http.sockets import Sockets
from intermute.limits import MAX_FRAME, Limits
from intermute.service import Service
from storage.database import Database
from storage.errors import DatabaseUnavailable
from tests.clock import HandClock
from tests.intermute.agents import rows
from tests.intermute.calling import Http
from tests.intermute.events.telling import WITHIN, Ear, listening, mail, note, tell

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"


@pytest.fixture
def limits() -> Limits:
    return Limits(sockets=20)


@pytest.fixture
async def socket(http: Http) -> AsyncIterator[Ear]:
    """Ann's, in project alpha."""
    async with listening(http.session, http.url) as ear:
        yield ear


async def test_an_agent_hears_of_its_message_at_once(service: Service, socket: Ear) -> None:
    await tell(service.journal, mail("ann", message_id="m1"))
    assert await socket.next() == {
        "type": "message.created",
        "project": "alpha",
        "cursor": 1,
        "agent": "ann",
        "message_id": "m1",
        "created_at": "2026-01-05T09:00:00Z",
    }


async def test_messages_of_others_and_other_projects_are_not_heard(service: Service, socket: Ear) -> None:
    await tell(
        service.journal, mail("bob"), note(project="beta"), mail("ann", project="beta"), note(project="")
    )
    await tell(service.journal, note("spec.created", entity_id="s1"))
    assert (await socket.next())["entity_id"] == "s1"


async def test_several_sockets_of_one_agent_hear_the_same(service: Service, http: Http, socket: Ear) -> None:
    async with listening(http.session, http.url) as second:
        await tell(service.journal, mail("ann"))
        assert await socket.next() == await second.next()


async def test_a_local_socket_without_a_project_hears_what_has_none(service: Service, http: Http) -> None:
    async with listening(http.session, http.url, project="") as ear:
        await tell(service.journal, note(), note("here", project=""))
        assert (await ear.next())["type"] == "here"


async def test_fault_02_the_path_the_go_client_dials_without_an_agent_is_served(
    service: Service, http: Http
) -> None:
    async with listening(http.session, http.url, "/ws/events") as ear:
        await tell(service.journal, note("spec.created", entity_id="s1", data={"id": "s1"}))
        frame = await ear.next()
    assert (frame["type"], frame["project"], frame["entity_id"]) == ("spec.created", "alpha", "s1")
    assert frame["data"] == {"id": "s1"}


async def test_who_listens_to_a_project_never_learns_who_a_message_is_for(
    service: Service, http: Http
) -> None:
    async with listening(http.session, http.url, "/ws/events", since_cursor=0) as ear:
        await tell(service.journal, mail("hidden", message_id="m1"))
        live = await ear.next()
    async with listening(http.session, http.url, "/ws/events", since_cursor=0) as ear:
        assert await ear.next() == live
    assert live["message_id"] == "m1"
    assert "hidden" not in json.dumps(live)


# Replay


async def test_fault_14_a_socket_that_comes_back_with_its_cursor_has_missed_nothing(
    service: Service, http: Http
) -> None:
    async with listening(http.session, http.url) as ear:
        await tell(service.journal, mail("ann", message_id="m1"))
        cursor = (await ear.next())["cursor"]
    await tell(service.journal, mail("ann", message_id="m2"), mail("bob"), note(), note(project="beta"))
    async with listening(http.session, http.url, since_cursor=cursor) as ear:
        await tell(service.journal, mail("ann", message_id="m3"))
        missed = await ear.some(3)
    assert [frame.get("message_id") for frame in missed] == ["m2", None, "m3"]
    assert [frame["cursor"] for frame in missed] == [2, 4, 6]


async def test_fault_14_nothing_is_lost_or_told_twice_while_others_write(
    service: Service, http: Http
) -> None:
    """Sockets come and go at any moment of a stream of writes; each goes on where the last one was."""
    done = asyncio.Event()

    async def write() -> None:
        for number in range(150):
            await tell(service.journal, mail("ann", message_id=str(number)), note(project="beta"))
        done.set()

    async def read() -> list[str]:
        heard: list[str] = []
        cursor = 0
        while len(heard) < 150:
            async with listening(http.session, http.url, since_cursor=cursor) as ear:
                for _ in range(min(7, 150 - len(heard))):
                    frame = await ear.next()
                    cursor = frame["cursor"]
                    heard.append(frame["message_id"])
        return heard

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        tasks.create_task(write())
        readers = [tasks.create_task(read()) for _ in range(4)]
    assert done.is_set()
    for reader in readers:
        assert reader.result() == [str(number) for number in range(150)]


async def test_everything_is_replayed_however_much_it_is(service: Service, http: Http) -> None:
    for _ in range(3):
        await tell(service.journal, *[mail("bob") for _ in range(900)], mail("ann"), note())
    async with listening(http.session, http.url, since_cursor=0) as ear:
        assert [frame["cursor"] for frame in await ear.some(6)] == [901, 902, 1803, 1804, 2705, 2706]


async def test_a_replay_gives_only_the_types_asked_for(service: Service, http: Http) -> None:
    await tell(service.journal, note("a"), note("b"), note("a"))
    async with listening(http.session, http.url, since_cursor=0, types="a") as ear:
        assert [frame["cursor"] for frame in await ear.some(2)] == [1, 3]
        await tell(service.journal, note("b"), note("a"))
        assert (await ear.next())["cursor"] == 5


async def test_without_a_cursor_nothing_is_replayed(service: Service, http: Http) -> None:
    await tell(service.journal, note())
    async with listening(http.session, http.url) as ear:
        await tell(service.journal, note())
        assert (await ear.next())["cursor"] == 2


@pytest.mark.parametrize(("name", "value", "first"), [("cursor", "1", 2), ("since_cursor", "", 3)])
async def test_a_cursor_may_have_its_short_name_or_be_empty(
    service: Service, http: Http, name: str, value: str, first: int
) -> None:
    await tell(service.journal, note(), note())
    async with listening(http.session, http.url, **{name: value}) as ear:
        await tell(service.journal, note())
        assert (await ear.next())["cursor"] == first


async def test_a_cursor_nobody_has_given_out_means_the_present(service: Service, http: Http) -> None:
    await tell(service.journal, note())
    async with listening(http.session, http.url, since_cursor=2**62) as ear:
        await tell(service.journal, note())
        assert (await ear.next())["cursor"] == 2


async def test_a_log_that_begins_later_than_the_cursor_is_said_first(
    service: Service, http: Http, database: Database
) -> None:
    await tell(service.journal, note(), note(), note())
    await database.execute("DELETE FROM intermute.events WHERE cursor < 3")
    async with listening(http.session, http.url, since_cursor=1) as ear:
        first, second = await ear.some(2)
    assert (first["type"], first["cursor"]) == ("events.pruned", 2)
    assert (second["type"], second["cursor"]) == ("task.created", 3)
    async with listening(http.session, http.url, since_cursor=2) as ear:
        assert (await ear.next())["type"] == "task.created"


@pytest.mark.parametrize("cursor", ["-1", "x", "1.5", "9" * 30, "٣"])
async def test_a_cursor_that_is_none_is_refused(http: Http, cursor: str) -> None:
    assert await refused(http, since_cursor=cursor) == 400


# What a client says


async def test_a_subscription_is_honoured(service: Service, socket: Ear) -> None:
    await socket.say({"type": "subscribe", "event_types": ["spec.created"], "project": "beta"})
    await socket.heeded()
    await tell(service.journal, note("task.created"), note("spec.created"))
    assert (await socket.next())["type"] == "spec.created"
    await socket.say({"type": "unsubscribe", "event_types": ["spec.created"]})
    await socket.say({"type": "subscribe", "event_types": ["task.created"]})
    await socket.heeded()
    await tell(service.journal, note("spec.created"), note("task.created"))
    assert (await socket.next())["type"] == "task.created"


async def test_frames_of_no_use_are_ignored(service: Service, socket: Ear) -> None:
    frames: list[Any] = [1, [], {"type": "hello"}, {"type": "subscribe", "event_types": 3}]
    for frame in frames:
        await socket.say(frame)
    await socket.heeded()
    await tell(service.journal, note())
    assert (await socket.next())["cursor"] == 1


async def test_what_is_not_json_ends_the_connection(socket: Ear) -> None:
    await socket.socket.send_str("hello")
    assert await socket.closed() == (1007, "only JSON is understood here")


async def test_what_is_not_text_ends_the_connection(socket: Ear) -> None:
    await socket.socket.send_bytes(b"{}")
    assert (await socket.closed())[0] == 1003


async def test_more_types_than_can_be_remembered_end_the_connection(socket: Ear) -> None:
    await socket.say({"type": "subscribe", "event_types": [str(number) for number in range(101)]})
    assert (await socket.closed())[0] == 1008


async def test_a_frame_as_large_as_the_limit_is_read_and_a_larger_one_ends_the_connection(
    service: Service, socket: Ear
) -> None:
    await socket.socket.send_str(json.dumps("x" * (MAX_FRAME - 2)))
    await socket.heeded()
    await socket.socket.send_str(json.dumps("x" * (MAX_FRAME - 1)))
    assert (await socket.closed())[0] == 1009


async def test_nothing_follows_the_last_frame(service: Service, url: str) -> None:
    """A client that never answers our goodbye is told nothing any more."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        head = "".join(f"{name}: {value}\r\n" for name, value in UPGRADE.items())
        writer.write(f"GET /ws/events HTTP/1.1\r\nHost: {host}\r\n{head}\r\n".encode())
        too_long = pack("!BBHL", 0x81, 0x80 | 126, MAX_FRAME + 1, 0) + b"x" * (MAX_FRAME + 1)
        async with asyncio.timeout(WITHIN):
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            writer.write(too_long)
            kind, size = await reader.readexactly(2)
            assert kind == 0x88
            await reader.readexactly(size)
            await tell(service.journal, note(project=""))
            assert await reader.read() == b""
    finally:
        writer.close()


async def test_compression_is_not_agreed_to(http: Http) -> None:
    async with http.session.ws_connect(f"{http.url}/ws/agents/ann", compress=15) as socket:
        assert socket.compress == 0


# Slow, dead and many


async def test_a_socket_that_stops_reading_is_let_go_and_delays_nobody(
    service: Service, http: Http, socket: Ear
) -> None:
    stalled = await http.session.ws_connect(f"{http.url}/ws/agents/sleepy?project=alpha")
    try:
        transport = stalled.get_extra_info("socket")
        assert transport is not None
        stalled._response.connection.transport.pause_reading()  # type: ignore[union-attr]
        large = {"title": "x" * 30_000}
        loop = asyncio.get_running_loop()
        slowest = 0.0
        async with asyncio.timeout(60):
            while service.feed.hub.let_go == 0:
                began = loop.time()
                await tell(service.journal, note("spec.created", data=large))
                slowest = max(slowest, loop.time() - began)
                assert (await socket.next())["data"] == large
        assert slowest < 2.0
        stalled._response.connection.transport.resume_reading()  # type: ignore[union-attr]
        async with asyncio.timeout(WITHIN):
            cursor = 0
            while (message := await stalled.receive()).type is aiohttp.WSMsgType.TEXT:
                cursor = json.loads(message.data)["cursor"]
        assert stalled.close_code == 1013
        assert "cursor" in str(message.extra)
    finally:
        await stalled.close()
    head = await service.feed.history.head()
    async with listening(http.session, http.url, "/ws/agents/sleepy", since_cursor=cursor) as ear:
        rest = await ear.some(head - cursor)
    assert [frame["cursor"] for frame in rest] == list(range(cursor + 1, head + 1))


async def test_much_at_once_is_no_reason_to_let_a_reading_socket_go(service: Service, socket: Ear) -> None:
    async def read() -> list[dict[str, Any]]:
        return await socket.some(400)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        reading = tasks.create_task(read())
        for _ in range(10):
            await tell(service.journal, *[note(data={"title": "x" * (BACKLOG // 100)}) for _ in range(40)])
    assert [frame["cursor"] for frame in reading.result()] == list(range(1, 401))
    assert service.feed.hub.let_go == 0


async def test_places_are_bounded_and_given_back(service: Service, http: Http, limits: Limits) -> None:
    sockets = [await http.session.ws_connect(f"{http.url}/ws/events") for _ in range(limits.sockets)]
    try:
        answer = await http.get("/ws/events", headers=UPGRADE)
        assert (answer.status, answer["error"]) == (503, "too_many_sockets")
        assert answer.headers["Retry-After"] == "10"
        await sockets.pop().close()
        async with listening(http.session, http.url) as ear:
            await tell(service.journal, note())
            assert (await ear.next())["cursor"] == 1
    finally:
        for socket in sockets:
            await socket.close()


async def test_a_peer_that_does_not_answer_pings_is_dropped(service: Service) -> None:
    seats = Seats(5)
    sockets = Sockets(service.feed, service.guards, seats, HandClock(), heartbeat=0.2)

    async def serve(request: web.BaseRequest) -> web.StreamResponse:
        return await sockets.serve(request, Caller(mode=Mode.LOCAL), {"agent": "ann"})

    async with (
        RawTestServer(serve) as server,
        aiohttp.ClientSession() as session,
        listening(session, str(server.make_url("")).rstrip("/")) as ear,
    ):
        async with asyncio.timeout(WITHIN):
            assert (await ear.socket.receive()).type is aiohttp.WSMsgType.PING
            assert (await ear.socket.receive()).type is aiohttp.WSMsgType.CLOSED
    assert seats.taken == 0


async def test_a_client_that_vanishes_gives_its_place_back(service: Service, http: Http) -> None:
    socket = await http.session.ws_connect(f"{http.url}/ws/events")
    assert service._seats.taken == 1
    connection = socket._response.connection
    assert connection is not None
    assert connection.transport is not None
    connection.transport.abort()
    async with asyncio.timeout(WITHIN):
        while service._seats.taken:
            await tell(service.journal, note(project=""))
    await socket.close()


async def test_the_end_of_the_service_is_said_to_every_socket(
    service: Service, http: Http, socket: Ear
) -> None:
    service._seats.shut()
    assert (await socket.closed())[0] == 1001
    answer = await http.get("/ws/events", headers=UPGRADE)
    assert answer.status == 503


async def test_a_socket_outlives_a_database_that_was_away(
    service: Service, http: Http, database: Database, socket: Ear
) -> None:
    await tell(service.journal, note())
    assert (await socket.next())["cursor"] == 1
    with pytest.raises(DatabaseUnavailable):
        await database.execute(CUT)
    await told_when_it_is_back(service)
    assert (await socket.next())["cursor"] == 2
    async with listening(http.session, http.url, since_cursor=0) as ear:
        assert [frame["cursor"] for frame in await ear.some(2)] == [1, 2]


async def test_a_replay_that_cannot_be_read_sends_the_client_back_with_its_cursor(
    service: Service, http: Http, database: Database
) -> None:
    await tell(service.journal, note(), note())
    database._pool.terminate()
    async with listening(http.session, http.url, "/ws/events", since_cursor=1) as ear:
        assert (await ear.closed())[0] == 1013
    assert await refused(http) == 503


async def test_a_fault_of_ours_ends_the_connection_and_nothing_else(
    service: Service, http: Http, database: Database
) -> None:
    await tell(service.journal, note(), note())
    await database.execute("ALTER TABLE intermute.events RENAME TO hidden")
    async with listening(http.session, http.url, since_cursor=1) as ear:
        assert (await ear.closed())[0] == 1011
    await database.execute("ALTER TABLE intermute.hidden RENAME TO events")
    async with listening(http.session, http.url, since_cursor=1) as ear:
        assert (await ear.next())["cursor"] == 2


async def told_when_it_is_back(service: Service) -> None:
    async with asyncio.timeout(WITHIN):
        while True:
            try:
                await tell(service.journal, note())
            except DatabaseUnavailable:
                continue
            return


# Who may listen

UPGRADE = {
    "Connection": "upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


async def refused(http: Http, path: str = "/ws/agents/ann", **rest: Any) -> int:
    """The status of a refusal, which is JSON; 101 where it was let in."""
    headers = UPGRADE | rest.pop("headers", {})
    async with http.session.get(http.url + path, headers=headers, params=rest) as response:
        if response.status != 101:
            assert {"error", "message"} <= (await response.json()).keys()
        return response.status


async def test_a_key_listens_to_its_own_project_only(service: Service, alpha: Http) -> None:
    assert await refused(alpha, project="beta") == 403
    async with listening(alpha.session, alpha.url, project="") as ear:
        await tell(service.journal, note(project="beta"), note())
        assert (await ear.next())["project"] == "alpha"


async def test_somebody_elsewhere_needs_a_key(http: Http) -> None:
    assert await refused(http, headers={"X-Forwarded-For": "203.0.113.10"}) == 401


async def test_the_agent_in_the_header_must_be_the_one_in_the_path(http: Http, alpha: Http) -> None:
    assert await refused(http, headers={"X-Agent-ID": "bob"}) == 403
    assert await refused(alpha, headers={"X-Agent-ID": "bob"}) == 403
    async with http.session.ws_connect(f"{http.url}/ws/agents/ann", headers={"X-Agent-ID": "ann"}):
        pass


async def test_web_pages_may_not_listen(http: Http, alpha: Http) -> None:
    assert await refused(http, headers={"Origin": "http://evil.example"}) == 403
    assert await refused(http, headers={"Host": "evil.example"}) == 403
    assert await refused(alpha, headers={"Origin": "http://evil.example"}) == 403


@pytest.mark.parametrize("path", ["/ws/agents/", "/ws/agents/%20", "/ws/agents/" + "x" * 300])
async def test_a_path_that_names_no_agent_is_refused(http: Http, path: str) -> None:
    assert await refused(http, path) == 400


async def test_a_request_that_is_no_websocket_is_told_so(http: Http) -> None:
    answer = await http.get("/ws/events")
    assert (answer.status, answer["error"]) == (400, "not_a_websocket")


async def test_an_agent_that_listens_is_alive(
    service: Service, http: Http, database: Database, clock: HandClock, socket: Ear
) -> None:
    registered = await http.post("/api/agents", {"id": "ann", "name": "ann", "project": "alpha"})
    assert registered.status == 200
    seen = (await http.get("/api/agents", project="alpha"))["agents"][0]["last_seen"]
    await clock.until_sleeping(2)
    await clock.advance(61)
    async with asyncio.timeout(WITHIN):
        while (await http.get("/api/agents", project="alpha"))["agents"][0]["last_seen"] == seen:
            pass  # the sign is written behind the request that asks


@pytest.mark.parametrize("agent", ["kim", "intercom:shop"])
async def test_what_is_for_a_guarded_agent_is_told_to_that_agent_only(
    http: Http, alpha: Http, database: Database, agent: str
) -> None:
    await rows.agent(database, agent, project="alpha", guarded=True)
    for caller in (http, alpha):
        assert await refused(caller, f"/ws/agents/{agent}") == 403
        assert await refused(caller, f"/ws/agents/{agent}", headers={"X-Agent-ID": agent}) == 403
        for headers in ({}, {"Accept": "text/event-stream"}):
            assert (await caller.get("/api/events", agent=agent, headers=headers)).status == 403


async def test_an_agent_that_proves_itself_by_its_token_may_listen(service: Service, http: Http) -> None:
    made = await http.post("/api/agents", {"id": "kim", "name": "kim", "project": "alpha"})
    proof = {"X-Agent-ID": "kim", "X-Agent-Token": made["token"]}
    async with http.session.ws_connect(f"{http.url}/ws/agents/kim?project=alpha", headers=proof) as socket:
        await tell(service.journal, mail("kim"))
        assert (await Ear(socket).next())["agent"] == "kim"
    assert await refused(http, "/ws/agents/ann", headers=proof) == 403


async def test_a_socket_over_the_unix_socket_is_local(service: Service, tmp_path: Path) -> None:
    path = tmp_path / "intermute.sock"
    async with (
        service.serve(port=0, socket=path),
        aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as session,
        listening(session, "http://localhost") as ear,
    ):
        await tell(service.journal, mail("ann"))
        assert (await ear.next())["agent"] == "ann"


async def test_the_document_tells_how_to_listen(http: Http) -> None:
    paths = (await http.get("/openapi.json"))["paths"]
    for path in ("/ws/events", "/ws/agents/{agent}"):
        named = {parameter["name"] for parameter in paths[path]["get"]["parameters"]}
        assert named >= {"project", "since_cursor", "types", "X-Agent-ID"}
    assert "text/event-stream" in paths["/api/events"]["get"]["responses"]["200"]["content"]


async def test_the_answer_says_where_the_log_is(service: Service, http: Http) -> None:
    await tell(service.journal, note(), note())
    async with http.session.get(f"{http.url}/ws/events", headers=UPGRADE) as response:
        assert response.status == 101
        assert response.headers["X-Cursor"] == "2"
