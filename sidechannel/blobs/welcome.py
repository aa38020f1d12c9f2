"""Welcomes: the owner's signed greeting, which opens a channel for those who demand one."""

from dataclasses import dataclass
from typing import Self

from sidechannel.blobs.signed import Signed, sign, signed
from sidechannel.errors import BadBlob
from sidechannel.keys.identity import Identity
from sidechannel.names import trimmed
from sidechannel.values.parsing import Json

VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """A greeting; `check` says whether it holds for a channel."""

    channel: str
    owner: str
    text: str
    issued_at: float
    blob: Signed

    @classmethod
    def create(cls, identity: Identity, channel: str, text: str, *, now: int) -> Self:
        """Sign a welcome as the channel's owner."""
        payload: dict[str, Json] = {
            "channel": channel,
            "ownerPubKey": identity.public_key,
            "text": text,
            "issuedAt": now,
            "version": VERSION,
        }
        return cls.read(sign(payload, identity).as_json())

    @classmethod
    def read(cls, value: Json) -> Self:
        """Read the members; raises BadBlob where it is no welcome. It may still not hold."""
        blob = signed(value)
        return cls(
            channel=trimmed(blob.text("channel")),
            owner=blob.key("ownerPubKey"),
            text=blob.text("text"),
            issued_at=blob.time("issuedAt"),
            blob=blob,
        )

    def check(self, channel: str, owner: str | None) -> None:
        """Raise BadBlob unless the owner signed this for the channel."""
        if self.channel != channel:
            raise BadBlob("The welcome is for another channel.")
        if owner is None or self.owner != owner:
            raise BadBlob("The welcome is not of the channel's owner.")
        if not self.blob.holds(owner):
            raise BadBlob("The welcome's signature does not hold.")

    def as_json(self) -> dict[str, Json]:
        return self.blob.as_json()
