"""File locks that the kernel releases when their process ends, however it ends."""

import asyncio
import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

#: seconds between two attempts; a waiting process must stay cancellable, so it never blocks in the kernel
RETRY = 0.02


class FileLock:
    """An open lock file; the file itself stays for ever, only the lock on it comes and goes."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator["FileLock"]:
        """The lock file at the path, private to its user. Leaving gives up whatever is held."""
        with path.open("a+", encoding="utf-8") as file:
            path.chmod(0o600)
            yield cls(file)

    def take(self, *, shared: bool = False) -> bool:
        """Take the lock or change how it is held, without waiting. False if others are in the way.

        Changing is not atomic: a lock that cannot be changed is lost.
        """
        try:
            fcntl.flock(self._file, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    async def wait(self, *, shared: bool = False) -> None:
        """Take the lock as soon as it is free."""
        while not self.take(shared=shared):  # noqa: ASYNC110 - another process moves it
            await asyncio.sleep(RETRY)

    def release(self) -> None:
        fcntl.flock(self._file, fcntl.LOCK_UN)

    def write(self, text: str) -> None:
        """Leave a word for those who find the lock held."""
        self._file.truncate(0)
        self._file.write(text)
        self._file.flush()

    def read(self) -> str:
        self._file.seek(0)
        return self._file.read(1000)
