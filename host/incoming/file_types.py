"""What a file is by its content, whatever its name and its sender say.

Pictures are decoded, by Pillow: what a model's provider cannot read would fail every later turn of the
conversation too. The other types we tell apart have a signature of a few bytes each; puremagic, which guesses
among hundreds, was tried and named a bare ZIP a Word document, or no type at all.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

MOST_SIDE = 8000
MOST_PIXELS = 25_000_000
UNKNOWN = "application/octet-stream"

_PICTURES: tuple[tuple[bytes, str, Callable[[io.BytesIO], ImageFile]], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png", PngImageFile),
    (b"\xff\xd8\xff", "image/jpeg", JpegImageFile),
    (b"GIF87a", "image/gif", GifImageFile),
    (b"GIF89a", "image/gif", GifImageFile),
    (b"RIFF????WEBP", "image/webp", WebPImageFile),
)
_SOUNDS: tuple[tuple[bytes, str], ...] = (
    (b"OggS", "audio/ogg"),
    (b"ID3", "audio/mpeg"),
    (b"\xff\xfb", "audio/mpeg"),
    (b"\xff\xf3", "audio/mpeg"),
    (b"\xff\xf2", "audio/mpeg"),
    (b"RIFF????WAVE", "audio/wav"),
    (b"????ftypM4A", "audio/mp4"),
    (b"????ftypM4B", "audio/mp4"),
)
_OTHERS: tuple[tuple[bytes, str], ...] = (
    (b"????ftyp", "video/mp4"),
    (b"\x1a\x45\xdf\xa3", "video/webm"),
    (b"%PDF-", "application/pdf"),
    (b"PK\x03\x04", "application/zip"),
    (b"\x1f\x8b", "application/gzip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/vnd.rar"),
    (b"\x7fELF", "application/x-executable"),
    (b"MZ", "application/x-msdownload"),
)
#: types whose files are a ZIP inside
_ZIPPED = ("application/vnd.", "application/epub+zip", "application/java-archive", "application/x-zip")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileType:
    """What a file is."""

    mime: str
    inline: bool = False  #: a model may be given it as it is
    doubted: bool = False  #: it was said to be something else


def recognise(data: bytes, claimed: str) -> FileType:
    """The type by content; by word only where the content tells nothing. Blocks: decodes pictures."""
    claimed = claimed.partition(";")[0].strip().lower() or UNKNOWN
    for signature, mime, decoder in _PICTURES:
        if _begins(data, signature):
            return FileType(mime=mime, inline=_readable(data, decoder), doubted=_differs(mime, claimed))
    found = next((mime for signature, mime in (*_SOUNDS, *_OTHERS) if _begins(data, signature)), "")
    if found == "application/zip" and claimed.startswith(_ZIPPED):
        return FileType(mime=claimed)
    if found:
        return FileType(mime=found, inline=found.startswith("audio/"), doubted=_differs(found, claimed))
    if claimed.startswith(("image/", "audio/")) and claimed != "image/svg+xml":
        return FileType(mime=UNKNOWN, doubted=True)
    return FileType(mime=claimed)


def _begins(data: bytes, signature: bytes) -> bool:
    """Whether the data begins so; a question mark stands for any byte."""
    head = data[: len(signature)]
    return len(head) == len(signature) and all(
        wanted in (b"?"[0], found) for wanted, found in zip(signature, head, strict=True)
    )


def _readable(data: bytes, decoder: Callable[[io.BytesIO], ImageFile]) -> bool:
    try:
        with decoder(io.BytesIO(data)) as picture:
            width, height = picture.size
            if not (0 < width <= MOST_SIDE and 0 < height <= MOST_SIDE and width * height <= MOST_PIXELS):
                return False
            picture.load()
    except Exception:  # noqa: BLE001 - a decoder fails in any way on bytes made for it
        return False
    return True


def _differs(found: str, claimed: str) -> bool:
    """Sounds and films have many names for one type; pictures and the rest have not."""
    if claimed == UNKNOWN:
        return False
    family = found.partition("/")[0]
    if family in {"audio", "video"}:
        return claimed.partition("/")[0] not in {"audio", "video"}
    return found != claimed and not (found == "image/jpeg" and claimed == "image/jpg")
