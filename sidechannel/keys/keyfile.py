"""The original's `keypair.json`: a secretbox under a key stretched from a password (empty by default).

Opening one takes about a second and 256 MiB (argon2i): call it in a thread. Reading and writing the file
itself is the caller's.
"""

import json
from dataclasses import dataclass, field

from nacl import bindings
from nacl.exceptions import CryptoError

from sidechannel.errors import BadJson, BadKey
from sidechannel.keys.identity import Identity
from sidechannel.names import RandomBytes
from sidechannel.values.parsing import Json, parse

OPSLIMIT = 3
MEMLIMIT = 268_435_456
PATH = "m/918'/0'/0'/0'"
MAX_BYTES = 64_000


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredKey:
    """What a key file holds. Words and path are kept for the original, which can restore a key from them."""

    identity: Identity
    mnemonic: str | None = field(default=None, repr=False)
    derivation_path: str | None = PATH


def open_keyfile(data: bytes, password: bytes = b"") -> StoredKey:
    """Read a key file; raises BadKey where it is not one or the password is another."""
    box = _members(data)
    nonce, salt, ciphertext = (_unhexed(box, name) for name in ("nonce", "salt", "ciphertext"))
    if len(nonce) != 24 or len(salt) != 16:
        raise BadKey("The key file's nonce or salt has another length.")
    try:
        held = _members(bindings.crypto_secretbox_open(ciphertext, nonce, _stretched(password, salt)))
    except CryptoError as error:
        raise BadKey("The key file does not open: another password, or damaged.") from error
    identity = Identity.from_secret(_unhexed(held, "secretKey"))
    if _unhexed(held, "publicKey") != identity.public:
        raise BadKey("The key file's public key belongs to another secret key.")
    mnemonic, path = held.get("mnemonic"), held.get("derivationPath")
    return StoredKey(
        identity=identity,
        mnemonic=mnemonic if isinstance(mnemonic, str) else None,
        derivation_path=path if isinstance(path, str) else None,
    )


def seal_keyfile(key: StoredKey, random: RandomBytes, password: bytes = b"") -> bytes:
    """Write a key file that the original opens."""
    held = {
        "publicKey": key.identity.public_key,
        "secretKey": key.identity.secret.hex(),
        "mnemonic": key.mnemonic,
        "derivationPath": key.derivation_path,
    }
    nonce, salt = random(24), random(16)
    text = json.dumps(held, indent=2, ensure_ascii=False).encode()
    ciphertext = bindings.crypto_secretbox(text, nonce, _stretched(password, salt))
    box = {"nonce": nonce.hex(), "salt": salt.hex(), "ciphertext": ciphertext.hex()}
    return json.dumps(box, indent=2).encode()


def _stretched(password: bytes, salt: bytes) -> bytes:
    key: bytes = bindings.crypto_pwhash_alg(
        32, password, salt, OPSLIMIT, MEMLIMIT, bindings.crypto_pwhash_ALG_ARGON2I13
    )
    return key


def _members(data: bytes) -> dict[str, Json]:
    try:
        value = parse(data, max_bytes=MAX_BYTES)
    except BadJson as error:
        raise BadKey("The key file is not JSON.") from error
    if not isinstance(value, dict):
        raise BadKey("The key file is not a JSON object.")
    return value


def _unhexed(members: dict[str, Json], name: str) -> bytes:
    text = members.get(name)
    try:
        return bytes.fromhex(text if isinstance(text, str) else "-")
    except ValueError as error:
        raise BadKey(f"The key file's {name} is not hex.") from error
