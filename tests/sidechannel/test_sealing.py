"""Sealed messages are read by whom they are addressed to, as what they are, and by nobody else."""

import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sidechannel.errors import BadBlob, BadKey
from sidechannel.keys.identity import Identity
from sidechannel.sealing import MAX_READERS, seal, unseal
from sidechannel.values.parsing import Json, normalised

ANN, BOB, EVE = (Identity.from_seed(bytes([number]) * 32) for number in range(1, 4))


def sealed(message: Json) -> dict[str, Any]:
    value: dict[str, Any] = seal(
        message,
        channel="room",
        author=ANN.public_key,
        readers={BOB.public_key, ANN.public_key},
        random=os.urandom,
    )
    return value


def opened(
    value: dict[str, Any], reader: Identity = BOB, channel: str = "room", author: Identity = ANN
) -> Json:
    return unseal(value, channel=channel, author=author.public_key, identity=reader, max_bytes=10_000)


@settings(max_examples=30)
@given(
    st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_readers_read_what_was_sealed(message: object) -> None:
    value = normalised(message)

    assert opened(sealed(value)) == opened(sealed(value), ANN) == value


def test_others_do_not_read_it() -> None:
    with pytest.raises(BadKey):
        opened(sealed("secret"), EVE)
    assert "secret" not in str(sealed("secret"))


def test_lengths_are_told_in_steps_only() -> None:
    assert len(sealed("a")["box"]) == len(sealed("a" * 60)["box"]) < len(sealed("a" * 63)["box"])


def test_it_cannot_be_passed_on_under_another_name_or_channel() -> None:
    value = sealed("secret")

    for change in ({"author": EVE}, {"channel": "other"}):
        with pytest.raises(BadBlob):
            opened(value, **change)


@pytest.mark.parametrize(
    "change",
    [
        {"box": ""},
        {"box": "%%"},
        {"box": None},
        {"nonce": "00"},
        {"nonce": None},
        {"nonce": "zz"},
        {"version": 2},
        {"keys": []},
        {"keys": {BOB.public_key: "AAAA"}},
        {"keys": {BOB.public_key: 5}},
        {"keys": {BOB.public_key: "A" * 108}},
    ],
)
def test_what_is_broken_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(BadBlob):
        opened({**sealed("secret"), **change})


def test_a_message_has_a_few_readers_who_are_real_keys() -> None:
    for readers in ([], [f"{number:064x}" for number in range(MAX_READERS + 1)]):
        with pytest.raises(BadBlob):
            seal(1, channel="room", author=ANN.public_key, readers=readers, random=os.urandom)
    with pytest.raises(BadKey):
        seal(1, channel="room", author=ANN.public_key, readers=["00" * 32], random=os.urandom)
