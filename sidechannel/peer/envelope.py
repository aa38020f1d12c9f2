"""The payload of a sidechannel: read from strangers' bytes, or written and signed by us."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from json.encoder import encode_basestring as quoted
from typing import Self

from sidechannel.errors import BadJson
from sidechannel.hashcash import Puzzle
from sidechannel.keys.identity import verified
from sidechannel.values.canonical import canonical, to_bytes
from sidechannel.values.numbers import js_number
from sidechannel.values.parsing import Json, parse

TYPE = "sidechannel"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A payload whose shape was checked. `body` is the canonical text of the message."""

    raw: Mapping[str, Json]
    id: str | None
    channel: str
    sender: str
    origin: str
    message: Json
    body: str
    ts: int | float
    ttl: int
    sig: str | None
    relayed_by: str | None

    @property
    def control(self) -> str | None:
        """The control word of a message that carries one."""
        word = self.message.get("control") if isinstance(self.message, Mapping) else None
        return word if isinstance(word, str) else None

    def inside(self, name: str) -> Json:
        """A member of the message, where it is an object."""
        return self.message.get(name) if isinstance(self.message, Mapping) else None

    @property
    def verified(self) -> bool:
        """Whether the one it says it is from signed it; costs a verification."""
        return verified(self.sender, self.signed_bytes(), self.sig)

    def with_signature(self, sig: str) -> Self:
        return replace(self, sig=sig)

    def signed_bytes(self) -> bytes:
        """What the signature covers."""
        return to_bytes(
            f'{{"channel":{quoted(self.channel)},"from":{quoted(self.sender)},"id":{_text(self.id)},'
            f'"kind":"sidechannel_message_v1","message":{self.body},"origin":{quoted(self.origin)},'
            f'"ts":{js_number(self.ts)}}}'
        )

    def puzzle(self, bits: int) -> Puzzle:
        """What the proof of work covers."""
        before = (
            f'{{"channel":{quoted(self.channel)},"from":{quoted(self.sender)},"id":{_text(self.id)},'
            f'"message":{self.body},"nonce":'
        )
        after = f',"origin":{quoted(self.origin)},"ts":{js_number(self.ts)}}}'
        return Puzzle(before=to_bytes(before), after=to_bytes(after), bits=bits)

    @property
    def work(self) -> Json:
        """The nonce that came with it."""
        work = self.raw.get("pow")
        return work.get("nonce") if isinstance(work, Mapping) else None


def read_envelope(data: bytes, channel: str, *, max_bytes: int) -> Envelope:
    """Read a payload that came on a channel; raises BadJson where it is none, or of another channel."""
    raw = parse(data, max_bytes=max_bytes)
    if not isinstance(raw, Mapping) or raw.get("type") != TYPE or raw.get("channel") != channel:
        raise BadJson("Not a payload of this channel.")
    sender, origin, ts = raw.get("from"), raw.get("origin"), raw.get("ts")
    identifier, ttl, sig, relayed_by = (raw.get(name) for name in ("id", "ttl", "sig", "relayedBy"))
    if not isinstance(sender, str) or not isinstance(origin, str) or not _is_number(ts):
        raise BadJson("A payload says who it is from, and when.")
    if identifier is not None and not isinstance(identifier, str):
        raise BadJson("An id is text.")
    message = raw.get("message")
    return Envelope(
        raw=raw,
        id=identifier,
        channel=channel,
        sender=sender,
        origin=origin,
        message=message,
        body=canonical(message),
        ts=ts if isinstance(ts, int | float) else 0,
        ttl=ttl if isinstance(ttl, int) and not isinstance(ttl, bool) else 0,
        sig=sig if isinstance(sig, str) else None,
        relayed_by=relayed_by if isinstance(relayed_by, str) else None,
    )


def carried_welcomes(envelope: Envelope) -> Iterator[Json]:
    """Where a payload may carry a welcome, in the order they are looked at."""
    found = (
        envelope.inside("welcome"),
        envelope.raw.get("welcome"),
        _of_invite(envelope.raw.get("invite")),
        _of_invite(envelope.inside("invite")),
    )
    return (blob for blob in found if blob is not None)


def _of_invite(invite: Json) -> Json:
    return invite.get("welcome") if isinstance(invite, Mapping) else None


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(identifier: str | None) -> str:
    return "null" if identifier is None else quoted(identifier)
