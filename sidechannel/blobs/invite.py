"""Invites: an inviter's signed leave for one key to take part in a channel, for a time."""

from collections.abc import Set
from dataclasses import dataclass
from typing import Self

from sidechannel.blobs.signed import Signed, sign, signed
from sidechannel.blobs.welcome import Welcome
from sidechannel.errors import BadBlob
from sidechannel.keys.address import address_of
from sidechannel.keys.identity import Identity
from sidechannel.names import trimmed
from sidechannel.values.parsing import Json

VERSION = 1
DEFAULT_TTL = 604_800


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite:
    """Leave to take part; `check` says whether it holds here and now."""

    channel: str
    invitee: str
    inviter: str
    issued_at: float
    expires_at: float
    nonce: str
    blob: Signed
    welcome: Json = None

    @classmethod
    def create(
        cls,
        identity: Identity,
        channel: str,
        invitee: str,
        *,
        now: int,
        nonce: str,
        ttl: int = DEFAULT_TTL,
        welcome: Welcome | None = None,
    ) -> Self:
        """Sign an invite that holds for ttl seconds, with the channel's welcome beside it if there is one."""
        payload: dict[str, Json] = {
            "channel": channel,
            "inviteePubKey": invitee,
            "inviterPubKey": identity.public_key,
            "inviterAddress": address_of(identity.public),
            "issuedAt": now,
            "expiresAt": now + ttl * 1000,
            "nonce": nonce,
            "version": VERSION,
        }
        value = sign(payload, identity).as_json()
        return cls.read(value if welcome is None else {**value, "welcome": welcome.as_json()})

    @classmethod
    def read(cls, value: Json) -> Self:
        """Read the members; raises BadBlob where it is no invite. It may still not hold."""
        blob = signed(value)
        nonce = blob.payload.get("nonce")
        return cls(
            channel=trimmed(blob.text("channel")),
            invitee=blob.key("inviteePubKey"),
            inviter=blob.key("inviterPubKey"),
            issued_at=blob.time("issuedAt"),
            expires_at=blob.time("expiresAt"),
            nonce=nonce if isinstance(nonce, str) else "",
            blob=blob,
            welcome=value.get("welcome") if isinstance(value, dict) else None,
        )

    def check(self, channel: str, invitee: str, inviters: Set[str], *, now: int) -> None:
        """Raise BadBlob unless an inviter gave this to the invitee for the channel, and it holds now."""
        if self.channel != channel:
            raise BadBlob("The invite is for another channel.")
        if self.invitee != invitee:
            raise BadBlob("The invite is for somebody else.")
        if self.inviter not in inviters:
            raise BadBlob("The invite is of somebody who may not invite here.")
        if self.expires_at <= now:
            raise BadBlob("The invite has expired.")
        if not self.blob.holds(self.inviter):
            raise BadBlob("The invite's signature does not hold.")

    def as_json(self, *, with_welcome: bool = True) -> dict[str, Json]:
        value = self.blob.as_json()
        return {**value, "welcome": self.welcome} if with_welcome and self.welcome is not None else value
