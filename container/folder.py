"""A folder that an agent writes to, opened from the host: beneath a descriptor, following no link.

FolderError
├── NotThere     there is no such file
├── NotPlain     it is a link, a pipe, a device or a folder, it has a second name, or one is on the way to it
└── TooLarge     it has more bytes than were asked for at most

An agent may change anything in it at any moment: replace a file by a link, a folder by a pipe, and back. So
nothing is looked at by its path and used by its path afterwards: each step is opened from the step before,
and what was opened is what is looked at. All methods block; use them in threads.
"""

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import BinaryIO

MOST_STEPS = 32  #: folders on the way to a file
MOST_LOOKED_AT = 10_000  #: entries of one folder
TRIES = 100  #: for a name nobody has
CHUNK = 1024 * 1024

_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PLACE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_LINKED = {errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO}
_NUMBERS = count()


class FolderError(Exception):
    """A file in an agent's folder was not read or written; the message is a sentence."""


class NotThere(FolderError):
    """There is no such file."""


class NotPlain(FolderError):
    """It is something else than an ordinary file with one name below ordinary folders."""


class TooLarge(FolderError):
    """It has more bytes than it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An ordinary file as it was when it was looked at."""

    name: str  #: as the agent named it: any character but a slash
    size: int
    modified: int  #: nanoseconds since 1970


class GroupFolder:
    """A folder of the host, mounted writable into some agent's sandbox. `name`s are relative to it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, name: str, most: int) -> bytes:
        """The whole of an ordinary file of at most so many bytes. Raises FolderError."""
        with self.open(name, most) as file:
            data = file.read(most + 1)
        if len(data) > most:  # it grew
            raise _too_large(name, most)
        return data

    @contextmanager
    def open(self, name: str, most: int) -> Iterator[BinaryIO]:
        """An ordinary file, open for reading; it may still change. Raises FolderError."""
        with _words(name), self._parent(name) as (parent, last):
            place = os.open(last, _PLACE, dir_fd=parent)
            try:
                _check(name, os.fstat(place), most)
                file = os.open(
                    f"/proc/self/fd/{place}", _READ
                )  # what was looked at, whatever has its name now
            finally:
                os.close(place)
        with os.fdopen(file, "rb") as opened:
            yield opened

    def names(self, subfolder: str, most: int) -> list[Entry]:
        """Up to so many ordinary files directly in a folder, by name; none when it is not there."""
        found: list[Entry] = []
        with (
            suppress(NotThere),
            _words(subfolder),
            self._folder(_steps(subfolder)) as folder,
            os.scandir(folder) as entries,
        ):
            for entry in islice(entries, MOST_LOOKED_AT):
                found += _ordinary(entry)
        return sorted(found, key=lambda entry: entry.name)[:most]

    def write(self, name: str, data: bytes) -> None:
        """Put a file there, whole or not at all; folders on the way are made. Raises FolderError.

        A link of that name is replaced, not followed. The file belongs to whom its folder belongs to.
        """
        with _words(name), self._parent(name, make=True) as (parent, last):
            temporary, file = _new_file(parent)
            try:
                with os.fdopen(file, "wb") as opened:
                    _give(file, parent)
                    opened.write(data)
                os.rename(temporary, last, src_dir_fd=parent, dst_dir_fd=parent)
            except BaseException:
                with suppress(OSError):
                    os.unlink(temporary, dir_fd=parent)
                raise

    def remove(self, name: str) -> None:
        """Remove a file, or a link itself; not there is success. Raises FolderError."""
        with suppress(NotThere), _words(name), self._parent(name) as (parent, last):
            os.unlink(last, dir_fd=parent)

    @contextmanager
    def _parent(self, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
        *steps, last = _steps(name) or [""]
        if not last:
            raise NotPlain("A file needs a name.")
        with self._folder(steps, make=make) as parent:
            yield parent, last

    @contextmanager
    def _folder(self, steps: list[str], *, make: bool = False) -> Iterator[int]:
        here = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            for step in steps:
                if make:
                    _make(step, here)
                below = os.open(step, _STEP, dir_fd=here)
                os.close(here)
                here = below
            yield here
        finally:
            os.close(here)


def _steps(name: str) -> list[str]:
    """The parts of a relative path; refuses what leads elsewhere."""
    steps = [step for step in name.split("/") if step != "."] if name else []
    if len(steps) > MOST_STEPS or any(step in {"", ".."} or "\0" in step for step in steps):
        raise NotPlain(f"“{name[:200]}” does not name anything in this folder.")
    return steps


def _check(name: str, found: os.stat_result, most: int) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise NotPlain(f"“{name}” is not an ordinary file.")
    if found.st_nlink != 1:  # its other name may be a place that is none of this agent's business
        raise NotPlain(f"“{name}” has more than one name (a hard link); make a copy instead.")
    if found.st_size > most:
        raise _too_large(name, most)


def _too_large(name: str, most: int) -> TooLarge:
    size = f"{most // 1024 // 1024} MB" if most >= 1024 * 1024 else f"{most} bytes"
    return TooLarge(f"“{name}” is larger than {size}.")


def _ordinary(entry: "os.DirEntry[str]") -> list[Entry]:
    """The entry, if it is a file that `read` would take and its name is text."""
    try:
        entry.name.encode()
        found = entry.stat(follow_symlinks=False)
    except (OSError, UnicodeEncodeError):
        return []
    if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
        return []
    return [Entry(name=entry.name, size=found.st_size, modified=found.st_mtime_ns)]


def _make(step: str, parent: int) -> None:
    try:
        os.mkdir(step, 0o755, dir_fd=parent)
    except FileExistsError:
        return
    made = os.open(step, _STEP, dir_fd=parent)
    try:
        _give(made, parent)
    finally:
        os.close(made)


def _give(file: int, parent: int) -> None:
    """To whom the folder belongs, so that the agent may go on with it."""
    owner = os.fstat(parent)
    if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
        with suppress(PermissionError):  # only root can give away, and only then it is another's
            os.fchown(file, owner.st_uid, owner.st_gid)


def _new_file(parent: int) -> tuple[str, int]:
    for _ in range(TRIES):
        name = f".{os.getpid()}-{next(_NUMBERS)}.part"
        with suppress(FileExistsError):
            return name, os.open(name, _WRITE, 0o644, dir_fd=parent)
    raise NotPlain("The folder has a file under every name that was tried.")


@contextmanager
def _words(name: str) -> Iterator[None]:
    """The system's errors as ours."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotThere(f"There is no “{name}”.") from error
    except OSError as error:
        if error.errno in _LINKED:
            raise NotPlain(
                f"“{name}” is not an ordinary file, or there is a link on the way to it."
            ) from error
        raise FolderError(f"“{name}” cannot be used: {error.strerror}.") from error
