"""Keys sign what a peer of the original verifies, and the other way round."""

import pytest

from sidechannel.errors import BadKey
from sidechannel.keys.identity import Identity, public_key, verified
from sidechannel.peer.envelope import read_envelope
from sidechannel.values.canonical import wire_bytes
from tests.sidechannel.captured import SECRET, VECTORS


@pytest.mark.parametrize("number", [0, 1])
def test_a_captured_message_verifies_and_is_signed_the_same_by_us(number: int) -> None:
    raw = VECTORS["messages"][number]
    envelope = read_envelope(wire_bytes(raw), raw["channel"], max_bytes=10_000)

    assert envelope.verified
    assert Identity.from_secret(SECRET).sign(envelope.signed_bytes()) == raw["sig"]


@pytest.mark.parametrize(
    "change",
    [
        {"message": "other"},
        {"ts": 1},
        {"id": "x"},
        {"id": None},
        {"origin": "me"},
        {"sig": "00" * 64},
        {"sig": 7},
    ],
)
def test_a_changed_message_does_not_verify(change: dict[str, object]) -> None:
    raw = {**VECTORS["messages"][0], **change}

    assert not read_envelope(wire_bytes(raw), raw["channel"], max_bytes=10_000).verified


def test_what_is_not_signed_may_change() -> None:
    raw = {**VECTORS["messages"][0], "ttl": 1, "relayedBy": "somebody", "pow": {"nonce": 3}}

    assert read_envelope(wire_bytes(raw), raw["channel"], max_bytes=10_000).verified


def test_a_secret_key_whose_halves_do_not_fit_is_refused() -> None:
    with pytest.raises(BadKey):
        Identity.from_secret(SECRET[:32] + bytes(32))
    with pytest.raises(BadKey):
        Identity.from_secret(SECRET[:32])


@pytest.mark.parametrize("key", [None, 5, "", "ab", "g" * 64, "0" * 63 + " ", "00 " * 32, "0" * 64])
def test_what_is_no_key_verifies_nothing(key: object) -> None:
    assert not verified(key, b"data", "00" * 64)


def test_the_secret_is_not_printed() -> None:
    assert SECRET.hex()[:16] not in repr(Identity.from_secret(SECRET))
    assert repr(SECRET) not in repr(Identity.from_secret(SECRET))


def test_keys_are_compared_in_lowercase() -> None:
    assert public_key(" " + "AB" * 32 + "\n") == "ab" * 32
    with pytest.raises(BadKey):
        public_key("ab")
