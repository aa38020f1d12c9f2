"""A peer's ed25519 key: it signs messages and blobs, and is the key of its connections too."""

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

from nacl import bindings
from nacl.exceptions import CryptoError

from sidechannel.errors import BadKey

_PUBLIC = re.compile(r"[0-9a-fA-F]{64}")
_SIGNATURE = re.compile(r"[0-9a-fA-F]{128}")


@dataclass(frozen=True, slots=True)
class Identity:
    """A key pair; `secret` is libsodium's 64 bytes, the seed followed by the public key."""

    secret: bytes = field(repr=False)

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        if len(seed) != 32:
            raise BadKey("A seed has 32 bytes.")
        return cls(bindings.crypto_sign_seed_keypair(seed)[1])

    @classmethod
    def from_secret(cls, secret: bytes) -> Self:
        """Take libsodium's secret key; its two halves must belong together."""
        if len(secret) != 64 or bindings.crypto_sign_seed_keypair(secret[:32])[1] != secret:
            raise BadKey("The secret key is not an ed25519 key.")
        return cls(secret)

    @property
    def public(self) -> bytes:
        return self.secret[32:]

    @property
    def public_key(self) -> str:
        """The public key as it stands in messages: 64 lowercase hex digits."""
        return self.secret[32:].hex()

    def sign(self, data: bytes) -> str:
        """A detached signature in hex."""
        return bindings.crypto_sign(data, self.secret)[:64].hex()


def public_key(text: object) -> str:
    """A public key in hex, lowercase; raises BadKey for anything else."""
    if not isinstance(text, str) or not _PUBLIC.fullmatch(text.strip()):
        raise BadKey("A public key has 64 hex digits.")
    return text.strip().lower()


def verified(key: object, data: bytes, signature: object) -> bool:
    """Whether signature is the key's over data; False for anything that is no key or no signature."""
    if not isinstance(key, str) or not isinstance(signature, str):
        return False
    if not _SIGNATURE.fullmatch(signature):
        return False
    public = _raw(key)
    if public is None:
        return False
    try:
        bindings.crypto_sign_open(bytes.fromhex(signature) + data, public)
    except (CryptoError, ValueError):
        return False
    return True


@lru_cache(maxsize=1024)
def _raw(key: str) -> bytes | None:
    return bytes.fromhex(key) if _PUBLIC.fullmatch(key) else None
