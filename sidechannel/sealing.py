"""End-to-end encryption between peers of ours: a message that only the keys it is addressed to can read.

The message is encrypted once under a fresh key (XChaCha20-Poly1305), and the key is sealed to each reader
(libsodium's sealed box, to the X25519 form of the reader's ed25519 key). Channel and author are bound to it
as associated data, so nobody can pass on under another name what they cannot read. To any other peer the
result is an ordinary message with an object in it.
"""

import base64
import binascii
import hashlib
from collections.abc import Collection, Mapping
from functools import lru_cache

from nacl import bindings
from nacl.exceptions import CryptoError

from sidechannel.errors import BadBlob, BadJson, BadKey
from sidechannel.keys.identity import Identity
from sidechannel.names import RandomBytes
from sidechannel.values.canonical import canonical_bytes, wire_bytes
from sidechannel.values.parsing import Json, parse

CONTROL = "sealed"
VERSION = 1
MAX_READERS = 64

_BLOCK = 64


def seal(
    message: Json, *, channel: str, author: str, readers: Collection[str], random: RandomBytes
) -> dict[str, Json]:
    """Encrypt message to the readers (public keys in hex)."""
    if not 0 < len(readers) <= MAX_READERS:
        raise BadBlob(f"A sealed message has from 1 to {MAX_READERS} readers.")
    key, nonce = random(32), random(24)
    box = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        _padded(wire_bytes(message)), _bound(channel, author), nonce, key
    )
    return {
        "control": CONTROL,
        "version": VERSION,
        "nonce": nonce.hex(),
        "box": base64.b64encode(box).decode(),
        "keys": {
            reader: base64.b64encode(_sealed(key, reader, random)).decode() for reader in sorted(readers)
        },
    }


def unseal(
    value: Mapping[str, Json], *, channel: str, author: str, identity: Identity, max_bytes: int
) -> Json:
    """Decrypt; raises BadKey where it is not addressed to identity, BadBlob where it is broken."""
    keys = value.get("keys")
    if value.get("version") != VERSION or not isinstance(keys, Mapping):
        raise BadBlob("The message is sealed in another way.")
    own = keys.get(identity.public_key)
    if own is None:
        raise BadKey("The message is sealed to others.")
    try:
        key = bindings.crypto_box_seal_open(
            _bytes(own), _curve_public(identity.public), _curve_secret(identity)
        )
        text = bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
            _bytes(value.get("box")), _bound(channel, author), bytes.fromhex(str(value.get("nonce"))), key
        )
        return parse(text, max_bytes=max_bytes)
    except (CryptoError, BadJson, binascii.Error, ValueError, TypeError) as error:
        raise BadBlob("The sealed message is broken.") from error


def _bound(channel: str, author: str) -> bytes:
    return canonical_bytes({"kind": "sidechannel_sealed_v1", "channel": channel, "from": author})


def _padded(text: bytes) -> bytes:
    """JSON may end in blanks: they hide the exact length."""
    return text + b" " * (-len(text) % _BLOCK)


def _sealed(key: bytes, reader: str, random: RandomBytes) -> bytes:
    """A sealed box, made from the randomness that was given instead of libsodium's own."""
    public = _curve_public(bytes.fromhex(reader))
    once_public, once_secret = bindings.crypto_box_seed_keypair(random(32))
    nonce = hashlib.blake2b(once_public + public, digest_size=24).digest()
    box: bytes = bindings.crypto_box(key, nonce, public, once_secret)
    return bytes(once_public) + box


def _bytes(value: Json) -> bytes:
    return base64.b64decode(value if isinstance(value, str) else "", validate=True)


@lru_cache(maxsize=1024)
def _curve_public(public: bytes) -> bytes:
    try:
        curve: bytes = bindings.crypto_sign_ed25519_pk_to_curve25519(public)
    except (CryptoError, RuntimeError) as error:
        raise BadKey("The key is no point of the curve.") from error
    return curve


def _curve_secret(identity: Identity) -> bytes:
    curve: bytes = bindings.crypto_sign_ed25519_sk_to_curve25519(identity.secret)
    return curve
