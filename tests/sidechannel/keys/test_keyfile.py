"""Key files of the original are read, and ours are files of the original. Each opening costs a second."""

import json
import os

import pytest

from sidechannel.errors import BadKey
from sidechannel.keys.identity import Identity
from sidechannel.keys.keyfile import StoredKey, open_keyfile, seal_keyfile
from tests.sidechannel.captured import SECRET, VECTORS


def test_a_key_file_of_the_original_opens() -> None:
    key = open_keyfile(json.dumps(VECTORS["keypair"]["file"]).encode())

    assert key.identity.secret == SECRET
    assert key.derivation_path == VECTORS["keypair"]["derivationPath"]
    assert key.mnemonic is not None
    assert len(key.mnemonic.split()) == 24
    assert key.mnemonic not in repr(key)


def test_a_key_file_of_ours_opens_with_its_password_only() -> None:
    key = StoredKey(identity=Identity.from_seed(bytes(32)), mnemonic="a word", derivation_path="m/1'")
    data = seal_keyfile(key, os.urandom, b"secret")

    assert set(json.loads(data)) == {"nonce", "salt", "ciphertext"}
    assert open_keyfile(data, b"secret") == key
    with pytest.raises(BadKey, match="password"):
        open_keyfile(data)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"nonce":"00","salt":"00","ciphertext":"00"}',
        b'{"nonce":1,"salt":"00","ciphertext":"00"}',
        b"[" * 5000,
        b" " * 100_000,
    ],
)
def test_what_is_no_key_file_is_refused(data: bytes) -> None:
    with pytest.raises(BadKey):
        open_keyfile(data)
