"""Brings the messages of one post to show its content: sends, edits and deletes, each step recorded."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from enum import StrEnum

from bridges.messages import Part
from bridges.port import BridgeError, ChatBridge, ContentRefused, DeliveryUnknown, LeftOut, MessageGone
from host.outgoing.contents import shows_nothing, with_activity
from host.outgoing.outbox import Post, PostKind

#: records refs and digests, and whether the version is complete with them; returns the post's version by now
Record = Callable[[Post, Sequence[str], Sequence[str], bool], Awaitable[int]]

#: kinds that are sent anew when their message is gone from the chat
_LASTING = frozenset({PostKind.DECISION, PostKind.ANSWER})
#: the digest of a message that is gone or may read otherwise than noted: equal to none, so it is edited again
_DOUBTFUL = ""


class Unconfirmed(BridgeError):
    """Sent more than once, and the network never said whether it took it."""


class Step(StrEnum):
    SEND = "send"
    EDIT = "edit"
    DELETE = "delete"


def plan(shown: Sequence[str], wanted: Sequence[str]) -> list[tuple[Step, int]]:
    """The steps from the digests that are shown to those that are wanted. Pure."""
    edits = [
        (Step.EDIT, place) for place, (old, new) in enumerate(zip(shown, wanted, strict=False)) if old != new
    ]
    sends = [(Step.SEND, place) for place in range(len(shown), len(wanted))]
    deletes = [(Step.DELETE, place) for place in reversed(range(len(wanted), len(shown)))]
    return [*edits, *sends, *deletes]


@dataclass(slots=True, kw_only=True)
class Delivery:
    """One try for one version of one post; an error of the bridge ends it, the recorded steps stay done."""

    bridge: ChatBridge
    post: Post
    record: Record
    unconfirmed: int  #: how often the network did not say whether it took the next message
    most_sends: int
    doubted: bool = False  #: an edit may have happened without being noted
    _refs: list[str] = field(init=False)
    _digests: list[str] = field(init=False)

    def __post_init__(self) -> None:
        self._refs = list(self.post.refs)
        self._digests = [_DOUBTFUL] * len(self._refs) if self.doubted else list(self.post.digests)

    async def bring_about(self) -> None:
        """Return when the chat shows this version, or when there is a newer one to show instead."""
        try:
            await self._bring_about()
        except LeftOut:  # a preview at a bad moment: the next version is edited in instead
            await self.record(self.post, self._refs, self._digests, True)

    async def _bring_about(self) -> None:
        parts = self._parts()
        steps = plan(self._digests, [part.digest for part in parts])
        for number, (step, place) in enumerate(steps, 1):
            match step:
                case Step.SEND:
                    if not await self._send(parts[place]):
                        break
                case Step.EDIT:
                    await self._edit(place, parts[place])
                case Step.DELETE:
                    await self._delete(place)
            version = await self.record(self.post, self._refs, self._digests, number == len(steps))
            if version != self.post.version or number == len(steps):
                return
        await self.record(self.post, self._refs, self._digests, True)

    def _parts(self) -> Sequence[Part]:
        content = with_activity(self.post.content, self.post.activity)
        if shows_nothing(content):
            return ()
        parts = self.bridge.parts(content)
        if self.post.kind is PostKind.PREVIEW:
            return [replace(part, passing=True) for part in parts]
        return parts

    async def _send(self, part: Part) -> bool:
        """False: a preview that may or may not be there is not worth a second message."""
        try:
            ref = await self.bridge.send(self.post.address, part)
        except DeliveryUnknown as error:
            if self.post.kind is PostKind.PREVIEW:
                return False
            if self.unconfirmed + 1 >= self.most_sends:
                raise Unconfirmed(
                    f"sent {self.most_sends} times, the network never confirmed it: {error}"
                ) from error
            raise
        self._refs.append(ref)
        self._digests.append(part.digest)
        return True

    async def _edit(self, place: int, part: Part) -> None:
        try:
            await self.bridge.edit(self.post.address, self._refs[place], part)
        except MessageGone:
            if self.post.kind not in _LASTING:
                self._digests[place] = _DOUBTFUL
                return
            self._refs[place] = await self.bridge.send(self.post.address, part)
        self._digests[place] = part.digest

    async def _delete(self, place: int) -> None:
        with suppress(MessageGone, ContentRefused):  # gone already, or too old to be taken back
            await self.bridge.delete(self.post.address, self._refs[place])
        del self._refs[place], self._digests[place]
