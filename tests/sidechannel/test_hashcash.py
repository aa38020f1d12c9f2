"""The proof of work is the original's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidechannel.hashcash import Puzzle, mine, solved, zero_bits
from sidechannel.peer.envelope import read_envelope
from sidechannel.values.canonical import wire_bytes
from tests.sidechannel.captured import VECTORS

RAW = VECTORS["messages"][1]
CAPTURED = read_envelope(wire_bytes(RAW), RAW["channel"], max_bytes=10_000)


@pytest.mark.parametrize("vector", VECTORS["pow"])
def test_a_captured_nonce_has_as_many_bits(vector: dict[str, int]) -> None:
    raw = VECTORS["messages"][vector["message"]]
    envelope = read_envelope(wire_bytes(raw), raw["channel"], max_bytes=10_000)

    assert zero_bits(envelope.puzzle(12), vector["nonce"]) == vector["zero_bits"]


def test_we_mine_the_nonce_that_the_original_mined() -> None:
    assert mine(CAPTURED.puzzle(12), 0, 10_000) == RAW["pow"]["nonce"]
    assert mine(CAPTURED.puzzle(12), 0, 1591) is None
    assert mine(CAPTURED.puzzle(12), 1591, 1592) == 1591


@given(st.binary(max_size=100), st.binary(max_size=100), st.integers(0, 6))
def test_what_is_mined_solves_the_puzzle_and_nothing_before_it(
    before: bytes, after: bytes, bits: int
) -> None:
    puzzle = Puzzle(before=before, after=after, bits=bits)

    nonce = mine(puzzle, 0, 5000)

    assert nonce is not None
    assert solved(puzzle, nonce)
    assert not any(solved(puzzle, earlier) for earlier in range(nonce))


@pytest.mark.parametrize("nonce", [None, True, "1591", 1591.0, -1, 2**53 + 1, [1591], 10**40])
def test_what_is_no_nonce_solves_nothing(nonce: object) -> None:
    assert not solved(Puzzle(before=b"", after=b"", bits=0), nonce)


def test_256_bits_are_never_found() -> None:
    assert mine(Puzzle(before=b"a", after=b"b", bits=256), 0, 100) is None
