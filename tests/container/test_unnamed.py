"""Files without a name are found where they are held."""

import mmap
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from container.unnamed import belongs, unnamed

KB = 1024
HOLD = """
import os, sys, tempfile
if os.fork():
    os.wait()
else:
    file = tempfile.TemporaryFile(dir=sys.argv[1])
    file.write(b"x" * 64 * 1024)
    file.flush()
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[int]:
    """A process whose child holds such a file."""
    with subprocess.Popen(  # noqa: S603 - our own words
        [sys.executable, "-c", HOLD, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"held\n"
        yield process.pid


def test_what_a_child_holds_open_is_counted(tmp_path: Path, holder: int) -> None:
    assert unnamed(holder, {tmp_path.stat().st_dev}) == 64 * KB


def test_other_devices_are_not_looked_at(tmp_path: Path, holder: int) -> None:
    assert unnamed(holder, {tmp_path.stat().st_dev + 1}) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may look at what is mapped")
def test_what_is_only_mapped_is_counted_once(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    before = unnamed(os.getpid(), {device})
    with tempfile.TemporaryFile(dir=tmp_path) as file:
        file.write(b"x" * 64 * KB)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 64 * KB)
        assert unnamed(os.getpid(), {device}) - before == 64 * KB
    assert unnamed(os.getpid(), {device}) - before == 64 * KB
    mapped.close()
    assert unnamed(os.getpid(), {device}) == before


def test_a_file_with_a_name_and_a_process_that_is_gone_hold_nothing(tmp_path: Path) -> None:
    device = tmp_path.stat().st_dev
    before = unnamed(os.getpid(), {device})
    with (tmp_path / "named").open("wb") as file:
        file.write(b"x" * 64 * KB)
        file.flush()
        assert unnamed(os.getpid(), {device}) == before
    assert unnamed(1 << 22, {device}) == 0


def test_a_process_is_told_by_its_control_group(tmp_path: Path) -> None:
    (tmp_path / "7").mkdir()
    (tmp_path / "7" / "cgroup").write_text("0::/system.slice/docker-abc.scope\n")
    assert belongs(7, "abc", tmp_path)
    assert not belongs(7, "abd", tmp_path)
    assert not belongs(8, "abc", tmp_path)
