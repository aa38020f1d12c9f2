"""Proof of work: a nonce that gives the hash of a message enough leading zero bits.

Checking is one hash. Mining is a plain function over a range of nonces, so that it can run in another
process: hashing small inputs holds the interpreter's lock.
"""

import hashlib
from dataclasses import dataclass

MAX_NONCE = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Puzzle:
    """The canonical text around the nonce, and how many zero bits its hash must begin with."""

    before: bytes
    after: bytes
    bits: int


def zero_bits(puzzle: Puzzle, nonce: int) -> int:
    """How many zero bits the hash for this nonce begins with."""
    digest = hashlib.sha256(puzzle.before + str(nonce).encode() + puzzle.after).digest()
    return 256 - int.from_bytes(digest, "big").bit_length()


def solved(puzzle: Puzzle, nonce: object) -> bool:
    """Whether nonce is a whole number that solves the puzzle."""
    if not isinstance(nonce, int) or isinstance(nonce, bool) or not 0 <= nonce <= MAX_NONCE:
        return False
    return zero_bits(puzzle, nonce) >= puzzle.bits


def mine(puzzle: Puzzle, start: int, stop: int) -> int | None:
    """The first nonce of the range that solves the puzzle, or None."""
    base = hashlib.sha256(puzzle.before)
    limit = 1 << 256 - puzzle.bits
    for nonce in range(start, stop):
        attempt = base.copy()
        attempt.update(b"%d%b" % (nonce, puzzle.after))
        if int.from_bytes(attempt.digest(), "big") < limit:
            return nonce
    return None
