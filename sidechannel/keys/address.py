"""Addresses: a public key in bech32m (BIP 350) under the prefix `trac`."""

from collections.abc import Iterable, Sequence

from sidechannel.errors import BadKey

PREFIX = "trac"

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
_BECH32M = 0x2BC830A3
_LENGTH = len(PREFIX) + 1 + 52 + 6


def address_of(public: bytes) -> str:
    """The address of 32 bytes of public key."""
    if len(public) != 32:
        raise BadKey("A public key has 32 bytes.")
    words = _regrouped(public, 8, 5)
    residue = _checksum([*_expanded(PREFIX), *words, *[0] * 6]) ^ _BECH32M
    tail = [residue >> 5 * (5 - position) & 31 for position in range(6)]
    return f"{PREFIX}1" + "".join(_ALPHABET[word] for word in (*words, *tail))


def public_of(address: str) -> bytes:
    """The public key an address stands for; raises BadKey where the checksum or the form is wrong."""
    text = address.strip()
    if text not in (text.lower(), text.upper()):
        raise BadKey("An address is in one case.")
    text = text.lower()
    head, _, tail = text.rpartition("1")
    if head != PREFIX or len(text) != _LENGTH or not set(tail) <= set(_ALPHABET):
        raise BadKey(f"An address begins with {PREFIX}1 and has {_LENGTH} characters.")
    words = [_ALPHABET.index(letter) for letter in tail]
    if _checksum([*_expanded(PREFIX), *words]) != _BECH32M:
        raise BadKey("The address is mistyped: its checksum does not fit.")
    groups = _regrouped(words[:-6], 5, 8)
    if groups[32:] != [0]:
        raise BadKey("The address is not of a public key.")
    return bytes(groups[:32])


def _expanded(prefix: str) -> list[int]:
    return [ord(letter) >> 5 for letter in prefix] + [0] + [ord(letter) & 31 for letter in prefix]


def _checksum(words: Iterable[int]) -> int:
    residue = 1
    for word in words:
        top = residue >> 25
        residue = (residue & 0x1FFFFFF) << 5 ^ word
        for bit, part in enumerate(_GENERATOR):
            residue ^= part if top >> bit & 1 else 0
    return residue


def _regrouped(words: Sequence[int], size: int, new_size: int) -> list[int]:
    """The same bits in groups of another size, zeros at the end."""
    bits = len(words) * size
    number = (
        int.from_bytes(bytes(words), "big")
        if size == 8
        else sum(word << bits - size * (place + 1) for place, word in enumerate(words))
    )
    groups = -(-bits // new_size)
    number <<= groups * new_size - bits
    return [number >> new_size * (groups - 1 - place) & 2**new_size - 1 for place in range(groups)]
