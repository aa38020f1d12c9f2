"""Telegram's own reading of HTML messages, with its limits and its words for what is wrong."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.servers.telegram.refusal import BadRequest

TAGS = {
    "b": "bold",
    "strong": "bold",
    "i": "italic",
    "em": "italic",
    "u": "underline",
    "ins": "underline",
    "s": "strikethrough",
    "strike": "strikethrough",
    "del": "strikethrough",
    "a": "text_link",
    "code": "code",
    "pre": "pre",
    "blockquote": "blockquote",
    "span": "spoiler",
    "tg-spoiler": "spoiler",
    "tg-emoji": "custom_emoji",
}
_CHARACTER = re.compile(r"&(?:#(\d{1,7})|#x([0-9a-fA-F]{1,6})|(lt|gt|amp|quot));?")
_NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"'}
_LINKS = ("http://", "https://", "tg://", "ton://", "mailto:")


@dataclass(frozen=True, slots=True)
class Entity:
    """A styled stretch, in UTF-16 units as on the wire."""

    type: str
    offset: int
    length: int
    detail: str = ""

    def wire(self) -> dict[str, object]:
        shown: dict[str, object] = {"type": self.type, "offset": self.offset, "length": self.length}
        if self.detail:
            shown["language" if self.type == "pre" else "url"] = self.detail
        return shown


@dataclass(slots=True)
class _Open:
    tag: str
    detail: str
    offset: int  # in units
    at: int  # in characters of the text


@dataclass(slots=True)
class _Reader:
    source: str
    at: int = 0
    text: list[str] = field(default_factory=list)
    written: int = 0
    open: list[_Open] = field(default_factory=list)
    entities: list[Entity] = field(default_factory=list)

    def fail(self, words: str, begin: int) -> BadRequest:
        offset = len(self.source[:begin].encode("utf-8", "surrogatepass"))
        return BadRequest(f"can't parse entities: {words.replace('@', f'at byte offset {offset}')}")

    def write(self, text: str) -> None:
        self.text.append(text)
        self.written += units(text)

    def while_(self, fits: Callable[[str], bool]) -> str:
        begin = self.at
        while self.at < len(self.source) and fits(self.source[self.at]):
            self.at += 1
        return self.source[begin : self.at]


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def parse_html(source: str) -> tuple[str, list[Entity]]:
    """The plain text and its entities, or a 400."""
    reader = _Reader(source)
    while reader.at < len(source):
        if source[reader.at] == "&" and (found := _CHARACTER.match(source, reader.at)):
            reader.write(_character(found))
            reader.at = found.end()
        elif source.startswith("</", reader.at):
            _end_tag(reader)
        elif source[reader.at] == "<":
            _start_tag(reader)
        else:
            reader.write(source[reader.at])
            reader.at += 1
    if reader.open:
        tag = reader.open[-1].tag
        raise BadRequest(f"can't parse entities: Can't find end tag corresponding to start tag \"{tag}\"")
    return "".join(reader.text), sorted(reader.entities, key=lambda entity: (entity.offset, -entity.length))


def _character(found: re.Match[str]) -> str:
    if found[3]:
        return _NAMED[found[3]]
    code = int(found[1]) if found[1] else int(found[2], 16)
    return chr(code) if 0 < code < 0x110000 else found[0]


def _start_tag(reader: _Reader) -> None:
    begin = reader.at
    reader.at += 1
    tag = reader.while_(lambda c: not c.isspace() and c != ">").lower()
    if reader.at >= len(reader.source):
        raise reader.fail("Unclosed start tag @", begin)
    if tag not in TAGS:
        raise reader.fail(f'Unsupported start tag "{tag}" @', begin)
    attributes = _attributes(reader, tag, begin)
    if tag == "span" and attributes.get("class") != "tg-spoiler":
        raise reader.fail('Tag "span" must have class "tg-spoiler" @', begin)
    detail = attributes.get("href", "") if tag == "a" else ""
    if tag == "code" and attributes.get("class", "").startswith("language-"):
        detail = attributes["class"].removeprefix("language-")
    reader.open.append(_Open(tag, detail, reader.written, len(reader.text)))


def _attributes(reader: _Reader, tag: str, begin: int) -> dict[str, str]:
    found: dict[str, str] = {}
    while True:
        reader.while_(str.isspace)
        if reader.at >= len(reader.source):
            raise reader.fail("Unclosed start tag @", begin)
        if reader.source[reader.at] == ">":
            reader.at += 1
            return found
        name = reader.while_(lambda c: not c.isspace() and c not in "=>/\"'").lower()
        if not name:
            raise reader.fail(f'Empty attribute name in the tag "{tag}" @', begin)
        reader.while_(str.isspace)
        if reader.at < len(reader.source) and reader.source[reader.at] == "=":
            reader.at += 1
            reader.while_(str.isspace)
            found[name] = _value(reader, begin)
        else:
            found[name] = ""


def _value(reader: _Reader, begin: int) -> str:
    if reader.at >= len(reader.source):
        raise reader.fail("Unclosed start tag @", begin)
    quote = reader.source[reader.at]
    if quote not in "\"'":
        token = reader.at
        value = reader.while_(lambda c: c.isalnum() or c in ".-").lower()
        if (
            reader.at < len(reader.source)
            and not reader.source[reader.at].isspace()
            and reader.source[reader.at] != ">"
        ):
            raise reader.fail("Unexpected end of name token @", token)
        return value
    reader.at += 1
    value = reader.while_(lambda c: c != quote)
    if reader.at >= len(reader.source):
        raise reader.fail("Unclosed start tag @", begin)
    reader.at += 1
    return _CHARACTER.sub(_character, value)


def _end_tag(reader: _Reader) -> None:
    begin = reader.at
    if not reader.open:
        raise reader.fail("Unexpected end tag @", begin)
    reader.at += 2
    tag = reader.while_(lambda c: not c.isspace() and c != ">").lower()
    reader.while_(str.isspace)
    if reader.at >= len(reader.source) or reader.source[reader.at] != ">":
        raise reader.fail("Unclosed end tag @", begin)
    reader.at += 1
    opened = reader.open.pop()
    if tag and tag != opened.tag:
        raise reader.fail(f'Unmatched end tag @, expected "</{opened.tag}>", found "</{tag}>"', begin)
    _close(reader, opened)


def _close(reader: _Reader, opened: _Open) -> None:
    length = reader.written - opened.offset
    kind, detail = TAGS[opened.tag], opened.detail
    if length == 0:
        return
    if kind == "text_link":
        detail = detail or "".join(reader.text[opened.at :])
        if not detail.lower().startswith(_LINKS):
            return  # Telegram drops links it does not know and keeps their words
    last = reader.entities[-1] if reader.entities else None
    if (
        kind == "pre"
        and last
        and last.type == "code"
        and (last.offset, last.length) == (opened.offset, length)
    ):
        detail = reader.entities.pop().detail
    elif kind == "code" and not (reader.open and reader.open[-1].tag == "pre"):
        detail = ""
    reader.entities.append(Entity(kind, opened.offset, length, detail))


def trim(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """What Telegram does to every text: no whitespace around it, at most a hundred entities."""
    left = len(text) - len(text.lstrip())
    if left and any(entity.type == "pre" and entity.offset < left for entity in entities):
        left = 0
    trimmed = text[left:].rstrip()
    size = units(trimmed)
    kept = [
        Entity(
            entity.type,
            max(entity.offset - left, 0),
            min(entity.length, size - entity.offset + left),
            entity.detail,
        )
        for entity in entities
        if entity.offset - left < size
    ]
    return trimmed, [entity for entity in kept if entity.length > 0][:100]
