"""Payloads as strangers write them: well made, wrongly signed, with anything changed."""

from collections.abc import Mapping
from typing import Any, cast

from sidechannel.keys.identity import Identity
from sidechannel.peer.envelope import read_envelope
from sidechannel.values.canonical import wire_bytes
from tests.sidechannel.network import ENTRY, START


def forged(
    author: Identity,
    message: object,
    number: int = 1,
    *,
    channel: str = ENTRY,
    changed: Mapping[str, object] | None = None,
) -> bytes:
    """A payload signed by author, then changed."""
    me = author.public_key
    raw: dict[str, Any] = {
        "type": "sidechannel",
        "id": f"{me}:{START.wall}:{number}",
        "channel": channel,
        "from": me,
        "origin": me,
        "message": message,
        "ts": START.wall,
        "ttl": 3,
    }
    envelope = read_envelope(wire_bytes(raw), channel, max_bytes=10**7)
    return wire_bytes(
        {**raw, "sig": author.sign(envelope.signed_bytes()), **cast(dict[str, Any], changed or {})}
    )
