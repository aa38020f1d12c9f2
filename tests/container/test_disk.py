"""What an agent may keep on the host's disk is bounded, however it keeps it."""

import asyncio
import os
from pathlib import Path

import pytest

from container.disk import SHORTEST, DiskBound, TooMuch, measured, next_look, told
from container.sandbox import Mount

MB = 1024 * 1024


@pytest.fixture
def place(tmp_path: Path) -> Path:
    (tmp_path / "group" / "a" / "b").mkdir(parents=True)
    return tmp_path / "group"


def test_everything_in_all_folders_is_counted(place: Path, tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    for name in ("group/x", "group/a/b/x", "state/x"):
        (tmp_path / name).write_bytes(b"x" * MB)
    used = measured([place, tmp_path / "state", tmp_path / "never"], 10 * MB)
    assert 3 * MB <= used < 3.2 * MB


def test_more_than_allowed_is_told(place: Path) -> None:
    for number in range(4):
        (place / f"{number}").write_bytes(b"x" * MB)
    with pytest.raises(TooMuch, match=r"^more than 3 MB$"):
        measured([place], 3 * MB)


def test_links_lead_nowhere_and_holes_take_no_room(place: Path, tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "large").write_bytes(b"x" * 4 * MB)
    (place / "folder").symlink_to(tmp_path / "host")
    (place / "file").symlink_to(tmp_path / "host" / "large")
    (place / "round").symlink_to(place)
    os.mkfifo(place / "pipe")
    with (place / "hollow").open("wb") as file:
        file.truncate(100 * MB)
    assert measured([place], 3 * MB) < MB


def test_very_many_files_are_too_much(place: Path) -> None:
    for number in range(60):
        (place / f"{number}").touch()
    with pytest.raises(TooMuch, match="more than 50 files"):
        measured([place], 100 * MB, 50)


def test_very_deep_folders_are_too_much_and_leave_no_descriptor_open(place: Path) -> None:
    here = os.open(place, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    before = len(list(Path("/proc/self/fd").iterdir()))
    with pytest.raises(TooMuch, match="folders within each other"):
        measured([place], 100 * MB)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is locked for root")
def test_a_locked_folder_is_not_a_hiding_place(place: Path) -> None:
    (place / "a").chmod(0)
    try:
        with pytest.raises(TooMuch, match="look into"):
            measured([place], MB)
    finally:
        (place / "a").chmod(0o755)


async def test_only_what_is_writable_and_counted_is_watched(place: Path) -> None:
    (place / "x").write_bytes(b"x" * 2 * MB)
    for mount in (
        Mount(source=place, target="/x"),
        Mount(source=place, target="/x", writable=True, counted=False),
    ):
        await DiskBound([mount], MB, asyncio.Semaphore()).check()
    with pytest.raises(TooMuch):
        await DiskBound([Mount(source=place, target="/x", writable=True)], MB, asyncio.Semaphore()).check()


async def test_growth_is_noticed_but_not_while_nobody_is_awake(place: Path) -> None:
    awake = asyncio.Event()
    bound = DiskBound([Mount(source=place, target="/x", writable=True)], MB, asyncio.Semaphore())
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        watching = group.create_task(bound.exceeded(awake))
        (place / "x").write_bytes(b"x" * 2 * MB)
        done, _ = await asyncio.wait({watching}, timeout=2 * SHORTEST)
        assert not done
        awake.set()
        assert await watching == "more than 1 MB"


async def test_a_disk_that_fills_is_looked_at_before_it_is_time(place: Path) -> None:
    bound = DiskBound([Mount(source=place, target="/x", writable=True)], MB, asyncio.Semaphore())
    async with asyncio.timeout(10):
        await bound.wait(60, enough=1 << 62)  # more than any disk has
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await bound.wait(60, enough=1)


@pytest.mark.parametrize(
    ("pause", "grown", "room", "took", "expected"),
    [
        (0.5, 0, 100, 0.0, 1.0),  # nothing happens: look less often, little by little
        (15.0, 0, 100, 0.0, 15.0),
        (4.0, 10, 10, 0.0, 2.0),  # full in 4 s
        (15.0, 1000, 10, 0.0, 0.5),
        (1.0, 0, 100, 1.0, 20.0),  # a look takes long
    ],
)
def test_looks_come_as_fast_as_the_folders_fill(
    pause: float, grown: int, room: int, took: float, expected: float
) -> None:
    assert next_look(pause, grown, room, took) == expected


def test_sizes_are_told_as_people_write_them() -> None:
    assert [told(n) for n in (5, 2048, 3 * MB, 2 * 1024 * MB)] == ["5 bytes", "2 kB", "3 MB", "2 GB"]
