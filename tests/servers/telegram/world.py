"""What Telegram knows: chats, their messages, taps, and the updates the bot has not confirmed."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from tests.servers.telegram.markup import Entity, units
from tests.servers.telegram.refusal import BadRequest, Refusal

Json = dict[str, Any]

BOT_ID = 999
BOT_NAME = "intercom_test_bot"
EPOCH = 1_767_600_000  #: a fixed "now" for message dates


@dataclass(slots=True, kw_only=True)
class Shown:
    """A message as its chat shows it now."""

    chat: int
    message_id: int
    thread: int | None
    text: str  #: or the caption
    entities: list[Entity]
    buttons: list[list[Json]]
    source: str = ""  #: as the bot wrote it, markup and all
    picture: bytes | None = None
    document: tuple[str, bytes] | None = None  #: name and content
    silent: bool = False
    reply_to: int | None = None
    by_bot: bool = True
    edits: int = 0
    deleted: bool = False

    @property
    def labels(self) -> list[str]:
        return [button["text"] for row in self.buttons for button in row]

    @property
    def data(self) -> list[str]:
        return [button["callback_data"] for row in self.buttons for button in row]

    def wire(self) -> Json:
        return {
            "chat": self.chat,
            "message_id": self.message_id,
            "thread": self.thread,
            "text": self.text,
            "buttons": self.buttons,
            "picture": self.picture is not None,
            "document": self.document and self.document[0],
            "silent": self.silent,
            "reply_to": self.reply_to,
            "edits": self.edits,
            "deleted": self.deleted,
        }


@dataclass(slots=True)
class Draft:
    """What a chat shows of a message that is being written; only its person sees it."""

    id: int
    text: str
    until: float


@dataclass(slots=True)
class Kept:
    """A file on Telegram's servers."""

    data: bytes
    path: str
    size: int  #: what getFile says


@dataclass(slots=True, kw_only=True)
class Chat:
    id: int
    type: str
    title: str = ""
    forum: bool = False
    blocked: str = ""  #: Telegram's reason
    held_until: float = 0.0
    moved_to: int | None = None
    threads: set[int] = field(default_factory=set)
    messages: dict[int, Shown] = field(default_factory=dict)
    next_message: int = 1
    draft: Draft | None = None

    def wire(self) -> Json:
        named: Json = {"first_name": self.title} if self.type == "private" else {"title": self.title}
        return {"id": self.id, "type": self.type, **named, **({"is_forum": True} if self.forum else {})}


@dataclass(slots=True)
class Tap:
    id: str
    chat: int
    message_id: int
    user: int
    answered: bool = False
    expired: bool = False


class World:
    """State only; the rules of the methods are in `methods`."""

    def __init__(self) -> None:
        self.chats: dict[int, Chat] = {}
        self.taps: dict[str, Tap] = {}
        self.files: dict[str, Kept] = {}  #: by file_id
        self.pending: list[Json] = []
        self.commands: list[Json] = []
        self.webhook = ""
        self.allowed: list[str] | None = None
        self.next_update = 100
        self.poller = 0  #: the newest getUpdates; an older one is ended with 409
        self.polling = 0  #: how many wait at this moment
        self._changed = asyncio.Event()

    def notify(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def changed(self) -> asyncio.Event:
        return self._changed

    def chat(self, chat_id: int) -> Chat:
        try:
            return self.chats[chat_id]
        except KeyError:
            raise BadRequest("chat not found") from None

    def reachable(self, chat_id: int) -> Chat:
        """The chat, if the bot may do something there now."""
        chat = self.chat(chat_id)
        if chat.moved_to is not None:
            text = "Bad Request: group chat was upgraded to a supergroup chat"
            raise Refusal(400, text, {"migrate_to_chat_id": chat.moved_to})
        if chat.blocked:
            raise Refusal(403, f"Forbidden: {chat.blocked}")
        left = chat.held_until - time.monotonic()
        if left > 0:
            wait = max(1, round(left + 0.5))
            raise Refusal(429, f"Too Many Requests: retry after {wait}", {"retry_after": wait})
        return chat

    def push(self, kind: str, body: Any) -> int:
        """A new update for the bot; returns its id."""
        update_id = self.next_update
        self.next_update += 1
        self.pending.append({"update_id": update_id, kind: body})
        self.notify()
        return update_id

    def message(self, chat: Chat, message_id: int, missing: str) -> Shown:
        shown = chat.messages.get(message_id)
        if shown is None or shown.deleted:
            raise BadRequest(missing)
        return shown

    def add(self, chat: Chat, **fields: Any) -> Shown:
        shown = Shown(chat=chat.id, message_id=chat.next_message, **fields)
        chat.next_message += 1
        chat.messages[shown.message_id] = shown
        if shown.by_bot:
            chat.draft = None
        return shown

    def wire(self, shown: Shown) -> Json:
        """A message of the bot as the API returns it."""
        body: Json = {
            "message_id": shown.message_id,
            "date": EPOCH,
            "chat": self.chats[shown.chat].wire(),
            "from": {"id": BOT_ID, "is_bot": True, "first_name": "Intercom", "username": BOT_NAME},
        }
        if shown.thread is not None:
            body |= {"message_thread_id": shown.thread, "is_topic_message": True}
        if shown.buttons:
            body["reply_markup"] = {"inline_keyboard": shown.buttons}
        entities = [entity.wire() for entity in shown.entities]
        if shown.document is not None:
            name, data = shown.document
            document = {"file_id": "d", "file_unique_id": "u", "file_name": name, "file_size": len(data)}
            body |= {"document": document, "caption": shown.text, "caption_entities": entities}
        elif shown.picture is None:
            body |= {"text": shown.text, "entities": entities}
        else:
            photo = {"file_id": "f", "file_unique_id": "u", "width": 90, "height": 90}
            body |= {"photo": [photo], "caption": shown.text, "caption_entities": entities}
        return body


def entities_of(text: str) -> list[Json]:
    """What a client marks by itself: commands at a word's start and @names."""
    found: list[Json] = []
    at = 0
    for word in text.split(" "):
        kind = {"/": "bot_command", "@": "mention"}.get(word[:1])
        if kind and len(word) > 1:
            found.append({"type": kind, "offset": at, "length": units(word)})
        at += units(word) + 1
    return found
