"""Names and types of files from outside: whatever they say, they end as one plain step and a true type."""

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from host.incoming.file_names import LONGEST, safe_name
from host.incoming.file_types import MOST_SIDE, UNKNOWN, recognise


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("Übersicht (neu) 2.xlsx", "Übersicht (neu) 2.xlsx"),
        ("отчёт.docx", "отчёт.docx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\secret.txt", "secret.txt"),
        ("..", "file"),
        (".bashrc", "bashrc"),
        ("-rf", "rf"),
        ("a\nb\u202etxt.exe", "a btxt.exe"),
        ("$(rm -rf ~);`x`.sh", "(rm -rf _)_x_.sh"),
        ("", "file"),
        ("x" * 500 + ".pdf", "x" * (LONGEST - 4) + ".pdf"),
        ("x." + "y" * 100, "x." + "y" * 100),
    ],
)
def test_a_name_keeps_what_people_read_and_loses_what_shells_do(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=300))
def test_any_name_is_one_short_visible_step(name: str) -> None:
    safe = safe_name(name)
    assert safe
    assert len(safe.encode()) <= LONGEST
    assert not set(safe) & set("/\\\0\n\r\t'\"`$&|;<>*?!{}[]:")
    assert safe[0] not in ". -"
    assert safe not in {".", ".."}
    assert all(unicodedata.category(letter)[0] != "C" for letter in safe)
    assert safe_name(safe) == safe


def picture(form: str, size: tuple[int, int] = (4, 4)) -> bytes:
    written = io.BytesIO()
    Image.new("L", size).save(written, form)
    return written.getvalue()


@pytest.mark.parametrize(
    ("form", "mime"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("GIF", "image/gif"), ("WEBP", "image/webp")],
)
def test_a_picture_is_handed_over_when_it_can_be_decoded(form: str, mime: str) -> None:
    data = picture(form)
    assert recognise(data, mime).inline
    assert not recognise(data, mime).doubted
    cut = recognise(data[: len(data) // 2], mime)
    assert (cut.mime, cut.inline) == (mime, False)


def test_a_picture_of_monstrous_size_is_a_file_only() -> None:
    assert not recognise(picture("PNG", (MOST_SIDE + 1, 1)), "image/png").inline
    assert not recognise(picture("GIF", (6000, 6000)), "image/gif").inline


@pytest.mark.parametrize(
    ("data", "claimed", "mime", "inline", "doubted"),
    [
        (b"OggS" + bytes(30), "audio/ogg; codecs=opus", "audio/ogg", True, False),
        (b"ID3\x04" + bytes(30), "audio/mp3", "audio/mpeg", True, False),
        (b"\xff\xfb\x90" + bytes(30), "audio/mpeg", "audio/mpeg", True, False),
        (b"RIFF\x01\x02\x03\x04WAVEfmt ", "audio/x-wav", "audio/wav", True, False),
        (b"\0\0\0\x20ftypM4A " + bytes(20), "audio/m4a", "audio/mp4", True, False),
        (b"\0\0\0\x20ftypisom" + bytes(20), "video/mp4", "video/mp4", False, False),
        (b"%PDF-1.7", "application/pdf", "application/pdf", False, False),
        (b"%PDF-1.7", "image/png", "application/pdf", False, True),
        (b"\x7fELF\x02", "image/jpeg", "application/x-executable", False, True),
        (b"MZ\x90", "text/plain", "application/x-msdownload", False, True),
        (b"PK\x03\x04", "application/vnd.x", "application/vnd.x", False, False),
        (b"PK\x03\x04", "image/png", "application/zip", False, True),
        (b"<html>", "image/png", UNKNOWN, False, True),
        (b"plain words", "text/plain; charset=utf-8", "text/plain", False, False),
        (b"<svg/>", "image/svg+xml", "image/svg+xml", False, False),
        (b"", "", UNKNOWN, False, False),
    ],
)  # fmt: skip
def test_a_file_is_what_its_content_says(
    data: bytes, claimed: str, mime: str, inline: bool, doubted: bool
) -> None:
    found = recognise(data, claimed)
    assert (found.mime, found.inline, found.doubted) == (mime, inline, doubted)


@given(
    st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF89a", b"RIFF\0\0\0\0WEBP"]),
    st.binary(max_size=200),
)
def test_no_bytes_make_looking_at_them_fail(head: bytes, rest: bytes) -> None:
    assert recognise(head + rest, "image/png").mime.startswith("image/")
