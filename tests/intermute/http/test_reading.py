"""Bodies and queries: bounded, typed, and refused with a sentence that does not echo them."""

import asyncio
import gzip
import json
from contextlib import suppress
from typing import Any

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from intermute.errors import InvalidRequest
from intermute.http import reading
from intermute.http.endpoint import Given
from intermute.http.refusals import refusal
from intermute.http.server import Bounds, Doorway, listen
from intermute.limits import MAX_BODY
from tests.intermute.calling import Http


class Letter(Given):
    body: str = ""
    to: tuple[str, ...] = ()
    count: int = 0
    score: float = 0.0


@pytest.mark.parametrize(
    "text",
    [
        '{"count": "3"}',
        '{"count": 3.5}',
        '{"count": true}',
        '{"body": 3}',
        '{"to": "ann"}',
        '{"to": [1]}',
        '{"to": [null]}',
        '{"score": NaN}',
        '{"score": 1e999}',
        "[]",
        '"text"',
        "3",
        "null",
        "",
        "{",
        '{"body": "a"} trailing',
        '{"body": "\\ud800"}',
        "[" * 100_000,
        '{"a":' * 100_000,
    ],
)
def test_what_is_not_as_described_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest):
        reading.body(text.encode(), Letter)


def test_bytes_that_are_not_utf8_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        reading.body(b'{"body": "\xff"}', Letter)


def test_null_is_the_same_as_absent() -> None:
    read = reading.body(b'{"to": null, "body": null, "count": null}', Letter)
    assert (read.to, read.body, read.count) == ((), "", 0)


def test_members_nobody_knows_do_not_matter() -> None:
    assert reading.body(b'{"body": "a", "other": {"x": [null]}}', Letter).body == "a"


def test_of_a_member_given_twice_the_last_counts() -> None:
    assert reading.body(b'{"body": "a", "body": "b"}', Letter).body == "b"


def test_an_optional_body_may_be_missing() -> None:
    assert reading.body(b"  ", Letter, optional=True).body == ""


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(InvalidRequest):
        assert isinstance(reading.body(data, Letter), Letter)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=10,
    )
)
def test_any_json_is_read_or_refused(value: Any) -> None:
    with suppress(InvalidRequest):
        read = reading.body(json.dumps({"body": value, "to": value, "count": value}).encode(), Letter)
        assert isinstance(read.count, int)


async def test_a_body_of_exactly_the_limit_is_read(http: Http) -> None:
    frame = b'{"from":"ann","to":["bob"],"body":""}'
    data = frame[:-2] + b"x" * (MAX_BODY - len(frame)) + frame[-2:]
    answer = await http.post("/api/messages", data=data)
    assert answer.status == 200


async def test_one_byte_more_is_too_much(http: Http) -> None:
    answer = await http.post("/api/messages", data=b" " * (MAX_BODY + 1))
    assert (answer.status, answer["error"]) == (413, "too_large")


async def test_one_byte_more_in_pieces_is_too_much_as_well(http: Http) -> None:
    async def pieces() -> Any:
        for _ in range(MAX_BODY // 65536):
            yield b" " * 65536
        yield b" "

    async with http.session.post(http.url + "/api/messages", data=pieces()) as response:
        assert response.status == 413
        assert (await response.json())["error"] == "too_large"


async def test_a_compressed_body_is_not_unpacked(http: Http) -> None:
    data = gzip.compress(b'{"from":"ann","to":["bob"],"body":"' + b"x" * 1000 + b'"}')
    answer = await http.post("/api/messages", data=data, headers={"Content-Encoding": "gzip"})
    assert (answer.status, answer["error"]) == (400, "invalid JSON")


async def test_who_asks_before_sending_is_told_to_go_on(http: Http) -> None:
    body = {"from": "ann", "to": ["bob"], "body": "hello"}
    async with http.session.post(http.url + "/api/messages", json=body, expect100=True) as response:
        assert response.status == 200


async def test_who_asks_before_sending_too_much_is_told_so_at_once(url: str) -> None:
    host, port = url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(
        b"POST /api/messages HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
        b"Content-Length: 9999999\r\n\r\n"
    )
    async with asyncio.timeout(10):
        assert await reader.readline() == b"HTTP/1.1 413 Request Entity Too Large\r\n"
    writer.close()
    await writer.wait_closed()


async def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    async def read(request: web.BaseRequest) -> web.StreamResponse:
        try:
            await reading.content(request, within=0.2)
        except InvalidRequest as refused:
            return refusal(refused)
        return web.Response()

    doorway = Doorway(read, Bounds())
    async with listen(doorway, host="127.0.0.1", port=0, path=None, leaving=lambda: None) as listening:
        reader, writer = await asyncio.open_connection("127.0.0.1", listening.port)
        writer.write(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        async with asyncio.timeout(10):
            answer = await reader.read()
        writer.close()
        await writer.wait_closed()
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b'"error":"body_timeout"' in answer


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"\xff\xfe", b"{} {}"])
async def test_wrong_json_is_refused_over_http(http: Http, data: bytes) -> None:
    answer = await http.post("/api/messages", data=data)
    assert answer.status == 400
    assert answer["error"] in {"invalid JSON", "invalid_request"}
    assert answer["message"]


@pytest.mark.parametrize(
    "body",
    [
        {"from": 1, "to": ["bob"]},
        {"from": "ann", "to": "bob"},
        {"from": "ann", "to": [1]},
        {"from": "ann", "to": ["bob"], "body": {}},
        {"from": "ann", "to": ["bob"], "ack_required": "yes"},
    ],
)
async def test_wrong_types_are_refused_with_the_member_named(http: Http, body: dict[str, Any]) -> None:
    answer = await http.post("/api/messages", body)
    assert answer.status == 400
    assert answer["error"] == "invalid_request"
    assert answer["field"]


async def test_a_reason_is_said_in_our_own_words(http: Http) -> None:
    answer = await http.get("/api/agents", project="\0")
    assert answer["message"] == (
        "The query parameter project is wrong: there is a NUL or half a surrogate pair in it."
    )
