"""An event is the same JSON everywhere, and never more than a client reads."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from intermute.events.frames import Frame, slim, socket_frame, stream_frame
from intermute.limits import MAX_FRAME
from tests.intermute.events.telling import event

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=20,
)
members = st.dictionaries(
    st.text(max_size=12).filter(lambda name: name not in {"type", "project", "cursor", "created_at"}),
    plain,
    max_size=8,
)


@given(data=members, agent=st.sampled_from(["", "ann", 'o"hara']), audience=st.none() | st.just(("ann",)))
def test_a_frame_is_the_json_of_its_event(
    data: dict[str, Any], agent: str, audience: tuple[str, ...] | None
) -> None:
    told = event(7, audience=audience, data=data)
    assert json.loads(Frame(told).text(agent)) == json.loads(json.dumps(told.frame(agent)))


def test_only_the_one_it_goes_to_is_named() -> None:
    frame = Frame(event(1, "message.created", audience=("ann", "bob"), data={"message_id": "m"}))
    assert json.loads(frame.text("ann"))["agent"] == "ann"
    assert json.loads(frame.text("bob"))["agent"] == "bob"
    assert b"ann" not in frame.text()
    assert b"bob" not in frame.text()


def test_nobody_is_named_where_everybody_is_meant() -> None:
    assert "agent" not in json.loads(Frame(event(1)).text("ann"))


def test_a_frame_is_encoded_once() -> None:
    frame = Frame(event(1))
    assert frame.text() is frame.text()


def test_an_entity_that_does_not_fit_is_left_out_and_that_is_said() -> None:
    told = event(3, "spec.created", data={"entity_id": "s1", "data": {"vision": "é" * MAX_FRAME}})
    text = Frame(told).text()
    frame = json.loads(text)
    assert len(text) < MAX_FRAME
    assert (frame["entity_id"], frame["data"], frame["truncated"]) == ("s1", None, True)
    assert (frame["type"], frame["cursor"], frame["project"]) == ("spec.created", 3, "alpha")


@given(size=st.integers(MAX_FRAME - 400, MAX_FRAME + 50), wide=st.sampled_from(["x", "é", "\0"]))
def test_no_frame_reaches_the_size_at_which_the_original_client_hangs_up(size: int, wide: str) -> None:
    text = Frame(event(1, data={"data": wide * (size // len(wide.encode()))})).text("ann")
    assert len(text) < MAX_FRAME
    json.loads(text)


@given(st.dictionaries(st.text(max_size=1500), st.text(max_size=1500), min_size=60, max_size=80))
def test_many_members_are_as_little_too_much_as_one_large_one(data: dict[str, str]) -> None:
    text = Frame(
        event(1, data={f"{number}{name}": value for number, (name, value) in enumerate(data.items())})
    )
    assert len(text.text()) < MAX_FRAME
    json.loads(text.text())


def test_half_a_character_does_not_spoil_a_frame() -> None:
    json.loads(Frame(event(1, data={"title": "\ud800"})).text())


def test_frames_of_all_lengths_have_their_length_in_front() -> None:
    assert socket_frame(b"{}") == b"\x81\x02{}"
    assert socket_frame(b"x" * 125)[:2] == b"\x81\x7d"
    assert socket_frame(b"x" * 126)[:4] == b"\x81\x7e\x00\x7e"
    assert socket_frame(b"x" * 32_767)[:4] == b"\x81\x7e\x7f\xff"


def test_an_event_of_a_stream_carries_its_cursor_as_its_id() -> None:
    assert stream_frame(12, b'{"a":1}') == b'id: 12\ndata: {"a":1}\n\n'


def test_what_is_kept_on_record_has_no_entity_larger_than_a_frame() -> None:
    small = {"entity_id": "s1", "data": {"title": "x"}}
    assert slim(small) is small
    assert slim({"entity_id": "s1", "data": {"vision": "x" * MAX_FRAME}}) == {
        "entity_id": "s1",
        "data": None,
        "truncated": True,
    }
