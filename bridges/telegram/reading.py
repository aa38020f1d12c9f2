"""Telegram's updates in our words: pure, and never failing on what somebody sent."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pydantic import ValidationError

from bridges.messages import ButtonTap, ChatMessage, ChatUpdate, Person, Unreadable
from bridges.telegram.address import Address
from bridges.telegram.legible import bounded, display, legible
from bridges.telegram.media import attachments, document_name
from bridges.telegram.wire import CallbackQuery, Chat, Entity, Message, Update, User

KINDS = ("message", "channel_post", "callback_query")

_COMMAND = re.compile(r"/(\w{1,64})@(\w{1,64})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """The bot itself, as Telegram introduces it."""

    id: int
    username: str
    reads_groups: bool = False  #: privacy mode is off: it sees every message of its groups


def read_update(raw: Mapping[str, Any], me: Me) -> ChatUpdate | None:
    """What an update says to us; None for kinds that are none of our business."""
    update_id = str(raw.get("update_id"))
    try:
        update = Update.model_validate(raw)
        return _read(update, update_id, me)
    except ValidationError as error:
        places = {".".join(str(step) for step in flaw["loc"])[:80] for flaw in error.errors()}
        return Unreadable(update_id=update_id, reason=f"malformed: {', '.join(sorted(places)[:5])}")
    except (ValueError, OverflowError, OSError) as error:
        return Unreadable(update_id=update_id, reason=f"malformed: {type(error).__name__}")


def _read(update: Update, update_id: str, me: Me) -> ChatUpdate | None:
    if update.callback_query is not None:
        return _tap(update.callback_query, update_id)
    message = update.message or update.channel_post
    return None if message is None else _message(message, update_id, me)


def _tap(query: CallbackQuery, update_id: str) -> ChatUpdate:
    if query.message is None or query.data is None:
        return Unreadable(update_id=update_id, reason="a tap without a message or without data")
    return ButtonTap(
        update_id=update_id,
        address=str(_address(query.message)),
        sender=_person(query.sender),
        tap_id=legible(query.id),
        ref=str(query.message.message_id),
        data=legible(query.data[:256]),
    )


def _message(message: Message, update_id: str, me: Me) -> ChatUpdate | None:
    if message.migrate_to_chat_id is not None:
        now = Address(message.migrate_to_chat_id)
        return Unreadable(update_id=update_id, reason=f"{_address(message)} became the supergroup {now}")
    sender = message.sender_chat or message.sender
    text = _text(message)
    if sender is None or text is None or (isinstance(sender, User) and sender.is_bot):
        return None
    answered = _answered(message)
    return ChatMessage(
        update_id=update_id,
        address=str(_address(message)),
        sender=_person(sender),
        text=_own_command(bounded(text), me),
        ref=str(message.message_id),
        sent_at=datetime.fromtimestamp(message.date, UTC),
        private=message.chat.type == "private",
        title=display(message.chat.name),
        reply_to=None if answered is None else str(answered.message_id),
        mentioned=_mentioned(message, text, me) or (_sent_by_me(message, me)),
        attachments=attachments(message),
    )


def _address(message: Message) -> Address:
    # A reply in an ordinary supergroup carries a thread id as well; only the flag makes it a topic.
    return Address(message.chat.id, message.message_thread_id if message.is_topic_message else None)


def _person(who: User | Chat) -> Person:
    return Person(address=f"tg:{who.id}", name=display(who.name) or str(who.id))


def _answered(message: Message) -> Any:
    """The message this one replies to. In a topic every message "replies" to the topic's first."""
    replied = message.reply_to_message
    if replied is None or (message.is_topic_message and replied.message_id == message.message_thread_id):
        return None
    return replied


def _sent_by_me(message: Message, me: Me) -> bool:
    answered = _answered(message)
    return answered is not None and answered.sender is not None and answered.sender.id == me.id


def _text(message: Message) -> str | None:
    if message.text is not None:
        return message.text or None
    placeholder = _placeholder(message)
    return None if placeholder is None else f"{placeholder} {message.caption}".rstrip()


def _placeholder(message: Message) -> str | None:
    """What stands for the media of a message."""
    if message.sticker is not None:
        return f"[Sticker {display(message.sticker.emoji)}".rstrip() + "]"
    if message.dice is not None:
        return f"[Dice {display(message.dice.emoji)}".rstrip() + "]"
    if message.poll is not None:
        return f"[Poll: {display(message.poll.question)}]"
    for label, value in (
        ("Photo", message.photo),
        ("Video", message.video),
        ("Animation", message.animation),  # comes with a document as well, hence before it
        ("Video message", message.video_note),
        ("Voice message", message.voice),
        ("Audio", message.audio),
        ("Location", message.venue or message.location),
        ("Contact", message.contact),
    ):
        if value:
            return f"[{label}]"
    if message.document is not None:
        return f"[Document: {document_name(message.document) or 'unnamed'}]"
    return None


def _own_command(text: str, me: Me) -> str:
    """`/help@this_bot` is `/help`; a command for another bot stays as it is."""
    match = _COMMAND.match(text)
    if match is None or match[2].lower() != me.username.lower():
        return text
    return f"/{match[1]}{text[match.end() :]}"


def _mentioned(message: Message, text: str, me: Me) -> bool:
    """Whether the text names this bot, by an entity, at its beginning, or behind a command."""
    name = f"@{me.username}".lower()
    if re.match(rf"{re.escape(name)}(?!\w)", text.lower().lstrip()):
        return True
    written = (message.text if message.text is not None else message.caption).encode("utf-16-le", "replace")
    entities = message.entities if message.text is not None else message.caption_entities
    return any(_names(entity, written, name, me) for entity in entities)


def _names(entity: Entity, written: bytes, name: str, me: Me) -> bool:
    if entity.user is not None:
        return entity.user.id == me.id
    piece = (
        written[2 * entity.offset : 2 * (entity.offset + entity.length)]
        .decode("utf-16-le", "replace")
        .lower()
    )
    if entity.type == "bot_command":
        return piece.endswith(name)
    return entity.type == "mention" and piece == name
