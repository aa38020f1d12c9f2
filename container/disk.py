"""Bounds what an agent keeps on the host's disk: its folders are measured while it runs."""

import asyncio
import errno
import os
import stat
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import structlog

from container.sandbox import Mount
from container.unnamed import unnamed

MOST_ENTRIES = 200_000  #: files and folders; more are as good as full
DEEPEST = 100  #: folders within folders
SHORTEST, LONGEST = 0.5, 15.0  #: seconds between two looks
TICK = 1.0  #: seconds between looks at the free space, which costs nothing
SHARE = 20  #: a look takes one part in so many of the time, at most
PARALLEL = 2  #: looks at once, whichever agents they are for

_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC

log = structlog.get_logger()


class TooMuch(Exception):
    """There is more than may be; the message says of what."""


@dataclass(slots=True)
class _Tally:
    """What was found so far. Counts space that is taken, not the length of files with holes in them."""

    most: int
    most_entries: int
    used: int = 0
    entries: int = 0

    def add(self, found: os.stat_result) -> None:
        self.used += found.st_blocks * 512
        self.entries += 1
        if self.used > self.most:
            raise TooMuch(f"more than {told(self.most)}")
        if self.entries > self.most_entries:
            raise TooMuch(f"more than {self.most_entries:,} files")


def measured(folders: Sequence[Path], most: int, entries: int = MOST_ENTRIES) -> int:
    """The bytes these folders take on the disk; follows no link and blocks. Raises TooMuch, OSError."""
    tally = _Tally(most, entries)
    for folder in folders:
        with suppress(FileNotFoundError):
            _measure(os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), tally, DEEPEST)
    return tally.used


def told(size: int) -> str:
    """A size as people write it."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")):
        if size >= unit:
            return f"{size / unit:.3g} {name}"
    return f"{size} bytes"


class DiskBound:
    """Watches the folders that one agent may fill."""

    def __init__(self, mounts: Sequence[Mount], most: int, looks: asyncio.Semaphore) -> None:
        """`looks` is shared by all agents of a host: so many are measured at once."""
        self._folders = tuple(mount.source for mount in mounts if mount.writable and mount.counted)
        self._most = most
        self._looks = looks
        self._used = 0
        self.leader = 0  #: the first process of the agent, once there is one

    async def check(self) -> None:
        """Raise TooMuch when the folders are fuller than they may be."""
        async with self._looks:
            self._used = await asyncio.to_thread(self._measure)

    def _measure(self) -> int:
        used = measured(self._folders, self._most)
        if self.leader and self._folders:
            used += unnamed(self.leader, {folder.stat().st_dev for folder in self._folders})
        if used > self._most:
            raise TooMuch(f"more than {told(self._most)}, part of it in files without a name")
        return used

    async def exceeded(self, awake: asyncio.Event) -> str:
        """Return what there is too much of, once there is. Nobody looks while it is not `awake`.

        Looks often when the folders fill fast and seldom when they do not change, but at once when the disk's
        free space falls as it does when somebody fills it.
        """
        if not self._folders:
            await asyncio.Event().wait()
        pause = SHORTEST
        while True:
            await awake.wait()
            await self.wait(pause, await asyncio.to_thread(_free, self._folders) - self._room // 2)
            before, began = self._used, time.monotonic()
            try:
                await self.check()
            except TooMuch as error:
                return str(error)
            except OSError as error:
                log.warning("disk.not_measured", reason=str(error))
            took = time.monotonic() - began
            pause = next_look(pause, self._used - before, self._room, took)

    @property
    def _room(self) -> int:
        return self._most - self._used

    async def wait(self, pause: float, enough: int) -> None:
        """Sleep so long, or until the disk has less than `enough` bytes free."""
        while pause > 0:
            await asyncio.sleep(min(pause, TICK))
            pause -= TICK
            if pause > 0 and await asyncio.to_thread(_free, self._folders) < enough:
                return


def _free(folders: Sequence[Path]) -> int:
    """The free bytes of the disk that has fewest."""
    found = []
    for folder in folders:
        with suppress(OSError):
            disk = os.statvfs(folder)
            found.append(disk.f_bavail * disk.f_frsize)
    return min(found, default=0)


def next_look(pause: float, grown: int, room: int, took: float) -> float:
    """Seconds to the next look: half the time in which the room is gone at this pace."""
    enough = LONGEST if grown <= 0 else room * pause / grown / 2
    return max(min(enough, 2 * pause, LONGEST), SHORTEST, SHARE * took)


def _measure(folder: int, tally: _Tally, depth: int) -> None:
    """Add up a folder, whose descriptor is closed at the end."""
    below: list[str] = []
    try:
        tally.add(os.fstat(folder))
        with os.scandir(folder) as entries:
            for entry in entries:
                with suppress(FileNotFoundError):
                    found = entry.stat(follow_symlinks=False)
                    if stat.S_ISDIR(found.st_mode):
                        below.append(entry.name)
                    else:
                        tally.add(found)
        if below and depth == 0:
            raise TooMuch(f"more than {DEEPEST} folders within each other")
        for name in below:
            if (opened := _step(folder, name)) is not None:
                _measure(opened, tally, depth - 1)
    finally:
        os.close(folder)


def _step(folder: int, name: str) -> int | None:
    """A folder below, opened; None when it is another thing by now. A locked one might hide anything."""
    try:
        return os.open(name, _STEP, dir_fd=folder)
    except PermissionError as error:
        raise TooMuch("a folder that nobody may look into") from error
    except OSError as error:
        if error.errno in {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}:
            return None
        raise
