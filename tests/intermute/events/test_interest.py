"""A listener hears everything until it says what it wants."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intermute.events.interest import Interest, NotUnderstood, TooMany, Wish, types_of, wish

ALL = ("a", "b", "c")
wishes = st.builds(Wish, st.booleans(), st.lists(st.sampled_from(ALL), max_size=3).map(tuple))


def heard(interest: Interest) -> set[str]:
    return {kind for kind in ALL if kind in interest}


def test_everything_is_heard_at_first() -> None:
    assert heard(Interest()) == set(ALL)


def test_the_first_subscription_names_what_is_wanted_instead_of_everything() -> None:
    interest = Interest()
    interest.heed(Wish(True, ("a",)))
    assert heard(interest) == {"a"}
    interest.heed(Wish(True, ("b",)))
    assert heard(interest) == {"a", "b"}


def test_unsubscribing_from_one_leaves_the_others() -> None:
    interest = Interest()
    interest.heed(Wish(False, ("b",)))
    assert heard(interest) == {"a", "c"}


@given(before=st.lists(wishes, max_size=6), last=wishes)
def test_the_last_wish_is_heeded_whatever_came_before(before: list[Wish], last: Wish) -> None:
    interest = Interest()
    for earlier in before:
        interest.heed(earlier)
    interest.heed(last)
    named = set(last.types) or set(ALL)
    if last.wanted:
        assert heard(interest) >= named
    else:
        assert not heard(interest) & named
    only = interest.only
    assert only is None or heard(interest) <= set(only)


def test_a_list_in_a_query_names_types() -> None:
    assert types_of(" message.created, ,task.created ") == ["message.created", "task.created"]
    assert heard(Interest(types_of(""))) == set(ALL)


@pytest.mark.parametrize("frame", ["", "nonsense", "{", "[" * 20_000])
def test_what_is_not_json_is_not_understood(frame: str) -> None:
    with pytest.raises(NotUnderstood):
        wish(frame)


@pytest.mark.parametrize(
    "frame",
    [
        3,
        None,
        [],
        {},
        {"type": "hello"},
        {"type": "subscribe", "event_types": "a"},
        {"event_types": ["a"]},
        {"type": ["subscribe"]},
        {"type": "unsubscribe", "event_types": [1]},
    ],
)
def test_json_of_no_use_is_no_wish(frame: Any) -> None:
    assert wish(json.dumps(frame)) is None


def test_types_that_are_no_text_are_left_out() -> None:
    asked = wish('{"type": "subscribe", "event_types": ["a", 1, null], "project": "other"}')
    assert asked == Wish(True, ("a",))


def test_null_types_are_all_types() -> None:
    assert wish('{"type": "unsubscribe", "event_types": null}') == Wish(False, ())


@pytest.mark.parametrize("types", [tuple(map(str, range(101))), ("x" * 101,)])
def test_a_listener_cannot_make_us_remember_without_end(types: tuple[str, ...]) -> None:
    with pytest.raises(TooMany):
        Interest().heed(Wish(True, types))
    with pytest.raises(TooMany):
        Interest().heed(Wish(False, types))
