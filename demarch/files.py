"""Opens a file beneath a folder for somebody who may only see that folder: no links, no way out, bounded."""

import errno
import os
import re
import stat
from contextlib import ExitStack
from itertools import islice
from pathlib import Path, PurePosixPath

from demarch.errors import NotFound, NotPossible
from demarch.phrases import one_line

LARGEST = 1024 * 1024
LISTED = 20_000  #: entries of one folder that are looked at

# Control characters but tab and line ends, and the marks that turn the direction of what stands behind them.
_UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")

_STEP = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK opening a pipe would wait for somebody to write into it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC


def read_beneath(folder: Path, path: str, largest: int = LARGEST) -> bytes:
    """The content of a regular file beneath the folder. Blocking; raises NotFound or NotPossible."""
    shown = one_line(path, 120)
    parts = PurePosixPath(path).parts
    if not parts or path.startswith("/") or ".." in parts or "\0" in path:
        raise NotPossible(f"“{shown}” does not lie in the project folder, so it is not read.")
    try:
        with ExitStack() as descriptors:
            return _read(descriptors, folder, parts, largest, shown)
    except FileNotFoundError as error:
        raise NotFound(f"There is no file “{shown}” in the project folder.") from error
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotPossible(f"“{shown}” is a link, and links are not followed.") from error
        # ENOTDIR: a link to a folder, or a file where a folder was expected.
        raise NotPossible(f"“{shown}” cannot be read ({os.strerror(error.errno or 0)}).") from error


def text_of_file(content: bytes) -> str:
    """What a file says, with what would hide or reorder its words made visible."""
    return _UNSEEN.sub("\N{REPLACEMENT CHARACTER}", content.decode("utf-8", "replace"))


def names_beneath(folder: Path, path: str, most: int = LISTED) -> list[tuple[str, float]]:
    """The regular files in a folder beneath the folder with when they changed, the newest first.

    Blocking; a folder that is not there, or is a link, has none.
    """
    try:
        with ExitStack() as descriptors:
            here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            descriptors.callback(os.close, here)
            for part in PurePosixPath(path).parts:
                here = os.open(part, _STEP, dir_fd=here)
                descriptors.callback(os.close, here)
            entries = descriptors.enter_context(os.scandir(here))
            files = [entry for entry in islice(entries, most) if entry.is_file(follow_symlinks=False)]
            found = [(entry.name, entry.stat(follow_symlinks=False).st_mtime) for entry in files]
    except OSError:
        return []
    return sorted(found, key=lambda file: (-file[1], file[0]))


def _read(descriptors: ExitStack, folder: Path, parts: tuple[str, ...], largest: int, shown: str) -> bytes:
    here = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    descriptors.callback(os.close, here)
    for part in parts[:-1]:
        here = os.open(part, _STEP, dir_fd=here)
        descriptors.callback(os.close, here)
    file = os.open(parts[-1], _FILE, dir_fd=here)
    descriptors.callback(os.close, file)
    about = os.fstat(file)
    if not stat.S_ISREG(about.st_mode):
        raise NotPossible(f"“{shown}” is not a regular file, so it is not read.")
    if about.st_size > largest:
        raise NotPossible(f"“{shown}” is larger than {largest // 1024} KB, so it is not read.")
    content = bytearray()
    while len(content) <= largest and (chunk := os.read(file, 65536)):
        content += chunk
    return bytes(content[:largest])
