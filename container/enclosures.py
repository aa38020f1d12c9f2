"""Puts files into a prompt in the way its agent takes them: inside it, or as a link to their place."""

from base64 import b64encode
from collections.abc import Sequence
from urllib.parse import quote

from acp.schema import (
    AudioContentBlock,
    EmbeddedResourceContentBlock,
    ImageContentBlock,
    PromptCapabilities,
    ResourceContentBlock,
    TextContentBlock,
    TextResourceContents,
)

from container.agent import Enclosure

MOST_INLINE = 5 * 1024 * 1024  #: bytes of one file
MOST_INLINE_AT_ONCE = 15 * 1024 * 1024  #: bytes of all files of a prompt
LONGEST_TEXT = 100_000  #: bytes of a text that is put into a prompt whole
_TEXTS = ("text/", "application/json", "application/xml", "application/yaml", "application/toml")

Block = (
    TextContentBlock
    | ImageContentBlock
    | AudioContentBlock
    | ResourceContentBlock
    | EmbeddedResourceContentBlock
)


def blocks(text: str, enclosures: Sequence[Enclosure], can: PromptCapabilities) -> list[Block]:
    """A prompt's content: what was said, then each file."""
    content: list[Block] = [TextContentBlock(type="text", text=text)]
    room = MOST_INLINE_AT_ONCE
    for enclosure in enclosures:
        inside = None
        if enclosure.data and len(enclosure.data) <= min(MOST_INLINE, room):
            inside = _inside(enclosure, enclosure.data, can)
        if inside is not None and enclosure.data:
            room -= len(enclosure.data)
        content.append(inside or _link(enclosure))
    return content


def _inside(enclosure: Enclosure, data: bytes, can: PromptCapabilities) -> Block | None:
    mime = enclosure.mime.lower()
    if mime.startswith("image/") and can.image:
        return ImageContentBlock(type="image", mime_type=mime, data=_encoded(data), uri=_uri(enclosure))
    if mime.startswith("audio/") and can.audio:
        return AudioContentBlock(type="audio", mime_type=mime, data=_encoded(data))
    if not mime.startswith(_TEXTS) or not can.embedded_context or len(data) > LONGEST_TEXT:
        return None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    return EmbeddedResourceContentBlock(
        type="resource", resource=TextResourceContents(uri=_uri(enclosure), mime_type=mime, text=text)
    )


def _link(enclosure: Enclosure) -> ResourceContentBlock:
    size = len(enclosure.data) if enclosure.data is not None else None
    return ResourceContentBlock(
        type="resource_link",
        name=enclosure.name,
        uri=_uri(enclosure),
        mime_type=enclosure.mime or None,
        size=size,
    )


def _encoded(data: bytes) -> str:
    return b64encode(data).decode()


def _uri(enclosure: Enclosure) -> str:
    return f"file://{quote(enclosure.place)}"
