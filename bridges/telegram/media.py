"""The files of a Telegram message as attachments; what is malformed is no attachment, never a failure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridges.messages import Attachment, AttachmentKind
from bridges.telegram.legible import display
from bridges.telegram.wire import Message

_LARGEST = 2**53

#: field of a message, what its file is, its name and type when Telegram says none
_KINDS: tuple[tuple[str, AttachmentKind, str, str], ...] = (
    ("video", AttachmentKind.VIDEO, "video.mp4", "video/mp4"),
    ("animation", AttachmentKind.VIDEO, "animation.mp4", "video/mp4"),
    ("video_note", AttachmentKind.VIDEO, "video-message.mp4", "video/mp4"),
    ("voice", AttachmentKind.VOICE, "voice.ogg", "audio/ogg"),
    ("audio", AttachmentKind.AUDIO, "audio.mp3", "audio/mpeg"),
    ("document", AttachmentKind.DOCUMENT, "document", "application/octet-stream"),
)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")

    file_id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,256}$")
    file_size: int | None = Field(default=None, ge=0, le=_LARGEST)
    file_name: str = ""
    mime_type: str = ""
    width: int = Field(default=0, ge=0, le=_LARGEST)
    height: int = Field(default=0, ge=0, le=_LARGEST)


def attachments(message: Message) -> tuple[Attachment, ...]:
    """At most one: Telegram sends an album as several messages."""
    return tuple(_found(message))[:1]


def document_name(value: Any) -> str:
    """What somebody called a document, or ""."""
    name = value.get("file_name") if isinstance(value, Mapping) else None
    return display(name) if isinstance(name, str) else ""


def _found(message: Message) -> Iterator[Attachment]:
    if photo := _largest(message.photo):
        yield _attachment(photo, AttachmentKind.IMAGE, "photo.jpg", "image/jpeg")
    for field, kind, name, mime in _KINDS:  # an animation comes with a document as well, hence its order
        if file := _read(getattr(message, field)):
            yield _attachment(file, kind, name, mime)


def _attachment(file: _File, kind: AttachmentKind, name: str, mime: str) -> Attachment:
    return Attachment(
        kind=kind,
        handle=file.file_id,
        name=display(file.file_name) or name,
        mime=display(file.mime_type) or mime,
        size=file.file_size,
    )


def _largest(sizes: Any) -> _File | None:
    """Telegram keeps a photo in several sizes."""
    if not isinstance(sizes, Sequence) or isinstance(sizes, str):
        return None
    read = [file for each in sizes[:32] if (file := _read(each)) is not None]
    return max(read, key=lambda file: file.width * file.height, default=None)


def _read(value: Any) -> _File | None:
    if not isinstance(value, Mapping):
        return None
    try:
        return _File.model_validate(value)
    except ValidationError:
        return None
