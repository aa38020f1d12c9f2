"""The Unix socket's file: ours to bind with mode 0660, taken over when stale, removed when we leave."""

import os
import stat
from contextlib import suppress
from errno import EADDRINUSE
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socket

MODE = 0o660


def bind(path: Path) -> socket:
    """A bound socket that does not listen yet. Raises OSError, also where somebody serves there already."""
    _clear(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    sock = socket(AF_UNIX, SOCK_STREAM)
    try:
        sock.bind(str(path))
        # Nobody can connect before it listens, so there is no moment with another mode.
        path.chmod(MODE)
    except BaseException:
        sock.close()
        raise
    return sock


def identity(path: Path) -> tuple[int, int]:
    """What tells this file from one that has taken its place."""
    found = path.lstat()
    return found.st_dev, found.st_ino


def remove(path: Path, ours: tuple[int, int]) -> None:
    """Unless somebody else has put another one there."""
    with suppress(OSError):
        if identity(path) == ours:
            path.unlink()


def _clear(path: Path) -> None:
    """Remove what a killed service left behind. Raises OSError for anything else."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(EADDRINUSE, os.strerror(EADDRINUSE) + ": it is not a socket", str(path))
    with socket(AF_UNIX, SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            path.unlink(missing_ok=True)
            return
        except OSError:
            pass  # it does not answer, but somebody has it
    raise OSError(EADDRINUSE, os.strerror(EADDRINUSE), str(path))
