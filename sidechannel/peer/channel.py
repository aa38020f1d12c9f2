"""A joined channel: its welcome, our invite, who else is known to be invited, what was revoked."""

from collections import OrderedDict
from dataclasses import dataclass, field

from sidechannel.blobs.invite import Invite
from sidechannel.blobs.revocation import Revocation
from sidechannel.blobs.welcome import Welcome
from sidechannel.names import topic_of


@dataclass(slots=True, kw_only=True)
class Channel:
    """The pinned keys come from blobs that our operator handed in, where none was configured."""

    name: str
    opened_remotely: bool = False
    welcome: Welcome | None = None
    invite: Invite | None = None
    pinned_owner: str | None = None
    pinned_inviter: str | None = None
    members: OrderedDict[str, Invite] = field(default_factory=OrderedDict)
    revocations: OrderedDict[tuple[str, str, str | None], Revocation] = field(default_factory=OrderedDict)

    @property
    def topic(self) -> bytes:
        return topic_of(self.name)

    def remember(self, invite: Invite, limit: int) -> None:
        """Keep the invite of a member, the newest of each; the oldest go when there are too many."""
        self.members[invite.invitee] = invite
        self.members.move_to_end(invite.invitee)
        while len(self.members) > limit:
            self.members.popitem(last=False)

    def revoke(self, revocation: Revocation, limit: int) -> bool:
        """Keep a revocation; False where one that says as much is kept already."""
        known = self.revocations.get(revocation.subject)
        if known is not None and known.issued_at >= revocation.issued_at:
            return False
        self.revocations[revocation.subject] = revocation
        self.revocations.move_to_end(revocation.subject)
        while len(self.revocations) > limit:
            self.revocations.popitem(last=False)
        member = self.members.get(revocation.invitee)
        if member is not None and revocation.ends(member):
            del self.members[revocation.invitee]
        return True

    def revoked(self, invite: Invite) -> bool:
        """Whether one of the kept revocations ends the invite."""
        if not self.revocations:
            return False
        found = (
            self.revocations.get((invite.inviter, invite.invitee, nonce)) for nonce in (None, invite.nonce)
        )
        return any(revocation is not None and revocation.ends(invite) for revocation in found)
