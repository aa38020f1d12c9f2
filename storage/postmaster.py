"""Whether a PostgreSQL server runs on a data folder, by its `postmaster.pid` and the process it names."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Postmaster:
    """What a running server has written into `postmaster.pid`."""

    pid: int
    sockets: Path
    status: str  #: starting, ready, stopping

    @classmethod
    def read(cls, data: Path) -> "Postmaster | None":
        """The server that runs on this data folder, or None: a killed one leaves its file behind."""
        try:
            lines = (data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            pid = int(lines[0])
        except (OSError, ValueError, IndexError):
            return None
        if not _works_in(pid, data):
            return None
        complete = len(lines) >= 8
        return cls(pid, Path(lines[4] if complete else ""), lines[7].strip() if complete else "starting")


def forget_stranger(data: Path) -> None:
    """Remove lock files whose number now belongs to another program: PostgreSQL would believe them.

    So it would its predecessor's while nobody has taken note of that one's death. With files of a dead
    process it copes by itself, so nothing else is ever removed.
    """
    for path in (data / "postmaster.pid", *data.glob(".s.PGSQL.*.lock")):
        try:
            pid = int(path.read_text(encoding="utf-8").splitlines()[0])
            os.kill(pid, 0)
        except (OSError, ValueError, IndexError):
            continue
        if not _works_in(pid, data):
            path.unlink(missing_ok=True)


def _works_in(pid: int, folder: Path) -> bool:
    """Whether the process is alive and its working folder is this one, as a PostgreSQL server's is."""
    try:
        if Path("/proc/self").exists():
            return Path(f"/proc/{pid}/cwd").samefile(folder)
        os.kill(pid, 0)
    except PermissionError:
        return _was_told(pid, folder)
    except OSError:
        return False
    return True


def _was_told(pid: int, folder: Path) -> bool:
    """The same by its arguments: root in a container may not look into other users' processes."""
    try:
        return os.fsencode(folder) in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
