"""Updates as they are kept until they are handled: what they hold, bounded and storable, as JSON and back."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from bridges.messages import Attachment, ButtonTap, ChatMessage, ChatUpdate, Person, Unreadable
from host.incoming.attachments import MOST as MOST_FILES
from storage.text import storable

LONGEST_TEXT = 32_000
_LONGEST_HANDLE = 512
_LONGEST_NAME = 200
_LONGEST_REASON = 1000


def bounded(update: ChatUpdate) -> ChatUpdate:
    """The update with every text storable and no longer than we keep."""
    match update:
        case ChatMessage():
            return replace(
                update,
                update_id=_short(update.update_id),
                address=_short(update.address),
                sender=_person(update.sender),
                text=storable(update.text[:LONGEST_TEXT]),
                ref=_short(update.ref),
                title=_short(update.title),
                reply_to=None if update.reply_to is None else _short(update.reply_to),
                attachments=tuple(_attachment(each) for each in update.attachments[:MOST_FILES]),
            )
        case ButtonTap():
            return replace(
                update,
                update_id=_short(update.update_id),
                address=_short(update.address),
                sender=_person(update.sender),
                tap_id=_short(update.tap_id),
                ref=_short(update.ref),
                data=_short(update.data),
            )
        case Unreadable():
            reason = storable(update.reason[:_LONGEST_REASON])
            return Unreadable(update_id=_short(update.update_id), reason=reason)


def kind_of(update: ChatUpdate) -> str:
    match update:
        case ChatMessage():
            return "message"
        case ButtonTap():
            return "tap"
        case Unreadable():
            return "unreadable"


def address_of(update: ChatUpdate) -> str:
    return "" if isinstance(update, Unreadable) else update.address


def encode(update: ChatUpdate, kept: UUID | None = None) -> dict[str, Any]:
    """The body to keep; `kept` is the row of the message if it has one."""
    return {**_body(update), **({} if kept is None else {"kept": str(kept)})}


def kept_id(body: Mapping[str, Any]) -> UUID | None:
    return UUID(body["kept"]) if "kept" in body else None


def _body(update: ChatUpdate) -> dict[str, Any]:
    match update:
        case ChatMessage():
            return {
                **_sender(update.sender),
                "text": update.text,
                "ref": update.ref,
                "sent_at": update.sent_at.isoformat(),
                "private": update.private,
                "title": update.title,
                "reply_to": update.reply_to,
                "mentioned": update.mentioned,
            }
        case ButtonTap():
            return {
                **_sender(update.sender),
                "tap_id": update.tap_id,
                "ref": update.ref,
                "data": update.data,
            }
        case Unreadable():
            return {"reason": update.reason}


def decode(kind: str, update_id: str, address: str, body: Mapping[str, Any]) -> ChatUpdate:
    if kind == "unreadable":
        return Unreadable(update_id=update_id, reason=body["reason"])
    sender = Person(address=body["sender"], name=body["name"])
    if kind == "tap":
        return ButtonTap(
            update_id=update_id,
            address=address,
            sender=sender,
            tap_id=body["tap_id"],
            ref=body["ref"],
            data=body["data"],
        )
    return ChatMessage(
        update_id=update_id,
        address=address,
        sender=sender,
        text=body["text"],
        ref=body["ref"],
        sent_at=datetime.fromisoformat(body["sent_at"]),
        private=body["private"],
        title=body["title"],
        reply_to=body["reply_to"],
        mentioned=body["mentioned"],
    )


def _sender(person: Person) -> dict[str, str]:
    return {"sender": person.address, "name": person.name}


def _person(person: Person) -> Person:
    return Person(address=_short(person.address), name=_short(person.name))


def _attachment(attachment: Attachment) -> Attachment:
    return replace(
        attachment,
        handle=storable(attachment.handle[:_LONGEST_HANDLE]),
        name=_short(attachment.name),
        mime=_short(attachment.mime),
    )


def _short(text: str) -> str:
    return storable(text[:_LONGEST_NAME])
