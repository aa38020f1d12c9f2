"""What an agent plants in its folder is not what the host opens."""

import os
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from container.folder import FolderError, GroupFolder, NotPlain, NotThere, TooLarge

MOST = 1000
SECRET = b"what only the host may read"


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """Something of the host that no agent may read or change."""
    place = tmp_path / "host"
    place.mkdir()
    (place / "secret").write_bytes(SECRET)
    return place


@pytest.fixture
def group(tmp_path: Path) -> GroupFolder:
    (tmp_path / "group" / "outbox").mkdir(parents=True)
    return GroupFolder(tmp_path / "group")


def _descriptors() -> set[str]:
    return {path.name for path in Path("/proc/self/fd").iterdir()}


@pytest.fixture(autouse=True)
def no_descriptor_is_left_open() -> Iterator[None]:
    before = _descriptors()
    yield
    assert len(_descriptors() - before) <= 1  # that of listing itself


def test_a_file_is_written_listed_read_and_removed(group: GroupFolder) -> None:
    group.write("outbox/new/report.txt", b"42")
    group.write("outbox/new/report.txt", b"43")
    assert group.read("outbox/new/report.txt", MOST) == b"43"
    assert [(entry.name, entry.size) for entry in group.names("outbox/new", 10)] == [("report.txt", 2)]
    group.remove("outbox/new/report.txt")
    group.remove("outbox/new/report.txt")
    assert group.names("outbox/new", 10) == []
    assert group.names("outbox/never", 10) == []
    with pytest.raises(NotThere):
        group.read("outbox/new/report.txt", MOST)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "../host/secret", "outbox/../../host/secret", "outbox//x", "x\0y", "", "a/" * 50]
)
def test_names_that_lead_elsewhere_are_refused(group: GroupFolder, outside: Path, name: str) -> None:
    for work in (
        lambda: group.read(name, MOST),
        lambda: group.write(name, b"x"),
        lambda: group.remove(name),
    ):
        with pytest.raises(FolderError):
            work()
    assert (outside / "secret").read_bytes() == SECRET


def test_links_are_not_followed(group: GroupFolder, outside: Path) -> None:
    (group.path / "outbox/passwd").symlink_to("/etc/passwd")
    (group.path / "outbox/up").symlink_to("..")
    (group.path / "outbox/host").symlink_to(outside)
    (group.path / "outbox/secret").symlink_to(outside / "secret")
    for name in ("passwd", "host", "secret", "host/secret", "up/outbox/secret"):
        with pytest.raises(NotPlain):
            group.read(f"outbox/{name}", MOST)
    assert group.names("outbox", 10) == []
    for folder in ("outbox/host", "outbox/up"):
        with pytest.raises(NotPlain):
            group.names(folder, 10)
        with pytest.raises(NotPlain):
            group.write(f"{folder}/new", b"x")
        with pytest.raises(NotPlain):
            group.remove(f"{folder}/secret")
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


def test_writing_over_a_link_replaces_the_link(group: GroupFolder, outside: Path) -> None:
    (group.path / "CLAUDE.md").symlink_to(outside / "secret")
    group.write("CLAUDE.md", b"memory")
    assert (outside / "secret").read_bytes() == SECRET
    assert group.read("CLAUDE.md", MOST) == b"memory"
    (group.path / "gone").symlink_to(outside / "secret")
    group.remove("gone")
    assert (outside / "secret").read_bytes() == SECRET


def test_a_file_is_not_written_over_a_folder(group: GroupFolder) -> None:
    with pytest.raises(NotPlain):
        group.write("outbox", b"x")
    assert sorted(path.name for path in group.path.iterdir()) == ["outbox"]
    with pytest.raises(FolderError):
        group.remove("outbox")


def test_pipes_and_sockets_and_folders_do_not_hang_the_host(group: GroupFolder) -> None:
    os.mkfifo(group.path / "outbox/pipe")
    (group.path / "outbox/folder").mkdir()
    for name in ("pipe", "folder"):
        with pytest.raises(NotPlain):
            group.read(f"outbox/{name}", MOST)
    with pytest.raises(NotPlain):
        group.read("outbox/pipe/x", MOST)
    assert group.names("outbox", 10) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices")
def test_a_device_is_not_opened(group: GroupFolder) -> None:
    try:
        os.mknod(group.path / "outbox/zero", 0o666 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("this machine lets nobody make devices")
    with pytest.raises(NotPlain):
        group.read("outbox/zero", MOST)
    assert group.names("outbox", 10) == []


def test_a_file_with_a_second_name_is_refused(group: GroupFolder, outside: Path) -> None:
    os.link(outside / "secret", group.path / "outbox/mine")
    with pytest.raises(NotPlain, match="make a copy"):
        group.read("outbox/mine", MOST)
    assert group.names("outbox", 10) == []


def test_size_is_bounded_whatever_the_file_says_it_has(group: GroupFolder) -> None:
    (group.path / "outbox/large").write_bytes(b"x" * (MOST + 1))
    with pytest.raises(TooLarge):
        group.read("outbox/large", MOST)
    (group.path / "outbox/exact").write_bytes(b"x" * MOST)
    assert len(group.read("outbox/exact", MOST)) == MOST
    with group.open("outbox/exact", MOST) as file:
        (group.path / "outbox/exact").write_bytes(b"y" * (MOST + 1))
        assert len(file.read(10)) == 10


def test_a_folder_with_very_many_files_is_listed_in_part(group: GroupFolder) -> None:
    for number in range(300):
        (group.path / f"outbox/{number:03}").touch()
    assert [entry.name for entry in group.names("outbox", 3)] == ["000", "001", "002"]


def test_names_that_are_no_text_are_not_listed(group: GroupFolder) -> None:
    (Path(os.fsdecode(bytes(group.path) + b"/outbox/\xff"))).touch()
    (group.path / "outbox/line\nbreak").touch()
    assert [entry.name for entry in group.names("outbox", 10)] == ["line\nbreak"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_is_written_belongs_to_the_owner_of_the_folder(group: GroupFolder) -> None:
    os.chown(group.path, 10001, 10001)
    group.write("inbox/photo.png", b"x")
    for name in ("inbox", "inbox/photo.png"):
        assert (group.path / name).stat().st_uid == 10001


@given(st.text(alphabet="ab./\0é", max_size=12))
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        (Path(place) / "a").mkdir()
        (Path(place) / "a" / "a").write_bytes(b"within")
        (Path(place) / "b").write_bytes(SECRET)
        try:
            assert GroupFolder(Path(place) / "a").read(name, MOST) == b"within"
        except FolderError:
            return


class Swapping:
    """An agent that puts one thing and another under a name, in turn, as fast as it can."""

    def __init__(self, place: Path, good: Path, bad: Path) -> None:
        self._place, self._good, self._bad = place, good, bad
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._swap)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _swap(self) -> None:
        made = count()
        while not self._done.is_set():
            for one in (self._good, self._bad):
                while True:
                    try:
                        one.rename(self._place)
                        break
                    except OSError:  # the host has made a folder of that name
                        self._place.rename(self._place.with_name(f"made-{next(made)}"))
                self._place.rename(one)


@pytest.mark.parametrize("planted", ["file", "folder"])
def test_swapping_while_the_host_reads_reveals_nothing(
    group: GroupFolder, outside: Path, planted: str
) -> None:
    good, bad, place = (group.path / name for name in ("good", "bad", "outbox/shown"))
    if planted == "file":
        good.write_bytes(b"harmless")
        bad.symlink_to(outside / "secret")
        name = "outbox/shown"
    else:
        good.mkdir()
        (good / "secret").write_bytes(b"harmless")
        bad.symlink_to(outside)
        name = "outbox/shown/secret"
    with Swapping(place, good, bad):
        seen = {_tried(group, name) for _ in range(3000)}
    assert SECRET not in seen
    assert len(seen) > 1  # it was read while it was swapped


def test_swapping_while_the_host_writes_changes_nothing_outside(group: GroupFolder, outside: Path) -> None:
    good, bad, place = (group.path / name for name in ("good", "bad", "inbox"))
    good.mkdir()
    bad.symlink_to(outside)
    written = 0
    with Swapping(place, good, bad):
        for _ in range(2000):
            with suppress(FolderError):
                group.write("inbox/secret", b"overwritten")
                written += 1
    assert written > 0
    assert (outside / "secret").read_bytes() == SECRET
    assert sorted(path.name for path in outside.iterdir()) == ["secret"]


def _tried(group: GroupFolder, name: str) -> bytes:
    try:
        return group.read(name, MOST)
    except FolderError as error:
        return type(error).__name__.encode()
