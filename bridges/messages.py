"""The words every chat network is translated into: what people send, what we answer."""

import hashlib
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who wrote or tapped, as the network itself vouches for it."""

    address: str  #: "tg:1000", "web:owner"
    name: str  #: what the network shows; untrusted text


class AttachmentKind(StrEnum):
    """What a file in a chat is, as its network shows it."""

    IMAGE = "image"
    VOICE = "voice"
    AUDIO = "audio"
    VIDEO = "video"
    DOCUMENT = "document"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that came with a message, not fetched yet. Name, type and size are the network's word."""

    kind: AttachmentKind
    handle: str  #: what `ChatBridge.fetch` wants
    name: str
    mime: str
    size: int | None = None  #: bytes, when the network says


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A file to send."""

    name: str
    mime: str
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatMessage:
    """One message a person wrote. Media are also placeholders with their caption in `text`."""

    update_id: str  #: unique per bridge; the same update delivered twice has the same id
    address: str  #: the chat: "tg:-100123", "tg:-100123/42" with a forum topic, "web:local"
    sender: Person
    text: str
    ref: str  #: the message's own id in its chat
    sent_at: datetime
    private: bool = False  #: a chat of one person with the bot
    title: str = ""  #: the chat's name as the network shows it
    reply_to: str | None = None  #: ref of the message this answers
    mentioned: bool = False  #: the network says the bot itself was addressed (mention or reply to it)
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ButtonTap:
    """A press on a button of a card."""

    update_id: str
    address: str
    sender: Person
    tap_id: str  #: what `ChatBridge.answer` wants back
    ref: str  #: the message that carries the button
    data: str  #: "verb:code"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreadable:
    """An update nobody understood; kept so that the mark may move past it and an audit can tell."""

    update_id: str
    reason: str


ChatUpdate = ChatMessage | ButtonTap | Unreadable


class Markup(StrEnum):
    """How `Content.text` is to be read."""

    PLAIN = "plain"
    MARKDOWN = "markdown"  #: what models write; HTML inside it is text


class Tone(StrEnum):
    """What a button does to the world; shown by style, never by colour alone."""

    PLAIN = "plain"
    GOOD = "good"
    BAD = "bad"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    label: str
    data: str  #: "verb:code", at most 64 bytes
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What one outgoing message shall say. The same content, edited, is a new `Content`."""

    text: str
    markup: Markup = Markup.PLAIN
    headline: bool = False  #: the first line is shown as a heading (cards)
    buttons: tuple[tuple[Button, ...], ...] = ()  #: rows
    picture: bytes | None = None  #: PNG
    document: Document | None = None  #: a file; instead of a picture
    sender: str = ""  #: the name of the agent that says it, when it is not the group's own
    silent: bool = False  #: delivered without a sound
    reply_to: str | None = None  #: ref, in the same chat


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One network message of a content: long texts become several. Made by `ChatBridge.parts`."""

    body: str  #: in the network's own markup
    fallback: str  #: the same as plain text, used when the network refuses the markup
    headline: bool = False
    buttons: tuple[tuple[Button, ...], ...] = ()
    picture: bytes | None = None
    document: Document | None = None
    silent: bool = False
    reply_to: str | None = None
    passing: bool = False  #: a preview: left out when the network is busy

    @property
    def digest(self) -> str:
        """Changes whenever what is shown changes: equal digests need no edit."""
        shown = repr((self.body, self.headline, self.buttons, self._attached()))
        return hashlib.sha256(shown.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _attached(self) -> object:
        if self.document is not None:
            return self.document.name, hashlib.sha256(self.document.data).digest()
        return self.picture and hashlib.sha256(self.picture).digest()
