"""The outbox: what each of our messages shall say, kept in the database until its chat shows exactly that."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from asyncpg.protocol import Record

from bridges.messages import Content, Document
from host.outgoing.contents import NOTHING, decode, encode, file_id, picture_id
from storage import sql
from storage.clock import Clock
from storage.database import Connection, Database
from storage.ids import NewId

_SQL = sql.load("host", "outbox")
FOLLOWUP = "followup:"  #: how the slots of words on follow-ups begin
_DUE_AT_ONCE = 1000


class PostKind(StrEnum):
    """What a post is; of several that wait for one chat the kind named first here goes first."""

    DECISION = "decision"
    ANSWER = "answer"
    NOTICE = "notice"
    PREVIEW = "preview"


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """One message of ours, which the network may show as several."""

    id: UUID
    slot: str | None  #: a name that stands for this message: put again it is revised, not doubled
    folder: str | None
    address: str
    kind: PostKind
    content: Content
    activity: str  #: of a preview: what the agent does meanwhile, one quiet line
    version: int  #: of the content
    sent_version: int  #: the version its chat shows
    refs: tuple[str, ...]  #: the messages that show it, in order
    digests: tuple[str, ...]  #: what each of them shows
    failed: str | None
    turn: UUID | None
    approval: UUID | None
    created_at: datetime

    @property
    def due(self) -> bool:
        return self.sent_version < self.version and self.failed is None


class Outbox:
    """The store of posts. Methods with a connection belong to the caller's transaction."""

    def __init__(self, database: Database, clock: Clock, new_id: NewId) -> None:
        self._database = database
        self._clock = clock
        self._new_id = new_id
        self._sender: Callable[[str], None] | None = None

    def on_wake(self, sender: Callable[[str], None]) -> None:
        """Say who sends; called with an address that has something to send."""
        self._sender = sender

    def wake(self, address: str) -> None:
        """To be called after the commit of a change; what nobody wakes is found by the slow poll."""
        if self._sender is not None:
            self._sender(address)

    async def put(
        self,
        conn: Connection,
        *,
        address: str,
        kind: PostKind,
        content: Content,
        folder: str | None = None,
        slot: str | None = None,
        turn: UUID | None = None,
        approval: UUID | None = None,
        activity: str = "",
    ) -> UUID:
        """Say something in a chat. With a slot that is taken its post is revised; returns the post's id."""
        row = await conn.fetchrow(
            _SQL["outbox.put"],
            self._new_id(),
            slot,
            folder,
            address,
            kind.value,
            encode(content, activity),
            await self._keep(conn, content.picture),
            await self._keep_file(conn, content.document),
            turn,
            approval,
            self._clock.now(),
        )
        if row is None:
            row = await conn.fetchrow(_SQL["outbox.of_slot"], slot)
        if row is None:
            raise LookupError(f"the post of slot {slot!r} is gone")
        post: UUID = row["id"]
        return post

    async def revise(
        self, conn: Connection, post_id: UUID, content: Content, kind: PostKind | None = None
    ) -> None:
        """Let the post say something else: edited in place, or sent so if nothing was sent yet."""
        picture = await self._keep(conn, content.picture)
        file = await self._keep_file(conn, content.document)
        await conn.execute(
            _SQL["outbox.revise"], post_id, kind and kind.value, encode(content), picture, file
        )

    async def withdraw(self, conn: Connection, slot: str) -> str | None:
        """Let the post of the slot disappear; the address to wake, or None if nothing is shown."""
        address: str | None = await conn.fetchval(_SQL["outbox.withdraw"], slot, encode(NOTHING))
        return address

    async def withdraw_passing(self, conn: Connection, turn: UUID) -> list[str]:
        """Let what a turn showed only while it ran disappear: previews, and words on follow-ups.

        Returns the addresses to wake.
        """
        rows = await conn.fetch(_SQL["outbox.withdraw_passing"], turn, encode(NOTHING), f"{FOLLOWUP}%")
        return list(dict.fromkeys(row["address"] for row in rows))

    async def of_approval(self, conn: Connection, approval: UUID) -> list[Post]:
        return [_post(row) for row in await conn.fetch(_SQL["outbox.of_approval"], approval)]

    async def showing(self, address: str, ref: str) -> Post | None:
        """The post that a message (tapped, replied to) belongs to."""
        row = await self._database.fetchrow(_SQL["outbox.showing"], address, ref)
        return None if row is None else _post(row)

    async def next_due(self, address: str) -> Post | None:
        """What is to be sent to the address first."""
        row = await self._database.fetchrow(_SQL["outbox.next_due"], address)
        return None if row is None else _post(row)

    async def due_addresses(self) -> list[str]:
        rows = await self._database.fetch(_SQL["outbox.due_addresses"], _DUE_AT_ONCE)
        return [row["address"] for row in rows]

    async def due_edits(self) -> set[UUID]:
        """Posts that are due although their chat shows something of them."""
        return {row["id"] for row in await self._database.fetch(_SQL["outbox.due_edits"])}

    async def shown(self, post: Post, refs: Sequence[str], digests: Sequence[str], *, complete: bool) -> int:
        """Record what the chat shows now; returns the version the post has by now."""
        version: int = await self._database.fetchval(
            _SQL["outbox.shown"],
            post.id,
            list(refs),
            list(digests),
            post.version if complete else 0,
            self._clock.now(),
        )
        return version

    async def fail(self, conn: Connection, post: Post, reason: str) -> None:
        """Give this version up. A later version is tried again."""
        await conn.execute(_SQL["outbox.failed"], post.id, post.version, reason)

    async def _keep(self, conn: Connection, png: bytes | None) -> UUID | None:
        if png is None:
            return None
        name = picture_id(png)
        await conn.execute(_SQL["outbox.keep_picture"], name, png, self._clock.now())
        return name

    async def _keep_file(self, conn: Connection, document: Document | None) -> UUID | None:
        if document is None:
            return None
        name = file_id(document)
        row = (name, document.name, document.mime, document.data, self._clock.now())
        await conn.execute(_SQL["outbox.keep_file"], *row)
        return name


def _document(row: Record) -> Document | None:
    if row["file"] is None:
        return None
    return Document(name=row["file_name"], mime=row["file_mime"], data=row["file_content"])


def _post(row: Record) -> Post:
    return Post(
        id=row["id"],
        slot=row["slot"],
        folder=row["folder"],
        address=row["address"],
        kind=PostKind(row["kind"]),
        content=decode(row["content"], row["png"], _document(row)),
        activity=row["content"].get("activity", ""),
        version=row["version"],
        sent_version=row["sent_version"],
        refs=tuple(row["refs"]),
        digests=tuple(row["digests"]),
        failed=row["failed"],
        turn=row["turn"],
        approval=row["approval"],
        created_at=row["created_at"],
    )
