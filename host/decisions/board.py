"""The cards of an approval in its chats: put up, kept at what is true, and the quiet replies to them."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import tzinfo
from uuid import UUID

from bridges.messages import Content
from host.decisions.approvals import Approval
from host.decisions.cards import View, card
from host.outgoing.outbox import Outbox, PostKind
from host.people.registry import Registry, Role
from storage.clock import Clock
from storage.database import Connection

DECIDERS = (Role.OWNER, Role.APPROVER)


def _untitled(_project: str) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Board:
    """Every method with a connection belongs to the caller's transaction; call `wake` after its commit."""

    outbox: Outbox
    registry: Registry
    clock: Clock
    zone: tzinfo  #: of those who read
    title: Callable[[str], str] = _untitled  #: of a project, where there are several

    def view(self, approval: Approval) -> View:
        group = self.registry.group(approval.folder)
        deciders = self.registry.people_with(approval.folder, *DECIDERS)
        return View(
            group=(group.title or group.folder) if group else approval.folder,
            deciders=tuple(name for _, name in deciders),
            now=self.clock.now(),
            zone=self.zone,
            project=self.title(approval.project),
        )

    async def put(
        self,
        conn: Connection,
        approval: Approval,
        address: str,
        picture: bytes | None = None,
        *,
        silent: bool = False,
    ) -> UUID:
        """One more card of the approval: a message of its own, on which taps count."""
        content = replace(card(approval, self.view(approval)), picture=picture, silent=silent)
        return await self.outbox.put(
            conn,
            address=address,
            kind=PostKind.DECISION,
            content=content,
            folder=approval.folder,
            approval=approval.id,
        )

    async def refresh(self, conn: Connection, approval: Approval) -> set[str]:
        """Make all its cards show how it stands now; the addresses to wake."""
        shown = card(approval, self.view(approval))
        addresses = set()
        for post in await self.outbox.of_approval(conn, approval.id):
            if post.kind is PostKind.DECISION:
                await self.outbox.revise(conn, post.id, replace(shown, picture=post.content.picture))
                addresses.add(post.address)
        return addresses

    async def reply(self, conn: Connection, approval: Approval, text: str) -> set[str]:
        """A quiet message below its newest card in every chat that has one."""
        newest = {
            post.address: post
            for post in await self.outbox.of_approval(conn, approval.id)
            if post.kind is PostKind.DECISION
        }
        for address, post in newest.items():
            await self.say(conn, approval, address, text, reply_to=post.refs[0] if post.refs else None)
        return set(newest)

    async def say(
        self,
        conn: Connection,
        approval: Approval,
        address: str,
        text: str,
        *,
        reply_to: str | None = None,
        kind: PostKind = PostKind.NOTICE,
    ) -> None:
        content = Content(text=text, silent=True, reply_to=reply_to)
        await self.outbox.put(conn, address=address, kind=kind, content=content, folder=approval.folder)

    def wake(self, addresses: Iterable[str]) -> None:
        for address in addresses:
            self.outbox.wake(address)
