"""What the service refuses is an error that says what can be done about it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermute.client import (
    Client,
    Conflict,
    Forbidden,
    Invalid,
    Limited,
    Missing,
    PolicyDenied,
    Refused,
    ReservationConflict,
    Strange,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from intermute.client.errors import refused
from tests.program import free_port


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, Invalid),
        (401, Unauthenticated),
        (403, Forbidden),
        (404, Missing),
        (405, Invalid),
        (409, Conflict),
        (413, Invalid),
        (429, Limited),
        (500, Refused),
        (503, Unavailable),
    ],
)
def test_each_status_is_an_error_of_its_own(status: int, kind: type[Refused]) -> None:
    error = refused(status, b'{"error": "word", "message": "A sentence.", "more": 1}')
    assert type(error) is kind
    assert (error.status, error.code, str(error), error.details) == (
        status,
        "word",
        "A sentence.",
        {"more": 1},
    )


def test_denied_recipients_are_named() -> None:
    error = refused(403, b'{"error": "policy_denied", "denied": ["bob", "carol"]}')
    assert isinstance(error, PolicyDenied)
    assert error.denied == ["bob", "carol"]


def test_a_conflict_names_who_holds_what() -> None:
    held = {"reservation_id": "r", "agent_id": "bob", "held_by": "Bob", "pattern": "src/**"}
    error = refused(409, json.dumps({"error": "reservation_conflict", "conflicts": [held]}).encode())
    assert isinstance(error, ReservationConflict)
    assert [(each.held_by, each.pattern) for each in error.holdings] == [("Bob", "src/**")]


def test_a_conflict_that_cannot_be_understood_is_said_so() -> None:
    error = refused(409, b'{"error": "reservation_conflict", "conflicts": [{"pattern": 5}]}')
    assert isinstance(error, ReservationConflict)
    with pytest.raises(Strange):
        _ = error.holdings


def test_when_to_come_again_is_kept() -> None:
    error = refused(503, b'{"error": "storage_unavailable", "retry_after": 7}')
    assert isinstance(error, Unavailable)
    assert error.retry_after == 7


@given(status=st.integers(400, 599), content=st.binary() | st.text().map(str.encode))
def test_whatever_else_answers_is_an_error_too(status: int, content: bytes) -> None:
    error = refused(status, content)
    assert error.status == status
    assert str(error)


async def test_nobody_there_is_an_error_of_its_own() -> None:
    async with Client.open(f"http://127.0.0.1:{free_port()}", project="alpha") as client:
        with pytest.raises(Unreachable, match=r"^POST /api/messages was not answered: Connection refused\.$"):
            await client.messages.send("ann", ["bob"], "hello")
        assert not await client.well()


async def test_a_socket_that_is_not_there_is_said_in_words(tmp_path: Path) -> None:
    async with Client.open(socket=str(tmp_path / "none.sock"), project="alpha") as client:
        with pytest.raises(Unreachable, match=r"No such file or directory\.$"):
            await client.messages.send("ann", ["bob"], "hello")


async def test_what_is_asked_wrongly_says_why(client: Client) -> None:
    with pytest.raises(Invalid) as error:
        await client.messages.send("ann", [], "to nobody")
    assert error.value.code
    with pytest.raises(Missing):
        await client.messages.ack("unknown", "ann")


async def test_on_this_machine_no_key_is_looked_at(url: str) -> None:
    async with Client.open(url, project="beta", key="key-of-alpha") as local:
        assert (await local.messages.inbox("bob")).messages == ()
