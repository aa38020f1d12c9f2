"""Carries what people write and tap on the page to the host, once each, like any chat network."""

import math
from dataclasses import dataclass

import structlog

from bridges.messages import Attachment, AttachmentKind, ButtonTap, ChatMessage, ChatUpdate, Person
from bridges.port import Intake
from bridges.web import wire
from bridges.web.pace import Pace
from bridges.web.port import Clock, Files, NoSuchRoom, Rooms, Visitor
from bridges.web.settings import WebSettings

log = structlog.get_logger()

_WORDS = {
    AttachmentKind.IMAGE: "Photo",
    AttachmentKind.VOICE: "Voice message",
    AttachmentKind.AUDIO: "Audio",
    AttachmentKind.VIDEO: "Video",
    AttachmentKind.DOCUMENT: "Document",
}
RETRY = 2.0  # seconds until the page sends again what the host could not store


class Refused(Exception):
    """Not taken; the words are for the person. `retry`: seconds until it may be sent again by itself."""

    def __init__(self, words: str, retry: float | None = None) -> None:
        super().__init__(words)
        self.retry = retry


@dataclass(frozen=True, slots=True, kw_only=True)
class TapId:
    """Where the answer to a tap belongs; readable again after a restart of the host."""

    person: str
    page: str
    client_id: str

    def __str__(self) -> str:
        return f"{self.client_id}/{self.page}/{self.person}"

    @classmethod
    def read(cls, text: str) -> "TapId | None":
        client_id, _, rest = text.partition("/")
        page, _, person = rest.partition("/")
        return cls(person=person, page=page, client_id=client_id) if person else None


class Letterbox:
    """Checks, then commits to the intake. Raises `Refused` with words for the person."""

    def __init__(
        self,
        *,
        settings: WebSettings,
        name: str,
        rooms: Rooms,
        files: Files,
        intake: Intake,
        pace: Pace,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._name = name
        self._rooms = rooms
        self._files = files
        self._intake = intake
        self._pace = pace
        self._clock = clock

    async def take(self, visitor: Visitor, page: str, request: wire.Say | wire.Tap) -> None:
        """When this returns, the message or tap survives a crash."""
        self._keep_pace(visitor)
        try:
            update = (
                await self._message(visitor, request)
                if isinstance(request, wire.Say)
                else await self._tap(visitor, page, request)
            )
            await self._intake.accept(self._name, [update], "")
        except NoSuchRoom:
            raise Refused("Not sent: this room is not there any more.") from None
        except Refused:
            raise
        except Exception as error:
            log.exception("web.not_accepted", kind=request.type, person=visitor.person)
            raise Refused("Not sent yet: the host could not store it. Trying again.", RETRY) from error

    def _keep_pace(self, visitor: Visitor) -> None:
        now = self._clock.now()
        if wait := self._pace.wait(visitor.person, now):
            raise Refused(
                f"Not sent yet: more than {self._settings.messages} messages in "
                f"{self._settings.period:g} s. It goes out in {math.ceil(wait)} s.",
                wait,
            )
        self._pace.count(visitor.person, now)

    async def _message(self, visitor: Visitor, request: wire.Say) -> ChatUpdate:
        text = request.text
        if not text.strip() and not request.files:
            raise Refused("Not sent: there is nothing in it.")
        if len(text) > self._settings.text_limit:
            raise Refused(
                f"Not sent: {len(text):,} characters, and one message holds {self._settings.text_limit:,}. "
                "Send it in parts."
            )
        room = await self._rooms.room(visitor.person, request.room)
        if room.address is None:
            raise Refused("Not sent: this room is read-only here. Write in its own chat.")
        attachments = await self._attachments(visitor, request)
        return ChatMessage(
            update_id=_update_id(visitor, request.client_id),
            address=room.address,
            sender=Person(address=visitor.person, name=visitor.name),
            text=text if text.strip() else " ".join(_placeholder(each) for each in attachments),
            ref=request.client_id,
            sent_at=self._clock.now(),
            private=True,
            title=room.title,
            attachments=attachments,
            mentioned=True,  # who writes on the page writes to the agent; there is nobody else to address
        )

    async def _attachments(self, visitor: Visitor, request: wire.Say) -> tuple[Attachment, ...]:
        if not request.files:
            return ()
        if len(request.files) > self._settings.files:
            raise Refused(f"Not sent: one message carries {self._settings.files} files. Send them in parts.")
        found = await self._files.kept(visitor.person, request.room, request.files)
        if len(found) < len(request.files):
            raise Refused("Not sent: a file is not kept any more. Add it again.")
        return tuple(
            Attachment(kind=_kind(each.mime), handle=each.id, name=each.name, mime=each.mime, size=each.size)
            for each in found
        )

    async def _tap(self, visitor: Visitor, page: str, request: wire.Tap) -> ChatUpdate:
        item = await self._rooms.item(visitor.person, request.room, request.item)
        if item is None or not item.ref:
            raise Refused("This card is not there any more.")
        return ButtonTap(
            update_id=_update_id(visitor, request.client_id),
            address=item.address,
            sender=Person(address=visitor.person, name=visitor.name),
            tap_id=str(TapId(person=visitor.person, page=page, client_id=request.client_id)),
            ref=item.ref,
            data=request.data,
        )


def _kind(mime: str) -> AttachmentKind:
    kinds = {"image": AttachmentKind.IMAGE, "audio": AttachmentKind.AUDIO, "video": AttachmentKind.VIDEO}
    return kinds.get(mime.partition("/")[0], AttachmentKind.DOCUMENT)


def _placeholder(attachment: Attachment) -> str:
    """What stands for a file that was sent without a word."""
    return f"[{_WORDS[attachment.kind]}: {attachment.name}]"


def _update_id(visitor: Visitor, client_id: str) -> str:
    return f"{visitor.person}/{client_id}"
