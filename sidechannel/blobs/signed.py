"""What signed blobs share: a payload, a signature over its canonical text, the forms they travel in."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass

from sidechannel.errors import BadBlob, BadJson, BadKey
from sidechannel.keys.identity import Identity, public_key, verified
from sidechannel.values.canonical import canonical_bytes, wire_bytes
from sidechannel.values.parsing import Json, parse

MAX_BLOB = 64_000

_AROUND_PAYLOAD = ("sig", "signature", "welcome")
_URL_SAFE = str.maketrans("-_", "+/")


@dataclass(frozen=True, slots=True)
class Signed:
    """A payload and the signature that came with it; nobody checked it yet."""

    payload: Mapping[str, Json]
    signature: str

    def holds(self, key: str) -> bool:
        """Whether key signed the payload."""
        return verified(key, canonical_bytes(self.payload), self.signature)

    def as_json(self) -> dict[str, Json]:
        return {"payload": self.payload, "sig": self.signature}

    def text(self, name: str) -> str:
        """A member that must be a string."""
        value = self.payload.get(name)
        if not isinstance(value, str):
            raise BadBlob(f"The blob has no {name}.")
        return value

    def key(self, name: str) -> str:
        """A member that must be a public key."""
        try:
            return public_key(self.payload.get(name))
        except BadKey as error:
            raise BadBlob(f"The blob's {name} is no public key.") from error

    def time(self, name: str) -> float:
        """A member that must be a time in milliseconds."""
        value = self.payload.get(name)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise BadBlob(f"The blob's {name} is no time.")
        return value


def sign(payload: Mapping[str, Json], identity: Identity) -> Signed:
    """Sign a payload."""
    return Signed(payload, identity.sign(canonical_bytes(payload)))


def signed(value: Json) -> Signed:
    """Take a blob apart: `{payload, sig}` (or `signature`), or the payload's members beside it."""
    if not isinstance(value, Mapping):
        raise BadBlob("The blob is not an object.")
    signature = value.get("sig") or value.get("signature")
    if not isinstance(signature, str):
        raise BadBlob("The blob is not signed.")
    payload = value.get("payload")
    if not isinstance(payload, Mapping):
        payload = {name: member for name, member in value.items() if name not in _AROUND_PAYLOAD}
    return Signed(payload, signature)


def read_blob(text: str) -> Json:
    """Read JSON, base64 of JSON, or `b64:` and base64. `@file` is the caller's to open."""
    text = text.strip()
    if len(text) > 2 * MAX_BLOB:
        raise BadBlob("The blob is too long.")
    if text.startswith("@"):
        raise BadBlob("The blob names a file; give what it holds.")
    data = text.encode("utf-8", "replace") if text.startswith("{") else _decoded(text.removeprefix("b64:"))
    try:
        value = parse(data, max_bytes=MAX_BLOB)
    except BadJson as error:
        raise BadBlob("The blob is neither JSON nor base64 of JSON.") from error
    if not isinstance(value, Mapping):
        raise BadBlob("The blob is not an object.")
    return value


def file_named(text: str) -> str | None:
    """The path in an `@file` form, None for the other forms."""
    return text.strip()[1:].strip() if text.strip().startswith("@") else None


def blob_text(value: Mapping[str, Json]) -> str:
    """The base64 form of a blob."""
    return base64.b64encode(wire_bytes(value)).decode()


def _decoded(text: str) -> bytes:
    """Base64 as people paste it: line breaks, either alphabet, with or without padding."""
    bare = re.sub(r"\s", "", text).translate(_URL_SAFE).rstrip("=")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadBlob("The blob is neither JSON nor base64 of JSON.") from error
