"""Addresses are bech32m."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidechannel.errors import BadKey
from sidechannel.keys.address import address_of, public_of
from tests.sidechannel.captured import SECRET, VECTORS

ADDRESS = VECTORS["keypair"]["address"]


def test_the_captured_address_is_of_the_captured_key() -> None:
    assert address_of(SECRET[32:]) == ADDRESS
    assert public_of(ADDRESS) == SECRET[32:]
    assert public_of(f" {ADDRESS.upper()} ") == SECRET[32:]


@given(st.binary(min_size=32, max_size=32))
def test_an_address_leads_back_to_its_key(public: bytes) -> None:
    assert public_of(address_of(public)) == public


@given(st.integers(5, len(ADDRESS) - 1), st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l"))
def test_one_wrong_letter_is_found(place: int, letter: str) -> None:
    typed = ADDRESS[:place] + letter + ADDRESS[place + 1 :]
    if typed == ADDRESS:
        return
    with pytest.raises(BadKey, match="mistyped"):
        public_of(typed)


@pytest.mark.parametrize(
    "text", ["", "trac1", ADDRESS[:-1], ADDRESS + "q", "bc" + ADDRESS[4:], "T" + ADDRESS[1:], "é"]
)
def test_another_form_is_refused(text: str) -> None:
    with pytest.raises(BadKey):
        public_of(text)
