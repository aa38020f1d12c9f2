"""Revocations (peers of ours only): an inviter takes back what it gave to a key, by a blob it signed."""

from dataclasses import dataclass
from typing import Self

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.signed import Signed, sign, signed
from sidechannel.errors import BadBlob
from sidechannel.keys.identity import Identity
from sidechannel.names import trimmed
from sidechannel.values.parsing import Json

KIND = "sidechannel_revocation_v1"
VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """Ends the invites that `inviter` gave `invitee` until `issued_at`; with a nonce, the one that has it."""

    channel: str
    invitee: str
    inviter: str
    nonce: str | None
    issued_at: float
    blob: Signed

    @classmethod
    def create(
        cls, identity: Identity, channel: str, invitee: str, *, now: int, nonce: str | None = None
    ) -> Self:
        """Sign a revocation as the inviter."""
        payload: dict[str, Json] = {
            "kind": KIND,
            "channel": channel,
            "inviteePubKey": invitee,
            "inviterPubKey": identity.public_key,
            "nonce": nonce,
            "issuedAt": now,
            "version": VERSION,
        }
        return cls.read(sign(payload, identity).as_json())

    @classmethod
    def read(cls, value: Json) -> Self:
        """Read the members; raises BadBlob where it is no revocation. It may still not hold."""
        blob = signed(value)
        if blob.payload.get("kind") != KIND:
            raise BadBlob("The blob is no revocation.")
        return cls(
            channel=trimmed(blob.text("channel")),
            invitee=blob.key("inviteePubKey"),
            inviter=blob.key("inviterPubKey"),
            nonce=None if blob.payload.get("nonce") is None else blob.text("nonce"),
            issued_at=blob.time("issuedAt"),
            blob=blob,
        )

    def check(self, channel: str) -> None:
        """Raise BadBlob unless the inviter it names signed this for the channel."""
        if self.channel != channel:
            raise BadBlob("The revocation is for another channel.")
        if not self.blob.holds(self.inviter):
            raise BadBlob("The revocation's signature does not hold.")

    @property
    def subject(self) -> tuple[str, str, str | None]:
        """What two revocations share that say the same."""
        return (self.inviter, self.invitee, self.nonce)

    def ends(self, invite: Invite) -> bool:
        """Whether the invite is taken back by this."""
        if (self.inviter, self.invitee) != (invite.inviter, invite.invitee):
            return False
        return invite.issued_at <= self.issued_at if self.nonce is None else invite.nonce == self.nonce

    def as_json(self) -> dict[str, Json]:
        return self.blob.as_json()
