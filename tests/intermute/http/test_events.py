"""The log over HTTP: by pages, and as a stream of server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from intermute.caller import Caller, Mode
from intermute.events.history import LOOKED_AT
from intermute.http.endpoint import Flow, Nothing, Request
from intermute.http.events import Events, EventsQuery
from intermute.http.seats import Seats
from intermute.limits import Limits
from intermute.service import Service
from storage.database import Database
from tests.intermute.calling import Http
from tests.intermute.events.telling import WITHIN, mail, note, tell

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def limits() -> Limits:
    return Limits(sockets=3)


class Stream:
    """The client's end of a stream."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def block(self) -> dict[str, str]:
        """The fields of the next block."""
        fields: dict[str, str] = {}
        async with asyncio.timeout(WITHIN):
            while (line := (await self._response.content.readline()).decode()).strip():
                name, _, value = line.rstrip("\n").partition(":")
                fields[name] = value.strip()
            assert line, "the stream has ended"
        return fields

    async def next(self) -> dict[str, Any]:
        """The next event."""
        while "data" not in (fields := await self.block()):
            pass
        event: dict[str, Any] = json.loads(fields["data"])
        assert fields["id"] == str(event["cursor"])
        return event

    async def end(self) -> None:
        async with asyncio.timeout(WITHIN):
            await self._response.read()


@asynccontextmanager
async def streaming(http: Http, last: str = "", **query: Any) -> AsyncIterator[Stream]:
    headers = STREAM | ({"Last-Event-ID": last} if last else {})
    parameters = {"project": "alpha"} | query
    async with http.session.get(f"{http.url}/api/events", params=parameters, headers=headers) as response:
        assert response.status == 200
        assert response.headers["Content-Type"] == "text/event-stream"
        stream = Stream(response)
        assert await stream.block() == {"retry": "1000"}
        yield stream


async def test_the_log_of_a_project_comes_in_pages(service: Service, http: Http) -> None:
    await tell(service.journal, note("a"), note("b", project="beta"), mail("ann", message_id="m"), note("c"))
    first = await http.get("/api/events", project="alpha", limit=2)
    assert [event["cursor"] for event in first["events"]] == [1, 3]
    assert (first["next_cursor"], first["cursor"], first["more"], first["oldest"]) == ("3", 3, True, 1)
    assert "ann" not in first.text
    second = await http.get("/api/events", project="alpha", since=first["next_cursor"])
    assert [event["type"] for event in second["events"]] == ["c"]
    assert (second["cursor"], second["more"]) == (4, False)
    third = await http.get("/api/events", project="alpha", since=second["next_cursor"])
    assert (third["events"], third["next_cursor"]) == ([], "4")


async def test_a_page_for_an_agent_has_what_it_may_hear(service: Service, http: Http) -> None:
    await tell(service.journal, mail("ann"), mail("bob"), note())
    page = await http.get("/api/events", project="alpha", agent="ann")
    assert [(event["cursor"], event.get("agent")) for event in page["events"]] == [(1, "ann"), (3, None)]


async def test_a_page_may_name_types(service: Service, http: Http) -> None:
    await tell(service.journal, note("a"), note("b"), note("c"))
    page = await http.get("/api/events", project="alpha", types="a, c")
    assert [event["type"] for event in page["events"]] == ["a", "c"]


async def test_rare_events_are_found_behind_many_others(service: Service, http: Http) -> None:
    for _ in range(3):
        await tell(service.journal, *[note("common") for _ in range(LOOKED_AT)])
    await tell(service.journal, note("rare"), note("common"))
    page = await http.get("/api/events", project="alpha", types="rare")
    assert [event["cursor"] for event in page["events"]] == [3 * LOOKED_AT + 1]
    assert (page["cursor"], page["more"]) == (3 * LOOKED_AT + 2, False)


async def test_a_page_says_where_the_log_begins(service: Service, http: Http, database: Database) -> None:
    assert (await http.get("/api/events", project="alpha"))["oldest"] == 0
    await tell(service.journal, note(), note())
    await database.execute("DELETE FROM intermute.events WHERE cursor = 1")
    assert (await http.get("/api/events", project="alpha"))["oldest"] == 2


async def test_a_key_reads_the_log_of_its_own_project_only(service: Service, alpha: Http) -> None:
    await tell(service.journal, note(), note(project="beta"))
    page = await alpha.get("/api/events")
    assert [event["project"] for event in page["events"]] == ["alpha"]
    assert (await alpha.get("/api/events", project="beta")).status == 403
    assert (await alpha.get("/api/events", project="beta", headers=STREAM)).status == 403


async def test_a_stream_tells_what_happens(service: Service, http: Http) -> None:
    await tell(service.journal, note())
    async with streaming(http, agent="ann") as stream:
        await tell(service.journal, mail("bob"), mail("ann", message_id="m1"), note("b"))
        assert (await stream.next())["message_id"] == "m1"
        assert (await stream.next())["type"] == "b"


async def test_a_stream_begins_with_what_lies_behind_its_cursor(service: Service, http: Http) -> None:
    await tell(service.journal, note(), note(), note())
    async with streaming(http, since="1") as stream:
        await tell(service.journal, note())
        assert [(await stream.next())["cursor"] for _ in range(3)] == [2, 3, 4]


async def test_a_stream_that_is_taken_up_again_goes_on_behind_the_last_event(
    service: Service, http: Http
) -> None:
    await tell(service.journal, note(), note(), note())
    async with streaming(http, since="0", last="2") as stream:
        assert (await stream.next())["cursor"] == 3
    async with streaming(http, since="1", last="nonsense") as stream:
        assert (await stream.next())["cursor"] == 2


async def test_a_stream_may_name_types(service: Service, http: Http) -> None:
    async with streaming(http, types="b") as stream:
        await tell(service.journal, note("a"), note("b"))
        assert (await stream.next())["type"] == "b"


async def test_streams_take_places_and_give_them_back(service: Service, http: Http, limits: Limits) -> None:
    async with streaming(http), streaming(http), streaming(http):
        answer = await http.get("/api/events", headers=STREAM)
        assert (answer.status, answer["error"]) == (503, "too_many_sockets")
    async with asyncio.timeout(WITHIN):
        while service._seats.taken:
            await tell(service.journal, note())


async def test_a_stream_ends_with_the_service(service: Service, http: Http) -> None:
    async with streaming(http) as stream:
        service._seats.shut()
        await stream.end()


async def test_a_silent_stream_says_that_it_is_there(service: Service) -> None:
    events = Events(service.feed, service.guards, Seats(1), keep_alive=0.01)
    (endpoint,) = events.table()
    asked = Request(
        caller=Caller(mode=Mode.LOCAL), path={}, query=EventsQuery(), body=Nothing(), headers=STREAM
    )
    reply = await endpoint.run(asked)
    assert isinstance(reply.body, Flow)
    pieces = reply.body.chunks
    async with asyncio.timeout(WITHIN):
        assert [await anext(pieces) for _ in range(3)] == [b"retry: 1000\n\n", *[b": still here\n\n"] * 2]
    await pieces.aclose()
    assert not service.feed.hub._listeners


async def test_a_stream_nobody_reads_ends_and_is_taken_up_again(service: Service) -> None:
    events = Events(service.feed, service.guards, Seats(1))
    (endpoint,) = events.table()
    asked = Request(
        caller=Caller(mode=Mode.LOCAL), path={}, query=EventsQuery(), body=Nothing(), headers=STREAM
    )
    pieces = (await endpoint.run(asked)).body.chunks

    async def following() -> bytes:
        piece: bytes = await anext(pieces)
        return piece

    assert await following() == b"retry: 1000\n\n"
    async with asyncio.timeout(WITHIN), asyncio.TaskGroup() as tasks:
        first = tasks.create_task(following())
        while not service.feed.hub._listeners:
            await tell(service.journal, note(project="elsewhere"))
        await tell(service.journal, note(project=""))
    assert b'"task.created"' in first.result()
    for _ in range(3):
        await tell(service.journal, *[note(project="", data="x" * 30_000) for _ in range(10)])
    async with asyncio.timeout(WITHIN):
        assert [piece async for piece in pieces] == []


@pytest.mark.parametrize("types", ["x" * 200, ",".join(map(str, range(200)))])
async def test_more_types_than_can_be_remembered_are_refused(http: Http, types: str) -> None:
    assert (await http.get("/api/events", types=types)).status == 400
