"""What travels between the page and the bridge, as JSON.

Page to bridge, each acknowledged by its `client_id`, which the page keeps for resending:
    {"type": "say", "client_id", "room", "text", "files": [ids of uploads]}
    {"type": "tap", "client_id", "room", "item", "data"}
    {"type": "ping", "client_id"}
Bridge to page:
    {"type": "hello", "notes"}                         connected; changes follow from here on
    {"type": "taken", "client_id"}                     it survives a crash now
    {"type": "refused", "client_id", "text", "retry"}  not taken; `retry`: send again after seconds, or null
    {"type": "answer", "client_id", "text", "alert"}   what the host says to a tap, to this page only
    {"type": "item", "item"}, {"type": "gone", "room", "id"}
    {"type": "typing", "room" or "address", "on"}
    {"type": "rooms"}, {"type": "side", "room"}, {"type": "health", "notes"}, {"type": "reload"}
"""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bridges.messages import Markup
from bridges.web import tree
from bridges.web.port import (
    Change,
    Delivery,
    HealthChanged,
    Item,
    ItemChanged,
    ItemGone,
    ItemKind,
    Reload,
    Room,
    RoomsChanged,
    Side,
    SideChanged,
    Typing,
    Upload,
)

Frame = Mapping[str, Any]
Changes = AsyncIterator[Change]

_NETWORKS = {"web": "", "tg": "Telegram", "wa": "WhatsApp"}

ClientId = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{8,64}$")]
Name = Annotated[str, Field(min_length=1, max_length=128)]


class _FromPage(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    client_id: ClientId


class Say(_FromPage):
    type: Literal["say"]
    room: Name
    text: str
    files: Annotated[list[Name], Field(max_length=100)] = []


class Tap(_FromPage):
    type: Literal["tap"]
    room: Name
    item: Name
    data: Annotated[str, Field(min_length=1, max_length=64)]


class Ping(_FromPage):
    type: Literal["ping"]


Request = Say | Tap | Ping
_REQUEST: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="type")])


class NotUnderstood(Exception):
    """The frame is not one of the page's."""


def read(frame: str) -> Request:
    try:
        values = json.loads(frame)
        if not isinstance(values, dict):
            raise NotUnderstood
        return _REQUEST.validate_python({name: _storable(value) for name, value in values.items()})
    except (ValueError, ValidationError, RecursionError) as error:
        raise NotUnderstood from error


def _storable(value: object) -> object:
    """Without what no database keeps as text: NUL and lone surrogates."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def write(frame: Frame) -> str:
    """As ASCII: a lone surrogate in somebody's text must not break the connection."""
    return json.dumps(frame, separators=(",", ":"))


def change(change: Change, person: str) -> Frame | None:
    """The frame that tells the page of a change; None when the bridge has to look something up first."""
    match change:
        case ItemChanged(item=it):
            return {"type": "item", "item": item(it, person)}
        case ItemGone(folder=folder, id=id_):
            return {"type": "gone", "room": folder, "id": id_}
        case Typing(folder=folder, on=on):
            return {"type": "typing", "room": folder, "on": on}
        case SideChanged(folder=folder):
            return {"type": "side", "room": folder}
        case RoomsChanged():
            return {"type": "rooms"}
        case Reload():
            return {"type": "reload"}
        case HealthChanged():
            return None


def item(it: Item, person: str) -> Frame:
    title, body = _texts(it)
    return {
        "id": it.id,
        "room": it.folder,
        "kind": it.kind.value,
        "author": it.author,
        "mine": it.person == person,
        "ref": it.ref if it.person == person else "",
        "network": _NETWORKS.get(it.address.partition(":")[0], it.address.partition(":")[0]),
        "at": it.at.isoformat(),
        "title": title,
        "body": body,
        "buttons": [
            [{"label": b.label, "data": b.data, "tone": b.tone.value} for b in row] for row in it.buttons
        ],
        "tappable": bool(it.ref),
        "picture": it.picture,
        "files": [
            {"id": f.id, "name": f.name, "mime": f.mime, "size": f.size, "refused": f.refused}
            for f in it.files
        ],
        "reading": it.reading.value if it.person == person else "",
        "delivery": _delivery(it).value,
        "reason": it.reason,
        "edited": it.edited,
        "streaming": it.streaming,
        "activity": it.activity,
    }


def _delivery(it: Item) -> Delivery:
    """On the page an item has arrived the moment it is seen; only other chats have yet to get it."""
    waits = it.delivery is Delivery.QUEUED and not it.streaming and not it.address.startswith("web:")
    return Delivery.SENT if it.delivery is Delivery.QUEUED and not waits else it.delivery


def _texts(it: Item) -> tuple[list[tree.Node], list[tree.Node]]:
    """Headline and body as trees."""
    text, title = it.text, ""
    if it.headline:
        title, _, text = text.partition("\n")
    if it.markup is Markup.MARKDOWN:
        return tree.markdown_line(title), tree.markdown(text)
    heading: list[tree.Node] = [title] if title else []
    return heading, tree.card(text) if it.kind is ItemKind.DECISION else tree.plain(text)


def upload(it: Upload) -> Frame:
    return {"id": it.id, "name": it.name, "mime": it.mime, "size": it.size}


def room(it: Room) -> Frame:
    return {
        "folder": it.folder,
        "title": it.title or it.folder,
        "address": it.address,
        "role": it.role,
        "last_item": it.last_item,
        "decisions": it.decisions,
        "agent": it.agent,
        "notes": list(it.notes),
    }


def history(items: Sequence[Item], limit: int, person: str) -> Frame:
    return {"items": [item(it, person) for it in items], "more": len(items) >= limit}


def side(it: Side, person: str) -> Frame:
    return {
        "decisions": [item(decision, person) for decision in it.decisions],
        "work": [
            {
                "id": work.id,
                "title": work.title,
                "phase": work.phase,
                "done": work.phases_done,
                "phases": work.phases,
                "budget": work.budget_percent,
                "note": work.note,
            }
            for work in it.work
        ],
        "people": [
            {
                "name": member.name,
                "role": member.role,
                "network": _NETWORKS.get(member.person.partition(":")[0], ""),
                "me": member.person == person,
            }
            for member in it.people
        ],
        "rules": list(it.rules),
    }
