"""When we are root: the unprivileged user PostgreSQL runs as, and its way to the files it needs.

PostgreSQL refuses to run as root. Its user must be able to walk to the data folder and to the programs, so
the folders on the way become traversable (`o+x`, not readable) for everybody. Files of ours beside the data
folder are protected by their own mode only and must be 0600.
"""

import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

import structlog

from storage.errors import ServerFailed

log = structlog.get_logger()

NAME = "pgserver"


@dataclass(frozen=True, slots=True)
class SystemUser:
    name: str
    uid: int
    gid: int

    def own(self, path: Path) -> None:
        os.chown(path, self.uid, self.gid)


def unprivileged() -> SystemUser | None:
    """The user to run PostgreSQL as: none of its own unless we are root. Makes it when it is missing."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam(NAME)
    except KeyError:
        _add()
        entry = pwd.getpwnam(NAME)
    return SystemUser(NAME, entry.pw_uid, entry.pw_gid)


def make_reachable(path: Path) -> None:
    """Let everybody walk through the folders above the path."""
    for folder in path.resolve().parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)
            log.info("folder.made_traversable", folder=str(folder), why="PostgreSQL does not run as root")


def make_readable(folder: Path) -> None:
    """Let everybody read the programs in the folder, after an installation under a strict umask."""
    for path in (folder, *folder.rglob("*")):
        mode = path.stat().st_mode
        wanted = (mode & 0o500) >> 6
        if mode & 0o005 != wanted:
            path.chmod(stat.S_IMODE(mode) | wanted)


def _add() -> None:
    useradd = shutil.which("useradd", path="/usr/sbin:/usr/bin:/sbin:/bin")
    if useradd is None:
        raise ServerFailed(
            f"PostgreSQL does not run as root and there is no useradd to make it a user; "
            f"add a system user named {NAME}, run Intercom as another user, or set INTERCOM_DATABASE_URL"
        )
    command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", NAME]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=30)  # noqa: S603 - fixed words
    except (subprocess.SubprocessError, OSError) as error:
        raise ServerFailed(f"a system user {NAME} for PostgreSQL could not be made: {error}") from error
