"""Events as they go over the wire: encoded once, however many listen, never larger than a client reads."""

import json
from collections.abc import Mapping
from struct import pack
from typing import Any

from intermute import times
from intermute.events.event import Event
from intermute.limits import MAX_FRAME

#: characters of a member's JSON that is kept of an event that is too large
SHORT = 1024

_HEAD = frozenset({"type", "project", "cursor", "agent"})


class Frame:
    """One event as JSON, for everybody in its project or for one agent of its audience."""

    __slots__ = ("_head", "_made", "_tail", "event")

    def __init__(self, event: Event) -> None:
        self.event = event
        self._made: dict[str, bytes] = {}
        self._head = self._tail = ""

    def text(self, agent: str = "") -> bytes:
        """Its JSON; `agent` is the one of the audience it goes to, and only that one is named."""
        name = agent if self.event.audience is not None else ""
        text = self._made.get(name)
        if text is None:
            text = self._made[name] = self._text(name)
        return text

    def socket(self, agent: str = "") -> bytes:
        """A whole WebSocket frame of it."""
        return socket_frame(self.text(agent))

    def _text(self, agent: str) -> bytes:
        if not self._head:
            self._head, self._tail = _parts(self.event)
        named = f',"agent":{_json(agent)}' if agent and "agent" not in self.event.data else ""
        text = f"{self._head}{named}{self._tail}".encode("utf-8", "replace")
        # The original's client counts the end of a message as one byte more.
        if len(text) < MAX_FRAME:
            return text
        short = Frame(_shortened(self.event))
        return short._text(agent)


def socket_frame(text: bytes) -> bytes:
    """An unfragmented, unmasked text frame around a message shorter than 64 KiB."""
    size = len(text)
    return (pack("!BB", 0x81, size) if size < 126 else pack("!BBH", 0x81, 126, size)) + text


def stream_frame(cursor: int, text: bytes) -> bytes:
    """One event of a stream of server-sent events."""
    return b"id: %d\ndata: %s\n\n" % (cursor, text)


def slim(data: Mapping[str, Any]) -> Mapping[str, Any]:
    """What of an event's data is kept on record: no entity that is larger than a frame."""
    if data.get("data") is None or len(_json(data["data"])) < MAX_FRAME - 2 * SHORT:
        return data
    return {**data, "data": None, "truncated": True}


def _parts(event: Event) -> tuple[str, str]:
    """The JSON before and after the place of `agent`."""
    given = {name: value for name, value in event.data.items() if name not in _HEAD or name == "agent"}
    head = _json({"type": event.type, "project": event.project, "cursor": event.cursor})
    tail = _json({**given, "created_at": times.precise(event.at)})
    return head[:-1], f",{tail[1:]}"


def _shortened(event: Event) -> Event:
    """Without its long members; a client that wants them asks for them."""
    short: dict[str, Any] = {}
    left = MAX_FRAME // 2
    for name, value in event.data.items():
        size = len(_json(value).encode("utf-8", "replace"))
        kept = value if size <= SHORT else None
        left -= len(_json(name).encode("utf-8", "replace")) + (size if kept is not None else 4)
        if left < 0:
            break
        short[name] = kept
    return Event(
        cursor=event.cursor,
        project=event.project,
        type=event.type,
        audience=event.audience,
        data={**short, "truncated": True},
        at=event.at,
    )


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
