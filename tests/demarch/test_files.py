"""Files beneath the project folder, whatever path is asked for."""

import os
from pathlib import Path

import pytest

from demarch.errors import DemarchError, NotFound, NotPossible
from demarch.files import read_beneath, text_of_file


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "docs").mkdir(parents=True)
    (folder / "docs" / "plan.md").write_text("the plan")
    (tmp_path / "secret").write_text("secret")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "way").symlink_to(tmp_path)
    (folder / "here").symlink_to(folder / "docs")
    os.mkfifo(folder / "pipe")
    (folder / "big").write_bytes(b"x" * 101)
    return folder


def test_a_regular_file_is_read(project: Path) -> None:
    assert read_beneath(project, "docs/plan.md") == b"the plan"
    assert read_beneath(project, "./docs//plan.md") == b"the plan"


@pytest.mark.parametrize(
    "path",
    ["../secret", "docs/../../secret", "/etc/passwd", "link", "way/secret", "here/plan.md", "pipe", "docs",
     "", ".", "..", "big", "docs/plan.md/x", "a\0b", "x" * 5000],
)  # fmt: skip
def test_nothing_else_is(project: Path, path: str) -> None:
    with pytest.raises(NotPossible):
        read_beneath(project, path, largest=100)


def test_a_link_is_said_to_be_one(project: Path) -> None:
    with pytest.raises(NotPossible, match="“link” is a link, and links are not followed"):
        read_beneath(project, "link")


def test_what_hides_or_reorders_words_is_made_visible() -> None:
    shown = text_of_file("a\tb\r\n\x1b[31mred\0 \u202egnp.exe\u2066 \u200fאבג é".encode() + b"\xff")
    assert shown == "a\tb\r\n\ufffd[31mred\ufffd \ufffdgnp.exe\ufffd \u200fאבג é\ufffd"


def test_a_missing_file_is_said_to_be_missing(project: Path) -> None:
    with pytest.raises(NotFound, match="no file"):
        read_beneath(project, "docs/other.md")
    with pytest.raises(DemarchError):
        read_beneath(project / "gone", "docs/other.md")
